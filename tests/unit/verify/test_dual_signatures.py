"""Several signatures of one file, weak ones beside strong ones, old timestamps, and oddities of real files."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.formats.asn1 import UTC_TIME, octet_string, set_of, wrapped
from signpath_ci.formats.authenticode import (
    INDIRECT_DATA,
    NESTED_SIGNATURE,
    PE_IMAGE,
    IndirectData,
    write_indirect_data,
)
from signpath_ci.formats.cms import (
    COUNTERSIGNATURE,
    MESSAGE_DIGEST,
    SIGNING_TIME,
    Algorithm,
    Attribute,
    SignedData,
    SignerInfo,
    read_signed_data,
)
from signpath_ci.formats.registry import implementation
from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.support.pe import certificate_entry
from tests.support.signing import (
    CODE_SIGNING,
    NOW,
    TIMESTAMPING,
    Identity,
    code_signer,
    der,
    issue,
    root,
    rsa_key,
    sign_cms,
    timestamper,
)
from tests.unit.verify.matrix.formats import FORMATS, stamped
from tests.unit.verify.matrix.judging import pem

PE = FORMATS[0]
CLOCK = Clock(now=lambda: NOW)


def _message(signer: Identity | None = None, digest: str = "sha256") -> SignedData:
    hashed = implementation("pe").read_subject(io.BytesIO(PE.unsigned)).digest(digest)
    content = write_indirect_data(IndirectData(Algorithm.digest(digest), hashed, PE_IMAGE))
    return sign_cms(signer or code_signer(), INDIRECT_DATA, content, digest=digest)


def _rsa() -> Identity:
    return issue("RSA", root(), key=rsa_key(), usages=[CODE_SIGNING])


def _nested(outer: SignedData, *inner: SignedData) -> SignedData:
    (info,) = outer.signers
    attribute = Attribute(NESTED_SIGNATURE, tuple(m.encode() for m in inner))
    return replace(outer, signers=(replace(info, unsigned_attributes=(*info.unsigned_attributes, attribute)),))


def _path(tmp_path: Path, *messages: SignedData) -> Path:
    path = tmp_path / "app.exe"
    table = b"".join(certificate_entry(m.encode() + bytes(-len(m.encode()) % 8)) for m in messages)
    data = bytearray(PE.unsigned)
    offset = len(data) + -len(data) % 8
    data += bytes(offset - len(data)) + table
    struct.pack_into("<II", data, 64 + 24 + 112 + 32, offset, len(table))
    path.write_bytes(bytes(data))
    return path


def _expected(tmp_path: Path, **more: object) -> Expectations:
    return Expectations(trust_roots=(pem(tmp_path / "root.pem", root()),), **more)  # type: ignore[arg-type]


def _code(path: Path, expectations: Expectations) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_file(path, expectations=expectations, clock=CLOCK)
    return caught.value.code


def test_each_entry_of_a_certificate_table_is_a_signature(tmp_path: Path) -> None:
    path = _path(tmp_path, stamped(_message()), stamped(_message(_rsa())))
    verdicts = verify_file(path, expectations=_expected(tmp_path, strict=True), clock=CLOCK)
    assert [v.signer.subject for v in verdicts] == ["CN=Code Signer", "CN=RSA"]
    stranger = issue("Stranger", issue("Other Root", is_ca=True), usages=[CODE_SIGNING])
    path = _path(tmp_path, stamped(_message()), stamped(_message(stranger)))
    assert _code(path, _expected(tmp_path)) == "certificate-chain"
    other = sign_cms(
        code_signer(), INDIRECT_DATA, write_indirect_data(IndirectData(Algorithm.digest("sha256"), bytes(32)))
    )
    assert _code(_path(tmp_path, stamped(_message()), other), _expected(tmp_path)) == "digest-mismatch"


@pytest.mark.parametrize("is_outer", [True, False])
def test_a_weak_signature_beside_a_strong_one_is_named(tmp_path: Path, is_outer: bool) -> None:
    weak, strong = stamped(_message(_rsa(), "sha1")), stamped(_message())
    path = _path(tmp_path, _nested(weak, strong) if is_outer else _nested(strong, weak))
    (verdict,) = verify_file(path, expectations=_expected(tmp_path, strict=True), clock=CLOCK)
    assert (verdict.signer.subject, verdict.digest_algorithm) == ("CN=Code Signer", "sha256")
    assert any("SHA1" in note and "CN=RSA" in note for note in verdict.notes)


def test_a_weak_signature_alone(tmp_path: Path) -> None:
    assert _code(_path(tmp_path, stamped(_message(_rsa(), "sha1"))), _expected(tmp_path)) == "weak-digest"
    both = _nested(_message(_rsa(), "sha1"), _message(_rsa(), "sha1"))
    assert _code(_path(tmp_path, both), _expected(tmp_path)) == "weak-digest"


def test_a_weak_signature_is_no_place_for_a_payload(tmp_path: Path) -> None:
    stranger = issue("Stranger", issue("Other Root", is_ca=True), key=rsa_key(), usages=[CODE_SIGNING])
    path = _path(tmp_path, _nested(stamped(_message()), stamped(_message(stranger, "sha1"))))
    assert _code(path, _expected(tmp_path)) in {"uncovered-data", "certificate-chain"}
    (info,) = (weak := _message(_rsa(), "sha1")).signers
    payload = Attribute("1.2.3.4", (octet_string(b"payload"),))
    weak = replace(weak, signers=(replace(info, unsigned_attributes=(payload,)),))
    assert _code(_path(tmp_path, _nested(stamped(_message()), weak)), _expected(tmp_path)) == "uncovered-data"


def _countersigned(
    message: SignedData,
    by: Identity | None = None,
    *,
    digest: str = "sha256",
    of: bytes | None = None,
    more: bool = False,
) -> SignedData:
    """Put a PKCS #9 countersignature into a message; `of` is what it is of instead of the signature's value."""
    signer, (info,) = by or timestamper(), message.signers
    hashed = hashlib.new(digest, info.signature if of is None else of).digest()
    time = wrapped(UTC_TIME, f"{NOW:%y%m%d%H%M%SZ}".encode())
    attributes = (Attribute(MESSAGE_DIGEST, (octet_string(hashed),)), Attribute(SIGNING_TIME, (time,)))
    signed_bytes = set_of(a.encode() for a in attributes)
    assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
    counter = SignerInfo(
        issuer=signer.certificate.issuer.public_bytes(),
        serial_number=signer.certificate.serial_number,
        digest_algorithm=Algorithm.digest(digest),
        signed_attributes=attributes,
        signed_bytes=signed_bytes,
        signature_algorithm=Algorithm("1.2.840.10045.4.1" if digest == "sha1" else "1.2.840.10045.4.3.2"),
        signature=signer.key.sign(signed_bytes, ec.ECDSA(hashes.SHA1() if digest == "sha1" else hashes.SHA256())),
        unsigned_attributes=(Attribute("1.2.3.4", (octet_string(b"payload"),)),) if more else (),
    )
    attribute = Attribute(COUNTERSIGNATURE, (counter.encode(),))
    return replace(
        message,
        certificates=(*message.certificates, *signer.encodings),
        signers=(replace(info, unsigned_attributes=(attribute,)),),
    )


def test_a_countersignature_is_a_timestamp(tmp_path: Path) -> None:
    path = _path(tmp_path, _countersigned(_message()))
    (verdict,) = verify_file(path, expectations=_expected(tmp_path, strict=True), clock=CLOCK)
    assert verdict.timestamp is not None
    assert (verdict.timestamp.time, verdict.timestamp.authority) == (NOW, "CN=Timestamper")


def _beside_a_token() -> SignedData:
    message = _countersigned(_message())
    (info,), (other,) = message.signers, stamped(_message()).signers
    both = (*info.unsigned_attributes, *other.unsigned_attributes)
    return replace(message, signers=(replace(info, unsigned_attributes=both),))


BAD: dict[str, tuple[Callable[[], SignedData], str]] = {
    "of another value": (lambda: _countersigned(_message(), of=b"another"), "digest-mismatch"),
    "by the signer": (lambda: _countersigned(_message(), code_signer()), "certificate-purpose"),
    "by a stranger": (
        lambda: _countersigned(
            _message(), issue("TSA", issue("Root", is_ca=True), usages=[TIMESTAMPING], is_critical=True)
        ),
        "certificate-chain",
    ),
    "with a payload": (lambda: _countersigned(_message(), more=True), "uncovered-data"),
    "by SHA-1": (lambda: _countersigned(_message(), digest="sha1"), "no-timestamp"),
    "beside a token": (_beside_a_token, "unsupported-signature"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_countersignatures(tmp_path: Path, case: str) -> None:
    make, code = BAD[case]
    assert _code(_path(tmp_path, make()), _expected(tmp_path, strict=True)) == code


def test_a_weak_countersignature_is_not_relied_on(tmp_path: Path) -> None:
    path = _path(tmp_path, _countersigned(_message(), digest="sha1"))
    (verdict,) = verify_file(path, expectations=_expected(tmp_path), clock=CLOCK)
    assert verdict.timestamp is None
    assert any("SHA1" in note for note in verdict.notes)
    old = issue("Old", root(), usages=[CODE_SIGNING], start=NOW - timedelta(hours=20), days=0)
    path = _path(tmp_path, _countersigned(_message(old), digest="sha1"))
    assert _code(path, _expected(tmp_path)) == "certificate-validity"


def test_an_authority_whose_usage_is_not_critical_is_named(tmp_path: Path) -> None:
    authority = issue("Microsoft 2020", root(), usages=[TIMESTAMPING])
    path = _path(tmp_path, stamped(_message(), by=authority))
    (verdict,) = verify_file(path, expectations=_expected(tmp_path, strict=True), clock=CLOCK)
    assert verdict.timestamp is not None
    assert any("not critical" in note for note in verdict.notes)


@pytest.mark.parametrize("is_wrapped", [True, False])
def test_other_forms_of_the_signed_content(tmp_path: Path, is_wrapped: bool) -> None:
    # OpenAuthenticode puts it into an OCTET STRING; pesign names another kind of file.
    hashed = implementation("pe").read_subject(io.BytesIO(PE.unsigned)).digest("sha256")
    kind = PE_IMAGE if is_wrapped else replace(PE_IMAGE, oid="1.3.6.1.4.1.311.2.1.21")
    content = write_indirect_data(IndirectData(Algorithm.digest("sha256"), hashed, kind))
    message = sign_cms(code_signer(), INDIRECT_DATA, octet_string(content) if is_wrapped else content)
    assert verify_file(_path(tmp_path, message), clock=CLOCK)[0].format == "pe"


def test_the_certificate_of_a_token_may_lie_in_the_signature(tmp_path: Path) -> None:
    message = stamped(_message())
    (info,) = message.signers
    (attribute,) = info.unsigned_attributes
    token = attribute.values[0]
    certificate = der(timestamper().certificate)
    bare = replace(read_signed_data(token, "it"), certificates=()).encode()
    moved = replace(info, unsigned_attributes=(replace(attribute, values=(bare,)),))
    path = _path(tmp_path, replace(message, certificates=(*message.certificates, certificate), signers=(moved,)))
    (verdict,) = verify_file(path, expectations=_expected(tmp_path, strict=True), clock=CLOCK)
    assert verdict.timestamp is not None
