"""The kind of file that was submitted decides what may come back for it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.formats.asn1 import (
    SEQUENCE,
    explicit,
    integer,
    members,
    object_identifier,
    octet_string,
    sequence,
    set_of,
    wrapped,
)
from signpath_ci.formats.cms import DATA, SIGNED_DATA, Algorithm, SignedData
from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.support.archives import build_zip, contents
from tests.support.samples import SCRIPT
from tests.support.signing import CODE_SIGNING, NOW, code_signer, issue, root, rsa_key, sign_cms
from tests.unit.verify.matrix.formats import FORMATS, jar

CLOCK = Clock(now=lambda: NOW)
PE, SCRIPTS, CMS, JAR, RAW = (
    next(f for f in FORMATS if f.name == name) for name in ("pe", "powershell", "cms", "jar", "raw")
)


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _code(path: Path, unsigned: Path, expectations: Expectations | None = None) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_file(path, unsigned=unsigned, expectations=expectations or Expectations(), clock=CLOCK)
    return caught.value.code


def _detached(content: bytes) -> bytes:
    return CMS.signed(files={"": content})


@pytest.mark.parametrize(
    ("name", "submitted"),
    [("app.exe", "app.exe"), ("other.exe", "app.exe"), ("x.sh", "run.sh"), ("run", "run"), ("app.dll", "app.exe")],
)
def test_a_detached_signature_does_not_take_the_place_of_a_file(tmp_path: Path, name: str, submitted: str) -> None:
    content = PE.unsigned if submitted.endswith("exe") else b"#!/bin/sh\necho good\n"
    before = _write(tmp_path / submitted, content)
    (tmp_path / "signed").mkdir()
    assert _code(_write(tmp_path / "signed" / name, _detached(content)), before) == "content-changed"
    beside = _write(tmp_path / f"{submitted}.p7s", _detached(content))
    assert verify_file(beside, unsigned=before, clock=CLOCK)[0].format == "cms"


def test_a_raw_signature_does_not_either(tmp_path: Path) -> None:
    before = _write(tmp_path / "data.bin", RAW.unsigned)
    certificate = _write(tmp_path / "signer.pem", code_signer().certificate.public_bytes(Encoding.PEM))
    expected = Expectations(signer_certificate=certificate)
    (tmp_path / "signed").mkdir()
    assert _code(_write(tmp_path / "signed" / "data.bin", RAW.signed()), before, expected) == "content-changed"
    assert verify_file(_write(tmp_path / "data.bin.sig", RAW.signed()), unsigned=before, expectations=expected)


def test_another_format_than_was_submitted(tmp_path: Path) -> None:
    before = _write(tmp_path / "app.exe", PE.unsigned)
    for f in FORMATS:
        if f.name not in {"pe", "cms", "raw"}:
            (tmp_path / f.name).mkdir()
            assert _code(_write(tmp_path / f.name / "app.exe", f.signed()), before) == "content-changed", f.name


@pytest.mark.parametrize("suffix", [".exe", ".sh", ".bat", ".dll", ".txt", ".p7s.exe"])
def test_only_few_suffixes_are_those_of_a_signature(tmp_path: Path, suffix: str) -> None:
    files = {"app.exe": PE.unsigned, "data.bin": b"any bytes"}
    before = _write(tmp_path / "before.zip", build_zip(files))
    signed = {"app.exe": PE.signed(), "data.bin": b"any bytes"}
    good = _write(tmp_path / "good.zip", build_zip({**signed, "data.bin.p7s": _detached(b"any bytes")}))
    assert len(verify_file(good, unsigned=before, clock=CLOCK)) == 2
    bad = _write(tmp_path / "bad.zip", build_zip({**signed, f"data.bin{suffix}": _detached(b"any bytes")}))
    assert _code(bad, before) == "content-added"


def test_programs_that_came_back_in_a_zip_signed_as_a_jar(tmp_path: Path) -> None:
    files = {"app.exe": PE.unsigned, "read me.txt": b"text"}
    before = _write(tmp_path / "before.zip", build_zip(files))
    as_jar = jar(files, JAR.signature(files=files), files)
    path = _write(tmp_path / "release.zip", as_jar)
    assert _code(path, before) == "not-signed"
    with pytest.raises(VerificationError) as caught:  # and where it is not compared, the name says that it is a ZIP
        verify_file(path, clock=CLOCK)
    assert caught.value.code == "not-signed"
    signed = {"app.exe": PE.signed(), "read me.txt": b"text"}
    submitted = _write(tmp_path / "signed.zip", build_zip(signed))
    path = _write(tmp_path / "release.zip", jar(signed, JAR.signature(files=signed), signed))
    assert {v.format for v in verify_file(path, unsigned=submitted, clock=CLOCK)} == {"jar"}  # the program is unchanged


def test_a_jar_may_hold_libraries(tmp_path: Path) -> None:
    files = {"a.class": b"class", "native.dll": PE.unsigned}
    before = _write(tmp_path / "before.jar", JAR.pack(files))
    path = _write(tmp_path / "app.jar", jar(files, JAR.signature(files=files), files))
    assert [v.format for v in verify_file(path, unsigned=before, clock=CLOCK)] == ["jar"]
    assert contents(path)["native.dll"] == PE.unsigned


def test_a_script_keeps_its_encoding(tmp_path: Path) -> None:
    forms = {
        "utf-16": b"\xff\xfe" + SCRIPT.encode("utf-16-le"),
        "utf-8 with a mark": b"\xef\xbb\xbf" + SCRIPT.encode(),
        "utf-8": SCRIPT.encode(),
    }
    before, path = tmp_path / "before.ps1", tmp_path / "after.ps1"
    for submitted, original in forms.items():
        for signed, data in forms.items():
            before.write_bytes(original)
            path.write_bytes(SCRIPTS.signed(files={"": data}))
            if signed == submitted:
                assert verify_file(path, unsigned=before, clock=CLOCK)[0].identity == "same"
            else:
                assert _code(path, before) == "content-changed"


def _attributes(message: SignedData) -> bytes:
    (info,) = message.signers
    return info.signed_bytes or b""


def _without_attributes(message: SignedData) -> bytes:
    """Encode a detached message whose signature has no signed attributes; the value stays."""
    (info,) = message.signers
    fields = list(members(info.encode(), SEQUENCE))
    del fields[3]
    data = sequence(
        integer(1),
        set_of(a.encode() for a in message.digest_algorithms),
        sequence(object_identifier(DATA)),
        set_of(message.certificates, explicit(0)),
        set_of([sequence(*fields)]),
    )
    return sequence(object_identifier(SIGNED_DATA), wrapped(explicit(0), data))


def test_signed_attributes_are_no_content(tmp_path: Path) -> None:
    # The value of a signature with attributes is one of their encoding: of a file with these bytes, it looks the same.
    message = sign_cms(code_signer(), DATA, octet_string(b"content"))
    (info,) = message.signers
    content = _write(tmp_path / "content.bin", _attributes(message))
    path = _write(tmp_path / "content.bin.p7s", _without_attributes(message))
    assert _code(path, content) == "signature-mismatch"
    certificate = _write(tmp_path / "signer.pem", code_signer().certificate.public_bytes(Encoding.PEM))
    raw = _write(tmp_path / "content.bin.sig", info.signature)
    assert _code(raw, content, Expectations(signer_certificate=certificate)) == "signature-mismatch"


@pytest.mark.parametrize("salt", [0, 20, 32, padding.PSS.MAX_LENGTH])
def test_raw_signatures_by_pss_with_any_salt(tmp_path: Path, salt: int) -> None:
    signer = issue("RSA", root(), key=rsa_key(), usages=[CODE_SIGNING])
    value = rsa_key().sign(b"data", padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())
    certificate = _write(tmp_path / "signer.pem", signer.certificate.public_bytes(Encoding.PEM))
    paths = _write(tmp_path / "data.sig", value), _write(tmp_path / "data", b"data")
    expected = Expectations(signer_certificate=certificate)
    assert verify_file(paths[0], unsigned=paths[1], expectations=expected, clock=CLOCK)[0].digest_algorithm == "sha256"


def test_ed25519(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    signer = issue("Ed25519", root(), key=key, usages=[CODE_SIGNING])  # type: ignore[arg-type]
    certificate = _write(tmp_path / "signer.pem", signer.certificate.public_bytes(Encoding.PEM))
    data = _write(tmp_path / "data", b"data")
    path = _write(tmp_path / "data.sig", key.sign(b"data"))
    assert verify_file(path, unsigned=data, expectations=Expectations(signer_certificate=certificate), clock=CLOCK)
    data.write_bytes(b"other")
    assert _code(path, data, Expectations(signer_certificate=certificate)) == "signature-mismatch"
    data.write_bytes(b"data")
    message = sign_cms(code_signer(), DATA, octet_string(b"data"), digest="sha512")
    (info,) = message.signers
    certificate_info = replace(
        info,
        issuer=signer.certificate.issuer.public_bytes(),
        serial_number=signer.certificate.serial_number,
        signature_algorithm=Algorithm("1.3.101.112"),
        signature=key.sign(info.signed_bytes or b""),
    )
    message = replace(message, content=None, certificates=signer.encodings, signers=(certificate_info,))
    path = _write(tmp_path / "data.p7s", message.encode())
    assert verify_file(path, unsigned=data, clock=CLOCK)[0].digest_algorithm == "sha512"
    spoilt = replace(certificate_info, signature=bytes(64))
    path.write_bytes(replace(message, signers=(spoilt,)).encode())
    assert _code(path, data) == "signature-mismatch"


def _ber(data: bytes) -> bytes:
    """Write a message's outer three values with lengths that are not given (X.690 8.1.3.6)."""

    def contents_at(encoding: bytes) -> bytes:
        size = encoding[1] & 0x7F if encoding[1] & 0x80 else 0
        return encoding[2 + size :]

    info = contents_at(data)
    kind, rest = info[:11], info[11:]
    signed_data = contents_at(contents_at(rest))
    return b"\x30\x80" + kind + b"\xa0\x80\x30\x80" + signed_data + bytes(6)


def test_ber_is_read_as_its_der(tmp_path: Path) -> None:
    data = _write(tmp_path / "data.bin", CMS.unsigned)
    der = CMS.signed()
    path = _write(tmp_path / "data.bin.p7s", _ber(der))
    (verdict,) = verify_file(path, unsigned=data, clock=CLOCK)
    assert verdict.content_digest == hashlib.sha256(CMS.unsigned).hexdigest()
    for spoilt in (
        _ber(der) + b"\0",
        _ber(der)[:-1],
        _ber(der)[:-2],
        b"\x30\x80" * 100_000,
        b"\x30\x80" + b"\x05\0" * 100_000 + bytes(2),
        b"\x24\x80" + wrapped(4, b"x") + wrapped(5, b"") + bytes(2),
    ):
        path.write_bytes(spoilt)
        with pytest.raises(VerificationError) as caught:
            verify_file(path, unsigned=data, clock=CLOCK)
        assert caught.value.code in {"malformed-file", "not-verifiable"}
