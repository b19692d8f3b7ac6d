"""JAR files, and ZIP archives signed as such: every entry is in the manifest, and the manifest is signed.

Source: Oracle, "JAR File Specification", "Signature Validation"; stricter than it: what is not in the manifest, what
the manifest lists but is not there, and a manifest that was changed after it was signed, all fail.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import PurePosixPath
from zipfile import ZipInfo

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError
from signpath_ci.formats.cms import DATA, read_signed_data
from signpath_ci.formats.jar import (
    BLOCK_SUFFIXES,
    MANIFEST,
    MAX_SIZE,
    Manifest,
    Section,
    digest_of,
    is_signature_file,
    is_signature_related,
    strongest_digest,
)
from signpath_ci.formats.zip import Archive, is_link
from signpath_ci.verify.identity import check_paths, is_same, listed
from signpath_ci.verify.judge import Judge, Signature
from signpath_ci.verify.signed_data import verify_signer

_WHAT = "the signature"
_META_INF = "META-INF/"
_ADDED_BY_SIGNING = frozenset({"manifest-version", "created-by"})


def verify_jar(archive: Archive, *, submitted: Archive | None, judge: Judge) -> tuple[Signature, ...]:
    """Check all signers of a JAR, and that everything in it is signed.

    Args:
        archive: the signed file.
        submitted: the file that was submitted; `None`: content identity is not checked.
        judge: what is demanded of the signatures.

    Raises:
        VerificationError: it is not signed, a check failed, or the content is not that of `submitted`.
        FormatError: the file is damaged, or signed in a way that can't be judged.
    """
    names = {info.filename for info in archive.entries}
    signature_files = sorted(name for name in names if is_signature_file(name))
    if not signature_files:
        raise VerificationError("the file is not signed.", code="not-signed")
    full = sorted(info.filename for info in archive.entries if info.is_dir() and info.file_size)
    if full:  # no signature covers it
        raise VerificationError(f"a directory with data in it: {listed(full)}.", code="jar-structure")
    blocks = {name: _block(name, names) for name in signature_files}
    _check_signature_related(names, {MANIFEST, *blocks, *blocks.values()})
    data = _read(archive, MANIFEST)
    manifest = Manifest.read(data, "the manifest")
    for algorithm in _check_entries(archive, manifest):
        judge.check_digest(algorithm)
    signatures = tuple(_verify(archive, name, block, data, judge) for name, block in blocks.items())
    if submitted is not None:
        _check_identity(archive, manifest, submitted)
    return signatures


def _block(signature_file: str, names: set[str]) -> str:
    stem = signature_file[: -len(".SF")].upper()
    blocks = [name for name in names if name.upper() in {f"{stem}{suffix}" for suffix in BLOCK_SUFFIXES}]
    if len(blocks) != 1:
        raise VerificationError(
            f"{signature_file} has {len(blocks)} signature blocks instead of one.", code="jar-structure"
        )
    return blocks[0]


def _check_signature_related(names: set[str], used: set[str]) -> None:
    """Let through only files of signatures that are checked: no signature covers the others."""
    found = {name for name in names if is_signature_related(name)}
    if found != used:
        raise VerificationError(
            f"files of a signature that are missing, or belong to none: {listed(sorted(found ^ used))}.",
            code="jar-structure",
        )


def _verify(archive: Archive, name: str, block: str, manifest: bytes, judge: Judge) -> Signature:
    data = _read(archive, name)
    signature_file = Manifest.read(data, name)
    unlisted = set(_content(archive)) - set(signature_file.entries)
    if unlisted:  # the digest of the manifest would cover it, but Java takes it for unsigned
        raise VerificationError(
            f"{name} does not list all that it has to sign: {listed(sorted(unlisted))}.", code="jar-structure"
        )
    algorithm, expected = strongest_digest(signature_file.main, "the manifest", suffix="-manifest")
    digest = hashlib.new(algorithm, manifest).digest()
    if not hmac.compare_digest(digest, expected):
        raise VerificationError(
            f"the manifest was changed after it was signed: its digest is not the one in {name}.",
            code="digest-mismatch",
        )
    verified = verify_signer(
        read_signed_data(_read(archive, block), _WHAT),
        content_type=DATA,
        what=_WHAT,
        detached=lambda chosen: hashlib.new(chosen, data).digest(),
    )
    return judge.signature(verified, format_name="jar", algorithm=algorithm, digest=digest)


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
    for name, info in present.items():
        algorithm, expected = strongest_digest(manifest.entries[name], name)
        algorithms.add(algorithm)
        with archive.open(info) as entry:
            if not hmac.compare_digest(digest_of(entry, algorithm), expected):
                changed.append(name)
    if changed:
        raise VerificationError(f"changed after it was signed: {listed(sorted(changed))}.", code="digest-mismatch")
    return algorithms


def _check_identity(archive: Archive, manifest: Manifest, submitted: Archive) -> None:
    now, before = _content(archive), _content(submitted)
    check_paths(now.keys() | _directories(archive), before.keys() | _directories(submitted), what="the entries")
    changed = []
    for name in now:
        with archive.open(now[name]) as left, submitted.open(before[name]) as right:
            if not is_same(left, right) or (is_link(now[name]) and not is_link(before[name])):
                changed.append(name)
    if changed:
        raise VerificationError(f"not what was submitted: {listed(sorted(changed))}.", code="content-changed")
    # Java takes orders from a manifest: a JAR that had none must not get one with more in it than digests.
    has_one = MANIFEST in {info.filename for info in submitted.entries}
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
    names = {info.filename for info in archive.entries}
    full = {str(parent) + "/" for name in names for parent in PurePosixPath(name).parents}
    return {name for name in names if name.endswith("/")} - full - {_META_INF}


def _attributes(section: Section) -> Section:
    return {name: value for name, value in section.items() if not _is_digest(name)}


def _is_digest(attribute: str) -> bool:
    return attribute.endswith("-digest")


def _content(archive: Archive) -> dict[str, ZipInfo]:
    return {i.filename: i for i in archive.entries if not i.is_dir() and not is_signature_related(i.filename)}


def _read(archive: Archive, name: str) -> bytes:
    info = next(info for info in archive.entries if info.filename == name)
    if info.file_size > MAX_SIZE:
        raise FormatError(f"{name} is too big")
    with archive.open(info) as entry:
        return entry.read()
