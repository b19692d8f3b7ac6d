"""Signatures of every kind for tests, right ones and wrong ones: certificates, CMS messages and PE files to order."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signpath_ci.formats.asn1 import (
    contents_octets,
    explicit,
    integer,
    object_identifier,
    octet_string,
    sequence,
    set_of,
    wrapped,
)
from signpath_ci.formats.authenticode import INDIRECT_DATA, IndirectData, write_indirect_data
from signpath_ci.formats.cms import CONTENT_TYPE, MESSAGE_DIGEST, Algorithm, Attribute, SignedData, SignerInfo
from signpath_ci.formats.pe import write_signed
from signpath_ci.formats.tsp import (
    SIGNING_CERTIFICATE_V2,
    TST_INFO,
    Imprint,
    TimestampInfo,
    write_info,
    write_signing_certificate_v2,
)
from signpath_ci.model import Expectations, FileRule, FileRules
from signpath_ci.sandbox.pki import Authority
from tests.support.pe import LAUNCHERS

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
CODE_SIGNING = ExtendedKeyUsageOID.CODE_SIGNING
TIMESTAMPING = ExtendedKeyUsageOID.TIME_STAMPING
_HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def authority() -> Authority:
    """Return one sandbox authority for the whole run, valid from `NOW`."""
    return Authority.open(Path(tempfile.mkdtemp(prefix="authority-")), now=NOW)


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return one RSA key of each size for the whole run: making them is slow."""
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A certificate with its key, and the CAs above it, the root last."""

    key: Key
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def encodings(self) -> tuple[bytes, ...]:
        """The certificates for a message: all but the root."""
        return tuple(der(c) for c in (self.certificate, *self.chain[:-1]))


def der(certificate: x509.Certificate) -> bytes:
    """Encode a certificate."""
    return certificate.public_bytes(serialization.Encoding.DER)


def issue(
    name: str,
    issuer: Identity | None = None,
    *,
    key: Key | None = None,
    usages: Sequence[x509.ObjectIdentifier] = (),
    is_critical: bool = False,
    is_ca: bool = False,
    path_length: int | None = None,
    key_usage: tuple[bool, bool] | None = None,
    start: datetime = NOW - timedelta(days=1),
    days: int = 365,
    critical_extension: str | None = None,
    commits: bool = False,
) -> Identity:
    """Issue a certificate; self-signed where no issuer is given.

    Args:
        key_usage: digital signature, certificate signing; `None`: as `is_ca` demands.
        critical_extension: identifier of an extension that nobody knows.
        commits: whether the key usage has content commitment.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signs_data, signs_certificates = key_usage or (not is_ca, is_ca)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=path_length), critical=True)
        .add_extension(
            x509.KeyUsage(signs_data, commits, False, False, False, signs_certificates, False, False, False),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=is_critical)
    if critical_extension:
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier(critical_extension), b"\x05\x00")
        builder = builder.add_extension(unknown, critical=True)
    certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return Identity(key=key, certificate=certificate, chain=(issuer.certificate, *issuer.chain) if issuer else ())


def revocation_list(issuer: Identity, *revoked: x509.Certificate) -> bytes:
    """Make a certificate revocation list, DER."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(NOW - timedelta(hours=1))
        .next_update(NOW + timedelta(days=7))
    )
    for certificate in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(NOW)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@cache
def root() -> Identity:
    """Return a root CA for identities to order."""
    return issue("Root", is_ca=True, days=3650)


@cache
def code_signer() -> Identity:
    """Return a good code signer below `root`."""
    return issue("Code Signer", root(), usages=[CODE_SIGNING])


@cache
def timestamper() -> Identity:
    """Return a good timestamp authority below `root`."""
    return issue("Timestamper", root(), usages=[TIMESTAMPING], is_critical=True)


def sign_cms(
    identity: Identity,
    content_type: str,
    content: bytes,
    *,
    digest: str = "sha256",
    scheme: str = "",
    attributes: tuple[Attribute, ...] | None = None,
    further: tuple[Attribute, ...] = (),
) -> SignedData:
    """Make a CMS message.

    Args:
        scheme: `rsa` (names no digest), `rsa-digest`, `pss`, `ecdsa`, or none: as fits the key.
        attributes: signed ones instead of the mandatory ones.
        further: signed attributes behind those.
    """
    if attributes is None:
        attributes = (
            Attribute(CONTENT_TYPE, (object_identifier(content_type),)),
            Attribute(MESSAGE_DIGEST, (octet_string(hashlib.new(digest, contents_octets(content)).digest()),)),
        )
    attributes += further
    signed_bytes = set_of(attribute.encode() for attribute in attributes)
    algorithm, signature = _sign(identity.key, signed_bytes, digest, scheme)
    certificate = identity.certificate
    info = SignerInfo(
        issuer=certificate.issuer.public_bytes(),
        serial_number=certificate.serial_number,
        digest_algorithm=Algorithm.digest(digest),
        signed_attributes=attributes,
        signed_bytes=signed_bytes,
        signature_algorithm=algorithm,
        signature=signature,
        unsigned_attributes=(),
    )
    return SignedData(
        digest_algorithms=(Algorithm.digest(digest),),
        content_type=content_type,
        content=content,
        certificates=identity.encodings,
        signers=(info,),
    )


def _sign(key: Key, data: bytes, digest: str, scheme: str) -> tuple[Algorithm, bytes]:
    hash_ = _HASHES[digest]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        oid = {
            "sha1": "1.2.840.10045.4.1",
            "sha256": "1.2.840.10045.4.3.2",
            "sha384": "1.2.840.10045.4.3.3",
            "sha512": "1.2.840.10045.4.3.4",
        }[digest]
        return Algorithm(oid if scheme != "bare" else "1.2.840.10045.2.1"), key.sign(data, ec.ECDSA(hash_))
    if scheme == "pss":
        mask = sequence(object_identifier("1.2.840.113549.1.1.8"), Algorithm.digest(digest).encode())
        parameters = sequence(
            wrapped(explicit(0), Algorithm.digest(digest).encode()),
            wrapped(explicit(1), mask),
            wrapped(explicit(2), integer(hash_.digest_size)),
        )
        signature = key.sign(data, padding.PSS(padding.MGF1(hash_), hash_.digest_size), hash_)
        return Algorithm("1.2.840.113549.1.1.10", parameters), signature
    oid = "1.2.840.113549.1.1.11" if scheme == "rsa-digest" else "1.2.840.113549.1.1.1"
    return Algorithm(oid, b"\x05\x00"), key.sign(data, padding.PKCS1v15(), hash_)


def sign_image(image_hash: bytes, identity: Identity, *, image_digest: str = "sha256", **options: Any) -> SignedData:
    """Make an Authenticode message for an image with this hash; `options` as for `sign_cms`."""
    content = write_indirect_data(IndirectData(Algorithm.digest(image_digest), image_hash))
    return sign_cms(identity, INDIRECT_DATA, content, **options)


def sign_time(
    data: bytes,
    identity: Identity,
    *,
    time: datetime = NOW,
    imprint_digest: str = "sha256",
    names_certificate: x509.Certificate | None = None,
    digest: str = "sha256",
) -> SignedData:
    """Make a timestamp token for `data`; `names_certificate` is the one in its signing-certificate attribute."""
    info = TimestampInfo(
        policy="2.999.1",
        imprint=Imprint(Algorithm.digest(imprint_digest), hashlib.new(imprint_digest, data).digest()),
        serial_number=1,
        time=time,
    )
    fingerprint = (names_certificate or identity.certificate).fingerprint(hashes.SHA256())
    attribute = Attribute(SIGNING_CERTIFICATE_V2, (write_signing_certificate_v2(fingerprint),))
    return sign_cms(identity, TST_INFO, octet_string(write_info(info)), further=(attribute,), digest=digest)


def write_pe(
    target: Path,
    message: Callable[[bytes], SignedData | bytes],
    *,
    source: Path = LAUNCHERS["x64"],
    algorithm: str = "sha256",
) -> Path:
    """Write a copy of a PE file with the message that `message` makes for its hash; return `target`."""

    def sign(digest: bytes) -> bytes:
        made = message(digest)
        return made if isinstance(made, bytes) else made.encode()

    with source.open("rb") as file:
        copy = io.BytesIO()
        write_signed(file, copy, algorithm=algorithm, sign=sign)
    target.write_bytes(copy.getvalue())
    return target


def allowing(*patterns: str) -> Expectations:
    """Return expectations that let files through whose signatures can't be verified."""
    return Expectations(rules=FileRules(allow_unsupported=tuple(FileRule(pattern=pattern) for pattern in patterns)))
