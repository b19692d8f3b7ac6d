"""Data that no signature covers, beside a good signature: nothing of it is let through, whatever room it uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.formats.asn1 import explicit, octet_string, sequence, wrapped
from signpath_ci.formats.cms import Attribute, SignedData
from signpath_ci.formats.tsp import TIMESTAMP
from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.support.signing import (
    CODE_SIGNING,
    NOW,
    TIMESTAMPING,
    Identity,
    code_signer,
    der,
    issue,
    revocation_list,
    root,
    sign_time,
    timestamper,
)
from tests.unit.verify.matrix.formats import FORMATS, Change, Format, stamped
from tests.unit.verify.matrix.judging import pem

CLOCK = Clock(now=lambda: NOW)
PAYLOAD = b"PK\x03\x04 a payload \0\x01" * 50
WITH_MESSAGES = [f for f in FORMATS if f.is_message]
PE = FORMATS[0]


def _certificate(
    subject: str = "Stranger",
    *,
    key: ec.EllipticCurvePrivateKey | None = None,
    issuer: Identity | None = None,
    issuer_name: str | None = None,
    oid: str = "1.2.3.4",
    payload: bytes = PAYLOAD,
) -> bytes:
    """Make a CA certificate with a payload in an extension; self-signed, or with a name of an issuer that is not it."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    above = issuer.certificate.subject if issuer else name
    if issuer_name is not None:
        above = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(above)
        .public_key(own.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=300))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    )
    if oid:
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), payload), False)
    signing = issuer.key if issuer else own
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    return der(builder.sign(signing, hashes.SHA256()))


def _ec_key(identity: Identity) -> ec.EllipticCurvePrivateKey:
    assert isinstance(identity.key, ec.EllipticCurvePrivateKey)
    return identity.key


@cache
def _own_root() -> Identity:
    return issue("Own", is_ca=True)


def _in_list(issuer: Identity) -> bytes:
    """Make a revocation list with a payload."""
    builder = x509.CertificateRevocationListBuilder(issuer.certificate.subject, NOW, NOW + timedelta(days=1))
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), PAYLOAD)
    return builder.add_extension(extension, False).sign(_ec_key(issuer), hashes.SHA256()).public_bytes(Encoding.DER)


def _unsigned(message: SignedData) -> SignedData:
    (info,) = message.signers
    extra = Attribute("1.2.3.4", (octet_string(PAYLOAD),))
    return replace(message, signers=(replace(info, unsigned_attributes=(*info.unsigned_attributes, extra)),))


def _parameters(message: SignedData) -> SignedData:
    (info,) = message.signers
    algorithm = replace(info.signature_algorithm, parameters=octet_string(PAYLOAD))
    return replace(message, signers=(replace(info, signature_algorithm=algorithm),))


ATTRIBUTE_CERTIFICATE = wrapped(
    explicit(1), sequence(*[octet_string(PAYLOAD)] * 7) + sequence() + octet_string(PAYLOAD)
)
CHANGES: dict[str, Change] = {
    "a stranger's certificate": lambda m: replace(m, certificates=(*m.certificates, _certificate())),
    "a certificate with the root's name": lambda m: replace(m, certificates=(*m.certificates, _certificate("Root"))),
    "a certificate with the root's name and key, by nobody": lambda m: replace(
        m, certificates=(*m.certificates, _certificate("Root", key=_ec_key(root()), issuer_name="Nobody"))
    ),
    "a certificate with the root's name and key, by a root of its own": lambda m: replace(
        m,
        certificates=(
            *m.certificates,
            _certificate("Root", key=_ec_key(root()), issuer=_own_root(), oid=""),
            _certificate("Own", key=_ec_key(_own_root())),
        ),
    ),
    "text that can't be printed in a known extension": lambda m: replace(
        m,
        certificates=(
            *m.certificates,
            _certificate("Root", key=_ec_key(root()), issuer_name="Nobody", oid="1.3.6.1.5.5.7.1.12"),
        ),
    ),
    "too many certificates": lambda m: replace(m, certificates=(*m.certificates, *[der(root().certificate)] * 20)),
    "a revocation list by a stranger": lambda m: replace(m, revocation_lists=(_in_list(issue("Root", is_ca=True)),)),
    "a revocation list by the signer": lambda m: replace(m, revocation_lists=(_in_list(code_signer()),)),
    "an unsigned attribute": _unsigned,
    "parameters of the algorithm": _parameters,
    "an attribute certificate": lambda m: replace(m, attribute_certificates=(ATTRIBUTE_CERTIFICATE,)),
}


def _refused(path: Path, *, has_roots: bool = True) -> VerificationError:
    roots = (pem(path.with_name("root.pem"), root()),) if has_roots else ()
    unsigned = path.with_name("unsigned")
    with pytest.raises(VerificationError) as caught:
        verify_file(
            path,
            unsigned=unsigned if unsigned.exists() else None,
            expectations=Expectations(trust_roots=roots),
            clock=CLOCK,
        )
    return caught.value


def _write(tmp_path: Path, f: Format, change: Change) -> Path:
    path = tmp_path / f.file_name
    path.write_bytes(f.signed(change=change))
    (tmp_path / "unsigned").write_bytes(f.unsigned)
    return path


@pytest.mark.parametrize("case", CHANGES)
@pytest.mark.parametrize("f", WITH_MESSAGES, ids=lambda f: f.name)
def test_beside_a_signature(tmp_path: Path, f: Format, case: str) -> None:
    error = _refused(_write(tmp_path, f, lambda message: CHANGES[case](stamped(message))))
    assert error.code == "uncovered-data", error


@pytest.mark.parametrize("case", CHANGES)
@pytest.mark.parametrize("f", WITH_MESSAGES, ids=lambda f: f.name)
def test_beside_a_timestamp(tmp_path: Path, f: Format, case: str) -> None:
    def change(message: SignedData) -> SignedData:
        (info,) = message.signers
        token = CHANGES[case](sign_time(info.signature, timestamper()))
        attribute = Attribute(TIMESTAMP, (token.encode(),))
        return replace(message, signers=(replace(info, unsigned_attributes=(attribute,)),))

    error = _refused(_write(tmp_path, f, change))
    assert error.code == "uncovered-data", error


def test_without_a_root_too(tmp_path: Path) -> None:
    for case in ("a stranger's certificate", "an unsigned attribute", "a revocation list by a stranger"):
        change = CHANGES[case]
        error = _refused(_write(tmp_path, PE, lambda m, change=change: change(stamped(m))), has_roots=False)  # type: ignore[misc]
        assert error.code == "uncovered-data", error


def test_what_a_chain_needs_is_let_through(tmp_path: Path) -> None:
    upper = issue("Upper", root(), is_ca=True)
    lower = issue("Lower", upper, is_ca=True)
    signer = issue("Leaf", lower, usages=[CODE_SIGNING])
    authority = issue("Authority", issue("Authority CA", root(), is_ca=True), usages=[TIMESTAMPING], is_critical=True)
    # The same CA, vouched for by another root that is not at hand: a cross certificate.
    cross = _certificate("Upper", key=_ec_key(upper), issuer_name="Another Root", oid="")

    def change(message: SignedData) -> SignedData:
        message = stamped(message, by=authority)
        return replace(
            message,
            certificates=(*message.certificates, cross, der(root().certificate), *authority.encodings),
            revocation_lists=(revocation_list(lower), revocation_list(upper), revocation_list(root())),
        )

    path = tmp_path / PE.file_name
    path.write_bytes(PE.signed(signer, change=change))
    roots = (pem(tmp_path / "root.pem", root()),)
    (verdict,) = verify_file(path, expectations=Expectations(trust_roots=roots, strict=True), clock=CLOCK)
    assert verdict.trust == "root"


def _spoilt(f: Format, spoil: Callable[[bytes], bytes]) -> bytes:
    return f.embed(f.files, spoil(f.signature()))


@pytest.mark.parametrize("f", WITH_MESSAGES, ids=lambda f: f.name)
def test_lengths_that_leave_room(tmp_path: Path, f: Format) -> None:
    # A second reader may take the value for another one, or its zeros for nothing.
    def longer(message: bytes) -> bytes:
        size = len(message) - 4
        return b"\x30\x84" + size.to_bytes(4, "big") + message[4:]

    path = tmp_path / f.file_name
    path.write_bytes(_spoilt(f, longer))
    (tmp_path / "unsigned").write_bytes(f.unsigned)
    assert _refused(path).code == "malformed-file"
