"""JAR files, and ZIP archives signed as such: every entry is in the manifest, and the manifest is signed.

Source: Oracle, "JAR File Specification", "Signature Validation"; stricter than it: what is not in the manifest, what
the manifest lists but is not there, and a manifest that was changed after it was signed, all fail.
"""

from __future__ import annotations

import hashlib
import hmac

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError
from signpath_ci.formats.asn1 import read_octet_string, reading
from signpath_ci.formats.cms import DATA, read_signed_data
from signpath_ci.formats.jar import (
    BLOCK_SUFFIXES,
    MANIFEST,
    MAX_SIGNATURES,
    MAX_SIZE,
    Manifest,
    Section,
    digest_of,
    has_digest,
    is_signature_file,
    is_signature_related,
    raw_sections,
    strongest_digest,
)
from signpath_ci.formats.zip import Archive, Entry
from signpath_ci.values import replace
from signpath_ci.verify.identity import check_paths, is_same, listed
from signpath_ci.verify.signed_data import verify_signer
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements

_WHAT = "the signature"
_META_INF = "META-INF/"
_ADDED_BY_SIGNING = frozenset({"manifest-version", "created-by"})


def verify_jar(
    archive: Archive, *, submitted: Archive | None, requirements: SignerRequirements, is_walked: bool = False
) -> tuple[Signature, ...]:
    """Check all signers of a JAR, and that everything in it is signed.

    Args:
        archive: the signed file.
        submitted: the file that was submitted; `None`: content identity is not checked.
        requirements: what is required of the signatures.
        is_walked: whether the caller compares the entries, so that only the manifest is compared here.

    Raises:
        VerificationError: it is not signed, a check failed, or the content is not that of `submitted`.
        FormatError: the file is damaged, or signed in a way that can't be verified.
    """
    related = {entry.name for entry in archive.entries if is_signature_related(entry.name)}
    blocks = _blocks(related)
    if not blocks:
        raise VerificationError("the file is not signed.", code="not-signed")
    _check_signature_related(related, {MANIFEST, *blocks, *blocks.values()})
    data = _read(archive, MANIFEST)
    manifest = Manifest.read(data, "the manifest")
    for algorithm in _check_entries(archive, manifest):
        requirements.check_digest(algorithm)
    signatures = tuple(_verify(archive, name, block, data, requirements) for name, block in blocks.items())
    if submitted is not None:
        if not is_walked:
            _check_entries_submitted(archive, submitted)
        _check_manifest_submitted(manifest, submitted)
    return signatures


def _blocks(related: set[str]) -> dict[str, str]:
    """Return the signature files, each with its signature block."""
    signature_files = sorted(filter(is_signature_file, related))
    if len(signature_files) > MAX_SIGNATURES:
        raise FormatError(
            f"it has {len(signature_files)} signature files; the limit is {MAX_SIGNATURES}",
            code="jar-too-many-signatures",
        )
    by_stem: dict[str, list[str]] = {}
    for name in related:
        stem, dot, suffix = name.upper().rpartition(".")
        if dot + suffix in BLOCK_SUFFIXES:
            by_stem.setdefault(stem, []).append(name)
    found = {}
    for name in signature_files:
        blocks = by_stem.get(name.upper().removesuffix(".SF"), [])
        if len(blocks) != 1:
            raise VerificationError(f"{name} has {len(blocks)} signature blocks instead of one.", code="jar-structure")
        found[name] = blocks[0]
    return found


def _check_signature_related(found: set[str], used: set[str]) -> None:
    """Let through only files of signatures that are checked: no signature covers the others."""
    if found != used:
        raise VerificationError(
            f"files of a signature that are missing, or belong to none: {listed(sorted(found ^ used))}.",
            code="jar-structure",
        )


def _verify(archive: Archive, name: str, block: str, manifest: bytes, requirements: SignerRequirements) -> Signature:
    data = _read(archive, name)
    signature_file = Manifest.read(data, name)
    unlisted = set(_content(archive)) - set(signature_file.entries)
    if unlisted:  # the digest of the manifest would cover it, but Java takes it for unsigned
        raise VerificationError(
            f"{name} does not list all that it has to sign: {listed(sorted(unlisted))}.", code="jar-structure"
        )
    if has_digest(signature_file.main, suffix="-manifest"):
        algorithm, expected = strongest_digest(signature_file.main, "the manifest", suffix="-manifest")
        if not hmac.compare_digest(hashlib.new(algorithm, manifest).digest(), expected):
            raise _changed(name)
    else:
        algorithm = _check_sections(signature_file, manifest, name)
    digest = hashlib.new(algorithm, manifest).digest()
    message = read_signed_data(_read(archive, block), _WHAT)
    if message.content is not None:  # jarsigner -internalsf: a copy of the signature file
        with reading(_WHAT):
            inside = read_octet_string(message.content)
        if inside != data:
            raise VerificationError(f"the signature holds another file than {name}.", code="signature-mismatch")
        message = replace(message, content=None)
    verified = verify_signer(
        message,
        content_type=DATA,
        what=_WHAT,
        detached=lambda chosen: hashlib.new(chosen, data).digest(),
    )
    return requirements.signature(verified, format_name="jar", algorithm=algorithm, digest=digest)


def _changed(signature_file: str) -> VerificationError:
    return VerificationError(
        f"the manifest was changed after it was signed: its digest is not the one in {signature_file}.",
        code="digest-mismatch",
    )


def _check_sections(signature_file: Manifest, manifest: bytes, name: str) -> str:
    """Check the digests of all sections of a manifest, as jarsigner -sectionsonly writes them instead of one.

    Returns:
        The algorithm of the main section's digest.
    """
    raw_main, *raw = raw_sections(manifest) or [b""]
    algorithm, expected = strongest_digest(signature_file.main, "the manifest", suffix="-manifest-main-attributes")
    if not hmac.compare_digest(hashlib.new(algorithm, raw_main).digest(), expected):
        raise _changed(name)
    names = list(Manifest.read(manifest, "the manifest").entries)
    # Every byte belongs to a section, and every section is digested: there is no room between them.
    if len(names) != len(raw) or set(names) != set(signature_file.entries):
        raise _changed(name)
    for entry, data in zip(names, raw, strict=True):
        chosen, expected = strongest_digest(signature_file.entries[entry], f"the section of {entry}")
        if not hmac.compare_digest(hashlib.new(chosen, data).digest(), expected):
            raise _changed(name)
    return algorithm


def _check_entries(archive: Archive, manifest: Manifest) -> set[str]:
    """Return the digest algorithms that the entries are signed with."""
    present = _content(archive)
    listed_names = {name for name, section in manifest.entries.items() if any(_is_digest(a) for a in section)}
    for names, what in (
        (set(present) - listed_names, "added after it was signed, or never signed"),
        ({name for name in listed_names - set(present) if not name.endswith("/")}, "removed after it was signed"),
    ):
        if names:
            raise VerificationError(f"{what}: {listed(sorted(names))}.", code="digest-mismatch")
    algorithms, changed = set(), []
    for name, entry in present.items():
        algorithm, expected = strongest_digest(manifest.entries[name], name)
        algorithms.add(algorithm)
        if not hmac.compare_digest(digest_of(archive.open(entry), algorithm), expected):
            changed.append(name)
    if changed:
        raise VerificationError(f"changed after it was signed: {listed(sorted(changed))}.", code="digest-mismatch")
    return algorithms


def _check_entries_submitted(archive: Archive, submitted: Archive) -> None:
    now, before = _content(archive), _content(submitted)
    check_paths(now.keys() | _directories(archive), before.keys() | _directories(submitted), what="the entries")
    changed = [name for name in now if not is_same(archive.open(now[name]), submitted.open(before[name]))]
    if changed:
        raise VerificationError(f"not what was submitted: {listed(sorted(changed))}.", code="content-changed")


def _check_manifest_submitted(manifest: Manifest, submitted: Archive) -> None:
    # Java takes orders from a manifest: a JAR that had none must not get one with more in it than digests.
    has_one = MANIFEST in submitted.by_name
    given = Manifest.read(_read(submitted, MANIFEST) if has_one else b"", "the submitted manifest")
    main = {n: text for n, text in _attributes(manifest.main).items() if n in given.main or n not in _ADDED_BY_SIGNING}
    if _attributes(given.main) != main:
        raise VerificationError(f"not what was submitted: the main attributes in {MANIFEST}.", code="content-changed")
    for name in {*given.entries, *manifest.entries}:
        if _attributes(given.entries.get(name, {})) != _attributes(manifest.entries.get(name, {})):
            raise VerificationError(
                f"not what was submitted: the attributes of {name} in {MANIFEST}.", code="content-changed"
            )


def _directories(archive: Archive) -> set[str]:
    """Return the directories with nothing in them, but the one that signing may add; others are there anyway."""
    names = archive.by_name.keys()
    full: set[str] = set()
    for name in names:
        end = name.rstrip("/").rfind("/") + 1
        while end and name[:end] not in full:  # those above one that is known are known
            full.add(name[:end])
            end = name.rfind("/", 0, end - 1) + 1
    return {name for name in names if name.endswith("/")} - full - {_META_INF}


def _attributes(section: Section) -> Section:
    return {name: value for name, value in section.items() if not _is_digest(name)}


def _is_digest(attribute: str) -> bool:
    return attribute.endswith("-digest")


def _content(archive: Archive) -> dict[str, Entry]:
    return {e.name: e for e in archive.entries if not e.is_directory and not is_signature_related(e.name)}


def _read(archive: Archive, name: str) -> bytes:
    return archive.read(archive.by_name[name], limit=MAX_SIZE)
