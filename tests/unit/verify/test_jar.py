"""JAR files, put together piece by piece: what the manifest, the signature file and the signature must say."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping

import pytest

from signpath_ci.errors import SignPathError, VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.asn1 import octet_string
from signpath_ci.formats.cms import DATA
from signpath_ci.formats.jar import MANIFEST, write_section
from signpath_ci.formats.zip import open_archive
from signpath_ci.verify.certificates import describe
from signpath_ci.verify.jar import verify_jar
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements
from signpath_ci.verify.trust import Trust
from tests.support.archives import build_zip
from tests.support.signing import CODE_SIGNING, NOW, Identity, code_signer, issue, root, sign_cms

FILES = {"a.class": b"the first file", "b/": b"", "b/c.txt": bytes(range(256)) * 9000}
MAIN = {"Manifest-Version": "1.0", "Main-Class": "a"}
SF, BLOCK = "META-INF/S.SF", "META-INF/S.EC"
Attributes = dict[str, str]


def _digest(data: bytes, algorithm: str = "sha256") -> str:
    return base64.b64encode(hashlib.new(algorithm, data).digest()).decode()


def _sections(files: Mapping[str, bytes] = FILES) -> dict[str, Attributes]:
    """Return what a manifest says of each file."""
    return {name: {"SHA-256-Digest": _digest(data)} for name, data in files.items() if not name.endswith("/")}


def _manifest(sections: Mapping[str, Attributes] | None = None, main: Attributes = MAIN) -> bytes:
    sections = _sections() if sections is None else sections
    return write_section(main) + b"".join(write_section({"Name": n, **section}) for n, section in sections.items())


def _signature_file(
    manifest: bytes, names: tuple[str, ...] = ("a.class", "b/c.txt"), main: Attributes | None = None
) -> bytes:
    main = {"SHA-256-Digest-Manifest": _digest(manifest)} if main is None else main
    return write_section({"Signature-Version": "1.0", **main}) + b"".join(write_section({"Name": n}) for n in names)


def _block(signature_file: bytes, signer: Identity | None = None) -> bytes:
    signed = sign_cms(signer or code_signer(), DATA, octet_string(signature_file))
    detached = type(signed)(**{**vars(signed), "content": None})
    return detached.encode()


def _signed(manifest: bytes | None = None, signature_file: bytes | None = None) -> dict[str, bytes]:
    """Return the entries of a signed JAR; what is not given follows from the rest."""
    manifest = _manifest() if manifest is None else manifest
    signature_file = _signature_file(manifest) if signature_file is None else signature_file
    return {MANIFEST: manifest, SF: signature_file, BLOCK: _block(signature_file), **FILES}


def _verify(
    entries: Mapping[str, bytes], submitted: Mapping[str, bytes] | None = None, trust: Trust | None = None
) -> tuple[Signature, ...]:
    judge = SignerRequirements(trust=trust or Trust(), now=NOW)
    with open_archive(io.BytesIO(build_zip(entries))) as archive:
        if submitted is None:
            return verify_jar(archive, submitted=None, requirements=judge)
        with open_archive(io.BytesIO(build_zip(submitted))) as before:
            return verify_jar(archive, submitted=before, requirements=judge)


def _signature(manifest: bytes, signer: Identity | None = None) -> Signature:
    return Signature(
        format="jar",
        signer=describe((signer or code_signer()).certificate),
        timestamp=None,
        digest_algorithm="sha256",
        content_digest=hashlib.sha256(manifest).hexdigest(),
        trust="not-checked",
    )


def test_a_whole_signature() -> None:
    assert _verify(_signed()) == (_signature(_manifest()),)


def test_every_signer_is_judged() -> None:
    other = issue("Other", root(), usages=[CODE_SIGNING])
    signature_file = _signature_file(_manifest(), main={"SHA-256-Digest-Manifest": _digest(_manifest()), "Who": "B"})
    both = {**_signed(), "META-INF/R.SF": signature_file, "META-INF/R.RSA": _block(signature_file, other)}
    assert _verify(both) == (_signature(_manifest(), other), _signature(_manifest()))
    with pytest.raises(VerificationError, match="the message digest differs"):
        _verify({**both, "META-INF/R.RSA": both[BLOCK]})


def test_names_of_signatures_in_any_case() -> None:
    entries = _signed()
    lower = {"META-INF/s.sf": entries.pop(SF), "META-INF/S.dsa": entries.pop(BLOCK)}
    assert _verify({**entries, **lower}) == (_signature(_manifest()),)


def test_a_directory_may_be_listed_without_being_there() -> None:
    manifest = _manifest(_sections() | {"gone/": {"SHA-256-Digest": _digest(b"")}})
    assert _verify(_signed(manifest)) == (_signature(manifest),)


def _of_main(attribute: str, value: str) -> dict[str, bytes]:
    return _signed(signature_file=_signature_file(_manifest(), main={attribute: value}))


BAD: dict[str, tuple[dict[str, bytes], type[SignPathError | FormatError], str]] = {
    "not signed": ({MANIFEST: _manifest(), **FILES}, VerificationError, "the file is not signed."),
    "no block": (
        {name: data for name, data in _signed().items() if name != BLOCK},
        VerificationError,
        "META-INF/S.SF has 0 signature blocks instead of one.",
    ),
    "two blocks": (
        {**_signed(), "META-INF/s.rsa": b""},
        VerificationError,
        "META-INF/S.SF has 2 signature blocks instead of one.",
    ),
    "blocks of nothing": (
        {**_signed(), "META-INF/T.EC": b"", "META-INF/SIG-X": b""},
        VerificationError,
        "files of a signature that are missing, or belong to none: META-INF/SIG-X, META-INF/T.EC.",
    ),
    "no manifest": (
        {name: data for name, data in _signed().items() if name != MANIFEST},
        VerificationError,
        "files of a signature that are missing, or belong to none: META-INF/MANIFEST.MF.",
    ),
    "a second manifest": (
        {**_signed(), MANIFEST.lower(): _manifest()},
        FormatError,
        "the archive has two entries that are one, or are on some systems: meta-inf/manifest.mf and META-INF",
    ),
    "not listed in the signature file": (
        _signed(signature_file=_signature_file(_manifest(), names=())),
        VerificationError,
        "META-INF/S.SF does not list all that it has to sign: a.class, b/c.txt.",
    ),
    "a changed manifest": (
        {**_signed(), MANIFEST: _manifest(main={**MAIN, "Main-Class": "evil"})},
        VerificationError,
        "the manifest was changed after it was signed: its digest is not the one in META-INF/S.SF.",
    ),
    "a changed signature file": (
        {**_signed(), SF: _signature_file(_manifest()) + write_section({"Name": "d"})},
        VerificationError,
        "the signature does not match its content: the message digest differs.",
    ),
    "no digest of the manifest": (
        _of_main("SHA-256-Digest", _digest(_manifest())),
        FormatError,
        "there is no digest of the manifest",
    ),
    "a broken digest of the manifest": (
        _of_main("SHA1-Digest-Manifest", _digest(_manifest(), "sha1")),
        UnsupportedError,
        "the digest of the manifest is by SHA1, which is broken: it proves nothing",
    ),
    "a digest that is not Base64": (
        _of_main("SHA-256-Digest-Manifest", "====="),
        FormatError,
        "the digest of the manifest is not Base64",
    ),
    "an entry without a digest": (
        _signed(_manifest(_sections() | {"a.class": {"Sealed": "true"}})),
        VerificationError,
        "added after it was signed, or never signed: a.class.",
    ),
    "added entries": (
        {**_signed(), "new": b"", "b/new": b""},
        VerificationError,
        "added after it was signed, or never signed: b/new, new.",
    ),
    "removed entries": (
        _signed(_manifest(_sections(FILES | {"z": b"", "gone": b""}))),
        VerificationError,
        "removed after it was signed: gone, z.",
    ),
    "changed entries": (
        {**_signed(), "b/c.txt": b"other", "a.class": b"other"},
        VerificationError,
        "changed after it was signed: a.class, b/c.txt.",
    ),
    "a manifest that is none": (_signed(b"text\r\n"), FormatError, "the manifest has a line that is no attribute"),
    "a signature file that is none": (_signed(signature_file=b"text\r\n"), FormatError, "META-INF/S.SF has a line"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_jars(case: str) -> None:
    entries, error, words = BAD[case]
    with pytest.raises((SignPathError, FormatError)) as caught:
        _verify(entries)
    assert type(caught.value) is error
    assert str(caught.value).startswith(words)


def test_digests_of_entries_must_be_allowed_too() -> None:
    sections = _sections() | {"a.class": {"SHA-512-Digest": _digest(FILES["a.class"], "sha512")}}
    manifest = _manifest(sections)
    assert _verify(_signed(manifest)) == (_signature(manifest),)
    with pytest.raises(VerificationError, match="the signature uses sha512, which is not allowed"):
        _verify(_signed(manifest), trust=Trust(digest_algorithms=frozenset({"sha256"})))


def test_no_signature_file_of_any_size_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = _manifest(main={**MAIN, "Comment": "x" * 5000})
    monkeypatch.setattr("signpath_ci.verify.jar.MAX_SIZE", len(manifest))
    assert _verify(_signed(manifest)) == (_signature(manifest),)
    monkeypatch.setattr("signpath_ci.verify.jar.MAX_SIZE", len(manifest) - 1)
    with pytest.raises(FormatError, match=r"META-INF/MANIFEST\.MF has \d+ bytes; the limit is"):
        _verify(_signed(manifest))


def _submitted(
    files: Mapping[str, bytes] = FILES, *, main: Attributes = MAIN, sealed: str = "true"
) -> dict[str, bytes]:
    return {MANIFEST: _manifest({"a.class": {"Sealed": sealed}}, main), **files}


_SEALED = _sections() | {"a.class": {"Sealed": "true", **_sections()["a.class"]}}


@pytest.mark.parametrize(
    "submitted",
    [
        _submitted(),
        FILES,
        {**FILES, MANIFEST: b""},
        {name: data for name, data in _submitted().items() if name != "b/"},
        {**_submitted(), "META-INF/OLD.SF": b"of an older signature"},
        _submitted(main={**MAIN, "SHA-256-Digest": "of an older signature"}),
    ],
    ids=["as it was", "no manifest", "an empty manifest", "no directory", "signed before", "a digest"],
)
def test_the_jar_that_was_submitted(submitted: dict[str, bytes]) -> None:
    given = submitted.get(MANIFEST, b"").decode()
    sections = _SEALED if "Sealed" in given else _sections()
    manifest = _manifest(sections, MAIN if given else {"Manifest-Version": "1.0"})
    assert _verify(_signed(manifest), submitted) == (_signature(manifest),)


@pytest.mark.parametrize(
    ("submitted", "words"),
    [
        (_submitted({**FILES, "gone": b""}), "not the entries that were submitted; missing: gone."),
        (_submitted({"b/c.txt": FILES["b/c.txt"]}), "not the entries that were submitted; added: a.class."),
        (
            _submitted({"b/c.txt": b"other", "a.class": b"other"}),
            "not what was submitted: a.class, b/c.txt.",
        ),
        (
            _submitted(main={**MAIN, "Main-Class": "other"}),
            "not what was submitted: the main attributes in META-INF/MANIFEST.MF.",
        ),
        (
            _submitted(sealed="false"),
            "not what was submitted: the attributes of a.class in META-INF/MANIFEST.MF.",
        ),
        (
            {**FILES, MANIFEST: _manifest({})},
            "not what was submitted: the attributes of a.class in META-INF/MANIFEST.MF.",
        ),
        ({**FILES, MANIFEST: b"text\n"}, "the submitted manifest has a line that is no attribute"),
    ],
    ids=["missing", "added", "changed", "main attributes", "attributes", "no attributes", "no manifest"],
)
def test_another_jar_than_was_submitted(submitted: dict[str, bytes], words: str) -> None:
    with pytest.raises((VerificationError, FormatError)) as caught:
        _verify(_signed(_manifest(_SEALED)), submitted)
    assert str(caught.value).startswith(words)
