from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.formats import nuget
from signpath_ci.formats.asn1 import octet_string, wrapped
from signpath_ci.formats.cms import COUNTERSIGNATURE, DATA, Attribute, SignedData
from signpath_ci.formats.package import Package, append_entry
from signpath_ci.formats.zip import STORED, open_archive
from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.support.archives import build_zip
from tests.support.signing import CODE_SIGNING, NOW, Identity, authority, code_signer, issue, root, sign_cms
from tests.unit.verify.matrix.formats import FORMATS, nuget_attributes, stamped
from tests.unit.verify.test_oracles import sandbox_signed

CLOCK = Clock(now=lambda: NOW)
RECORDED = Path(__file__).parents[1] / "formats/recorded"
F = next(f for f in FORMATS if f.name == "nuget")


def _code(path: Path, unsigned: Path | None = None, **expected: object) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_file(path, unsigned=unsigned, expectations=Expectations(**expected), clock=CLOCK)  # type: ignore[arg-type]
    return caught.value.code


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_what_jsign_signs() -> None:
    clock = Clock(now=lambda: datetime(2030, 1, 1, tzinfo=timezone.utc))
    (verdict,) = verify_file(
        RECORDED / "signed-package.nupkg",
        unsigned=RECORDED / "package.nupkg",
        expectations=Expectations(trust_roots=(RECORDED / "root.pem",)),
        clock=clock,
    )
    assert (verdict.format, verdict.identity, verdict.trust) == ("nuget", "same", "root")


@pytest.mark.parametrize("name", ["a.nupkg", "a.snupkg"])
def test_what_the_sandbox_signs(tmp_path: Path, name: str) -> None:
    unsigned = _write(tmp_path / name, F.unsigned)
    signed = sandbox_signed(unsigned)
    trusted = Expectations(trust_roots=(authority().trust_root,), strict=True)
    for path in (signed, sandbox_signed(signed)):
        (verdict,) = verify_file(path, unsigned=unsigned, expectations=trusted, clock=CLOCK)
        assert (verdict.format, verdict.identity) == ("nuget", "same")
    # The hash that jsign computes for the same package is the one that we do.
    jsigned = (RECORDED / "package.nupkg", RECORDED / "signed-package.nupkg")
    digests = []
    for path in jsigned:
        with path.open("rb") as file, open_archive(file) as archive:
            digests.append(nuget.package_digest(Package(file, archive, nuget.SIGNATURE), "sha256"))
    assert digests[0] == digests[1]


def test_a_signed_package_in_an_archive_is_verified_and_an_unsigned_one_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.zip", build_zip({"a.nupkg": F.signed()}))
    (verdict,) = verify_file(path, expectations=Expectations(), clock=CLOCK)
    assert (verdict.member, verdict.format) == ("a.nupkg", "nuget")
    assert _code(_write(tmp_path / "b.zip", build_zip({"a.nupkg": F.signed(), "b.nupkg": F.unsigned}))) == "not-signed"


def _with_content(content: bytes, attributes: tuple[Attribute, ...] | None = None) -> bytes:
    further = nuget_attributes(code_signer()) if attributes is None else attributes
    return F.embed(F.files, stamped(sign_cms(code_signer(), DATA, octet_string(content), further=further)).encode())


def _hash() -> bytes:
    source = io.BytesIO(F.unsigned)
    with open_archive(source) as archive:
        return nuget.package_digest(Package(source, archive, nuget.SIGNATURE), "sha256")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda content: content, None),
        (lambda content: content.replace(b"\n", b"\r\n"), None),
        (lambda content: content + content.partition(b"\n\n")[2], "malformed-file"),
        (lambda content: content.replace(b"Version:1", b"Version:2"), "malformed-file"),
        (lambda content: content + b"Other:1\n\n", "malformed-file"),
        (lambda content: content.replace(b"-Hash:", b"-Hash:AAAA"), "digest-mismatch"),
        (lambda content: content.replace(b"2.16.840.1.101.3.4.2.1", b"1.2.3"), "unsupported-signature"),
        (lambda content: content.replace(b"2.16.840.1.101.3.4.2.1", b"1.3.14.3.2.26"), "weak-digest"),
        (lambda _: b"", "malformed-file"),
    ],
)
def test_contents_of_signatures(tmp_path: Path, change: Callable[[bytes], bytes], code: str | None) -> None:
    path = _write(tmp_path / "a.nupkg", _with_content(change(nuget.write_content("sha256", _hash()))))
    if code is None:
        assert verify_file(path, expectations=Expectations(), clock=CLOCK)
    else:
        assert _code(path) == code


def test_attributes_that_a_signature_must_have(tmp_path: Path) -> None:
    content = nuget.write_content("sha256", _hash())
    kind, certificate = nuget_attributes(code_signer())
    _, other = nuget_attributes(issue("Other", root(), usages=[CODE_SIGNING]))
    for attributes, code in (
        ((certificate,), "malformed-file"),
        ((kind,), "malformed-file"),
        ((kind, other), "signature-mismatch"),
        ((nuget.commitment("1.2.3"), certificate), "unsupported-signature"),
        ((nuget.commitment(nuget.REPOSITORY), certificate), "malformed-file"),
    ):
        assert _code(_write(tmp_path / "a.nupkg", _with_content(content, attributes))) == code


def _countersigned(
    message: SignedData, by: Identity, *, over: bytes | None = None, kind: str = nuget.REPOSITORY
) -> bytes:
    (info,) = message.signers
    index = Attribute(nuget.SERVICE_INDEX, (wrapped(0x16, b"https://example.invalid/v3/index.json"),))
    value = info.signature if over is None else over
    counter = sign_cms(by, DATA, octet_string(value), further=(*nuget_attributes(by, kind), index))
    attribute = Attribute(COUNTERSIGNATURE, (counter.signers[0].encode(),))
    return replace(
        message,
        certificates=tuple(dict.fromkeys((*message.certificates, *counter.certificates))),
        signers=(replace(info, unsigned_attributes=(*info.unsigned_attributes, attribute)),),
    ).encode()


def _author() -> SignedData:
    made = F.message(F.files, code_signer(), "sha256")
    assert isinstance(made, SignedData)
    return stamped(made)


def test_a_repository_countersigns_what_the_author_signed(tmp_path: Path) -> None:
    repository = issue("Repository", root(), usages=[CODE_SIGNING])
    path = _write(tmp_path / "a.nupkg", F.embed(F.files, _countersigned(_author(), repository)))
    thumbprint = hashlib.sha256(code_signer().encodings[0]).hexdigest()
    pem = _write(tmp_path / "root.pem", root().certificate.public_bytes(Encoding.PEM))
    author, further = verify_file(
        path, expectations=Expectations(trust_roots=(pem,), thumbprints=frozenset({thumbprint})), clock=CLOCK
    )
    assert (author.trust, further.trust) == ("root", "not-checked")
    assert "https://example.invalid/v3/index.json" in further.notes[-1]
    for encoding, code in (
        (_countersigned(_author(), repository, over=b"another"), "digest-mismatch"),
        (_countersigned(_author(), repository, kind=nuget.AUTHOR), "malformed-file"),
        (_countersigned(_author(), issue("For mail", root())), "certificate-purpose"),
    ):
        assert _code(_write(tmp_path / "b.nupkg", F.embed(F.files, encoding))) == code


def _appended(name: str, data: bytes, *, extra: bytes = b"", comment: bytes = b"", method: int = 0) -> bytes:
    target = io.BytesIO(F.unsigned)
    with zipfile.ZipFile(target, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.extra, info.comment, info.compress_type = extra, comment, method
        archive.writestr(info, data)
    return target.getvalue()


def test_nothing_stands_beside_or_behind_the_signature(tmp_path: Path) -> None:
    signature = _author().encode()
    behind = io.BytesIO(F.signed())
    with zipfile.ZipFile(behind, "a") as archive:
        archive.writestr("payload.dll", b"payload")
    second = io.BytesIO(F.signed())
    with zipfile.ZipFile(second, "a") as archive:
        archive.writestr(".Signature.p7s", signature)
    for data, code in (
        (behind.getvalue(), "package-structure"),
        (second.getvalue(), "zip-name-collision"),
        (_appended(nuget.SIGNATURE, signature, extra=b"\x99\x99\4\0evil"), "uncovered-data"),
        (_appended(nuget.SIGNATURE, signature, comment=b"evil"), "uncovered-data"),
        (F.embed(F.files, b"no message"), "malformed-file"),
        (F.signed() + b"more", "zip-data-behind"),
    ):
        assert _code(_write(tmp_path / "a.nupkg", data)) == code


def test_what_is_in_it_is_compared_with_what_was_submitted(tmp_path: Path) -> None:
    signed = _write(tmp_path / "a.nupkg", F.signed())
    for files, code in (
        ({**F.files, "lib/App.txt": b"another"}, "content-changed"),
        ({"App.nuspec": F.files["App.nuspec"]}, "content-added"),
        ({**F.files, "more": b""}, "content-missing"),
    ):
        assert _code(signed, _write(tmp_path / "b.nupkg", build_zip(files))) == code
    # In another order, and packed otherwise: the same content.
    again = build_zip({name: F.files[name] for name in reversed(list(F.files))}, compression=zipfile.ZIP_STORED)
    (verdict,) = verify_file(
        signed, unsigned=_write(tmp_path / "c.nupkg", again), expectations=Expectations(), clock=CLOCK
    )
    assert verdict.identity == "same"


def test_a_zip64_directory_is_hashed_as_if_the_signature_were_not_there() -> None:
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("App.nuspec", b"<package />")
    data = plain.getvalue()
    end = data.rindex(b"PK\5\6")
    start = int.from_bytes(data[end + 16 : end + 20], "little")
    size = end - start
    large = (
        data[:end]
        + b"PK\6\6" + (44).to_bytes(8, "little") + b"\x2d\0\x2d\0" + bytes(8)
        + (1).to_bytes(8, "little") * 2 + size.to_bytes(8, "little") + start.to_bytes(8, "little")
        + b"PK\6\7" + bytes(4) + end.to_bytes(8, "little") + b"\1\0\0\0"
        + b"PK\5\6" + bytes(4) + b"\xff" * 12 + bytes(2)
    )  # fmt: skip
    source, target = io.BytesIO(large), io.BytesIO()
    with open_archive(source) as archive:
        package = Package(source, archive, nuget.SIGNATURE)
        expected = nuget.package_digest(package, "sha256")
        assert b"".join(package.data()) + package.directory() == large
        append_entry(target, package, nuget.SIGNATURE, b"message", method=STORED)
    with open_archive(target) as archive:
        signed = Package(target, archive, nuget.SIGNATURE)
        assert (signed.message, nuget.package_digest(signed, "sha256")) == (b"message", expected)
