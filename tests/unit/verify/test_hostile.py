"""What somebody between SignPath and here could try, besides the attacks of the matrix."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.formats.asn1 import contents_octets, octet_string, set_of
from signpath_ci.formats.authenticode import INDIRECT_DATA, IndirectData, write_indirect_data
from signpath_ci.formats.cms import DATA, MESSAGE_DIGEST, Algorithm, Attribute, SignedData
from signpath_ci.formats.jar import MANIFEST, write_section
from signpath_ci.formats.registry import implementation
from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.support.archives import build_zip
from tests.support.signing import CODE_SIGNING, NOW, Identity, allowing, code_signer, issue, root, sign_cms
from tests.unit.verify.matrix.formats import FORMATS, stamped
from tests.unit.verify.matrix.judging import pem

PE, MSI, JAR = (next(f for f in FORMATS if f.name == name) for name in ("pe", "msi", "jar"))


def _clock(days: int = 0) -> Clock:
    return Clock(now=lambda: NOW + timedelta(days=days))


def signed_jar(files: Mapping[str, bytes], main: dict[str, str], of_each: dict[str, str] | None = None) -> bytes:
    """Make a JAR that is well signed, with these attributes in its manifest."""

    def hashed(data: bytes) -> str:
        return base64.b64encode(hashlib.sha256(data).digest()).decode()

    sections = [{"Name": name, "SHA-256-Digest": hashed(data), **(of_each or {})} for name, data in files.items()]
    manifest = write_section(main) + b"".join(map(write_section, sections))
    signature_file = write_section({"Signature-Version": "1.0", "SHA-256-Digest-Manifest": hashed(manifest)})
    signature_file += b"".join(write_section({"Name": name}) for name in files)
    block = replace(sign_cms(code_signer(), DATA, octet_string(signature_file)), content=None).encode()
    return build_zip({MANIFEST: manifest, "META-INF/S.SF": signature_file, "META-INF/S.EC": block, **files})


def _write(path: Path, data: bytes | bytearray) -> Path:
    path.write_bytes(data)
    return path


def _refused(path: Path, unsigned: Path | None = None, *, days: int = 0, **expected: object) -> VerificationError:
    expectations = Expectations(**expected)  # type: ignore[arg-type]  # the keywords are its own
    with pytest.raises(VerificationError) as caught:
        verify_file(path, unsigned=unsigned, expectations=expectations, clock=_clock(days))
    return caught.value


@pytest.mark.parametrize(
    "hidden",
    [
        lambda data: {"(storage)": data},  # as the storage itself is called
        lambda data: {chr(0xD800): data, chr(0xD801): b"the same"},  # neither can be shown
        lambda data: {"In": {"c": data}, "In/c": b"the same"},
    ],
)
def test_streams_with_the_same_path_are_told_apart(tmp_path: Path, hidden: Callable[[bytes], dict[str, bytes]]) -> None:
    before = _write(tmp_path / "before.msi", MSI.pack(hidden(b"submitted")))
    after = _write(tmp_path / "after.msi", MSI.signed(files=hidden(b"another!!")))
    assert "it is not the file that was submitted" in _refused(after, before).message
    after = _write(tmp_path / "after.msi", MSI.signed(files=hidden(b"submitted")))
    assert verify_file(after, unsigned=before, clock=_clock())[0].identity == "same"


def test_something_unknown_is_not_let_through_in_the_place_of_what_can_be_judged(tmp_path: Path) -> None:
    garbage, everything = b"no format", allowing("*")
    before = _write(tmp_path / "before.exe", PE.unsigned)
    path = _write(tmp_path / "after.exe", garbage)
    words = "what was submitted is of the format pe, and this is not"
    assert words in _refused(path, before, rules=everything.rules).message
    with pytest.raises(VerificationError):  # a program by its name
        verify_file(path, unsigned=path, clock=_clock())
    assert verify_file(path, unsigned=path, expectations=everything, clock=_clock()) == ()
    before = _write(tmp_path / "before.zip", build_zip({"a.exe": PE.unsigned, "b.exe": PE.unsigned}))
    path = _write(tmp_path / "after.zip", build_zip({"a.exe": PE.signed(), "b.exe": garbage}))
    assert f"b.exe: {words}" in _refused(path, before, rules=everything.rules).message


def _old(tmp_path: Path) -> tuple[Path, Identity]:
    """Return a file that was signed in time, by a certificate that is valid no more."""
    signer = issue("Old", root(), usages=[CODE_SIGNING], days=3)
    return _write(tmp_path / "a.exe", PE.signed(signer)), signer


def test_a_time_by_nobody_who_is_trusted_does_not_prolong_a_certificate(tmp_path: Path) -> None:
    # Whoever has the key of a certificate that has expired makes a timestamp authority of his own.
    path, signer = _old(tmp_path)
    pinned = frozenset({signer.certificate.fingerprint(hashes.SHA256()).hex()})
    assert verify_file(path, expectations=Expectations(thumbprints=pinned), clock=_clock(1))[0].trust == "thumbprint"
    error = _refused(path, days=9, thumbprints=pinned)
    assert "the signer's certificate was valid from" in error.message
    assert "--trust-root" in error.hint
    roots = (pem(tmp_path / "root.pem", root()),)
    both = Expectations(thumbprints=pinned, trust_roots=roots)
    assert verify_file(path, expectations=both, clock=_clock(9))[0].trust == "root"
    assert verify_file(path, clock=_clock(9))[0].trust == "not-checked"


def test_a_certificate_whose_signatures_end_with_it(tmp_path: Path) -> None:
    lifetime_signing = x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.13")
    signer = issue("Lifetime", root(), usages=[CODE_SIGNING, lifetime_signing], days=3)
    path = _write(tmp_path / "a.exe", PE.signed(signer))
    roots = (pem(tmp_path / "root.pem", root()),)
    assert verify_file(path, expectations=Expectations(trust_roots=roots), clock=_clock(1))[0].trust == "root"
    error = _refused(path, days=9, trust_roots=roots)
    assert "the signer's certificate was valid from" in error.message


def test_the_digest_of_the_signature_itself_must_be_allowed(tmp_path: Path) -> None:
    # The content by SHA-512, the signed attributes by SHA-256.
    def mixed(message: SignedData) -> SignedData:
        (info,) = message.signers
        digest = hashlib.sha512(contents_octets(message.content or b"")).digest()
        attributes = (info.signed_attributes[0], Attribute(MESSAGE_DIGEST, (octet_string(digest),)))
        signed_bytes = set_of(attribute.encode() for attribute in attributes)
        key = code_signer().key
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        info = replace(
            info,
            digest_algorithm=Algorithm.digest("sha512"),
            signed_attributes=attributes,
            signed_bytes=signed_bytes,
            signature=key.sign(signed_bytes, ec.ECDSA(hashes.SHA256())),
        )
        return replace(message, digest_algorithms=(Algorithm.digest("sha512"),), signers=(info,))

    files = {"": PE.files[""]}
    digest = implementation("pe").read_subject(io.BytesIO(PE.unsigned)).digest("sha512")
    content = write_indirect_data(IndirectData(Algorithm.digest("sha512"), digest))
    message = mixed(sign_cms(code_signer(), INDIRECT_DATA, content))
    path = _write(tmp_path / "a.exe", PE.embed(files, message.encode()))
    assert verify_file(path, clock=_clock())[0].digest_algorithm == "sha512"
    error = _refused(path, digest_algorithms=frozenset({"sha512"}))
    assert "the signature uses sha256, which is not allowed (allowed: sha512)." in error.message


def test_data_that_no_signature_covers_in_the_signature(tmp_path: Path) -> None:
    # SPC_UNAUTHENTICATED_DATA_BLOB, which installers read their orders from.
    def tagged(message: SignedData) -> SignedData:
        message = stamped(message)
        (info,) = message.signers
        tag = Attribute("1.3.6.1.4.1.311.2.6.1", (octet_string(b"server=evil.example"),))
        return replace(message, signers=(replace(info, unsigned_attributes=(*info.unsigned_attributes, tag)),))

    error = _refused(_write(tmp_path / "a.exe", PE.signed(change=tagged)))
    assert (type(error), error.code) == (VerificationError, "uncovered-data")
    assert "has data that no signature covers (unsigned attribute 1.3.6.1.4.1.311.2.6.1)" in error.message


def _entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ({"new/": b""}, "new: a directory that was not submitted"),
        ({"dir/": b"hidden"}, "dir/ is a directory with data in it"),
        ({"META-INF/": b"hidden"}, "META-INF/ is a directory with data in it"),
    ],
)
def test_directories_in_a_jar_hide_nothing(tmp_path: Path, added: dict[str, bytes], words: str) -> None:
    parts = {**JAR.files, "dir/": b""}
    before = _write(tmp_path / "before.jar", JAR.pack(parts))
    signed = _entries(JAR.signed())
    good = _write(tmp_path / "good.jar", build_zip({"META-INF/": b"", **signed, "dir/": b""}))
    assert verify_file(good, unsigned=before, clock=_clock())[0].format == "jar"
    bad = _write(tmp_path / "bad.jar", build_zip({"META-INF/": b"", **signed, "dir/": b"", **added}))
    assert words in _refused(bad, before).message


def _with_mode(data: bytes, name: str, mode: int) -> bytes:
    """Give an entry another mode."""
    changed = bytearray(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [info.filename for info in archive.infolist()]
    place = -1
    for found in names:
        place = changed.index(b"PK\x01\x02", place + 1)
        if found == name:
            struct.pack_into("<I", changed, place + 38, mode << 16)
    return bytes(changed)


def test_file_that_became_a_link(tmp_path: Path) -> None:
    before = build_zip({"a.exe": PE.unsigned, "target": b"/etc/passwd"})
    after = build_zip({"a.exe": PE.signed(), "target": b"/etc/passwd"})
    paths = _write(tmp_path / "before.zip", before), _write(tmp_path / "after.zip", after)
    assert len(verify_file(paths[1], unsigned=paths[0], clock=_clock())) == 1
    _write(paths[1], _with_mode(after, "target", 0o120777))
    assert _refused(paths[1], paths[0]).code == "zip-entry-link"


def test_file_in_a_jar_that_became_a_link(tmp_path: Path) -> None:
    before = _write(tmp_path / "before.jar", JAR.pack(JAR.files))
    after = _write(tmp_path / "after.jar", _with_mode(JAR.signed(), "two.txt", 0o120777))
    assert _refused(after, before).code == "zip-entry-link"


def _central(data: bytes) -> int:
    return data.index(b"PK\x01\x02")


def test_an_entry_that_only_some_readers_see(tmp_path: Path) -> None:
    # Readers that stream, as those of Java and of tar do, never look at the directory.
    data = build_zip({"a.exe": PE.signed()}, comment=b"")
    hidden = build_zip({"evil.exe": b"MZ"}, comment=b"")
    hidden = hidden[: _central(hidden)]
    place = _central(data)
    end = bytearray(data[place:])
    struct.pack_into("<I", end, len(end) - 6, place + len(hidden))
    path = _write(tmp_path / "a.zip", data[:place] + hidden + end)
    assert zipfile.ZipFile(path).namelist() == ["a.exe"]
    assert _refused(path).code == "zip-gap"


@pytest.mark.parametrize(("offset", "form", "value"), [(8, "<H", 0), (14, "<I", 1), (18, "<I", 5), (22, "<I", 7)])
def test_an_entry_that_readers_see_differently(tmp_path: Path, offset: int, form: str, value: int) -> None:
    data = bytearray(build_zip({"a.exe": PE.signed()}, comment=b""))
    struct.pack_into(form, data, offset, value)
    path = _write(tmp_path / "a.zip", data)
    assert "a.exe is described in two ways" in _refused(path).message


@pytest.mark.parametrize("given", [None, b"", b"Manifest-Version: 1.0\r\n\r\n"])
def test_orders_for_java_in_a_manifest_that_was_not_submitted(tmp_path: Path, given: bytes | None) -> None:
    files = {"a.class": b"the first file"}
    before = _write(tmp_path / "before.jar", build_zip(files if given is None else {MANIFEST: given, **files}))
    for added, is_good in (
        ({}, True),
        ({"Created-By": "17 (Oracle Corporation)"}, True),  # jarsigner writes it where there was no manifest
        ({"Class-Path": "https://evil.example/evil.jar"}, False),
        ({"Launcher-Agent-Class": "a"}, False),
    ):
        after = _write(tmp_path / "after.jar", signed_jar(files, {"Manifest-Version": "1.0", **added}))
        if is_good:
            assert verify_file(after, unsigned=before, clock=_clock())[0].identity == "same"
        else:
            assert "the main attributes in META-INF/MANIFEST.MF" in _refused(after, before).message
    after = _write(tmp_path / "after.jar", signed_jar(files, {"Manifest-Version": "1.0"}, {"Sealed": "true"}))
    assert "the attributes of a.class in META-INF/MANIFEST.MF" in _refused(after, before).message
