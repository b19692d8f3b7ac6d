"""CMS signatures: is this content what the signer signed?"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.asn1 import (
    Fields,
    contents_octets,
    explicit,
    read_integer,
    read_object_identifier,
    read_octet_string,
    reading,
)
from signpath_ci.formats.cms import (
    CONTENT_TYPE,
    DIGEST_NAMES,
    MESSAGE_DIGEST,
    Algorithm,
    SignedData,
    SignerInfo,
)
from signpath_ci.verify.certificates import issuer_and_serial_number, load_certificates, reading_certificates

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""The digest algorithms that may be relied on, by the names that `hashlib.new` knows."""
_RSA, _RSA_PSS, _EC = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.10045.2.1"
# Signature algorithms that name their digest (RFC 3279, 4055, 5754, 5758); those above leave it to the message.
_DIGEST_OF_SIGNATURE = {
    "1.2.840.113549.1.1.4": (_RSA, "md5"),
    "1.2.840.113549.1.1.5": (_RSA, "sha1"),
    "1.2.840.113549.1.1.11": (_RSA, "sha256"),
    "1.2.840.113549.1.1.12": (_RSA, "sha384"),
    "1.2.840.113549.1.1.13": (_RSA, "sha512"),
    "1.2.840.10045.4.1": (_EC, "sha1"),
    "1.2.840.10045.4.3.2": (_EC, "sha256"),
    "1.2.840.10045.4.3.3": (_EC, "sha384"),
    "1.2.840.10045.4.3.4": (_EC, "sha512"),
}
_MGF1 = "1.2.840.113549.1.1.8"
_MAX_SALT = 1024  # bytes; longer than any key that is in use can hold


@dataclass(frozen=True, kw_only=True)
class VerifiedSigner:
    """A signature that matches its content and its certificate; whether the certificate is any good is not said.

    Attributes:
        info: the signature.
        certificate: the signer's.
        embedded: all other certificates in the message.
        digest_algorithm: of the content.
        signature_digest: of what is signed; signature algorithms may name their own.
        revocation_lists: that came with it, DER.
    """

    info: SignerInfo
    certificate: x509.Certificate
    embedded: tuple[x509.Certificate, ...]
    digest_algorithm: str
    signature_digest: str
    revocation_lists: tuple[bytes, ...] = ()


def strong_digest(algorithm: Algorithm, what: str) -> str:
    """Return the name of a digest algorithm that may be relied on.

    Raises:
        VerificationError: it is MD5 or SHA-1, for which collisions can be made.
        UnsupportedError: it is unknown.
    """
    name = DIGEST_NAMES.get(algorithm.oid)
    if name is None or algorithm.has_parameters:
        raise UnsupportedError(f"{what} uses a digest algorithm that is not supported ({algorithm.oid})")
    return _strong(name, what)


def _strong(name: str, what: str) -> str:
    if name not in HASHES:
        raise VerificationError(f"{what} uses {name.upper()}, which is broken: it proves nothing.", code="weak-digest")
    return name


def verify_signer(
    message: SignedData, *, content_type: str, what: str, detached: Callable[[str], bytes] | None = None
) -> VerifiedSigner:
    """Check the one signature of a CMS message (RFC 5652 sections 5.4 to 5.6).

    Args:
        message: with its content inside, unless it is `detached`.
        content_type: what the content must be.
        what: how messages call it, e.g. "the signature".
        detached: computes the digest of the content outside, by the name of the algorithm.

    Raises:
        VerificationError: content and signature, or signature and certificate, do not belong together.
        FormatError: the message is not as it should be.
    """
    if message.content_type != content_type or (message.content is None) != (detached is not None):
        raise FormatError(f"{what} holds something else than it should (content type {message.content_type})")
    if len(message.signers) != 1:
        raise UnsupportedError(f"{what} has {len(message.signers)} signers instead of one")
    (info,) = message.signers
    certificate, embedded = _signer_certificate(message, info, what)
    digest = strong_digest(info.digest_algorithm, what)
    if digest not in [strong_digest(algorithm, what) for algorithm in message.digest_algorithms]:
        raise FormatError(f"{what} uses a digest algorithm that it does not announce (RFC 5652 section 5.1)")
    if detached is not None:
        content_digest = detached(digest)
    else:
        with reading(what):
            content_digest = hashlib.new(digest, contents_octets(message.content or b"")).digest()
    algorithm = digest
    if info.signed_bytes is None and detached is not None:
        # Without signed attributes the signature is of the content itself (RFC 5652 section 5.4).
        _check_signature(info, certificate, digest, content_digest, what)
    else:
        _check_attributes(message, info, content_digest, what)
        signed = info.signed_bytes or b""
        algorithm = _signature_digest(info, digest, what)
        _check_signature(info, certificate, algorithm, hashlib.new(algorithm, signed).digest(), what)
    return VerifiedSigner(
        info=info,
        certificate=certificate,
        embedded=embedded,
        digest_algorithm=digest,
        signature_digest=algorithm,
        revocation_lists=message.revocation_lists,
    )


def _signer_certificate(
    message: SignedData, info: SignerInfo, what: str
) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    certificates = load_certificates(message.certificates, what)
    for encoding, certificate in zip(message.certificates, certificates, strict=True):
        if info.key_identifier is None:
            is_signer = issuer_and_serial_number(encoding) == (info.issuer, info.serial_number)
        else:
            is_signer = _key_identifier(certificate) == info.key_identifier
        if is_signer:
            return certificate, tuple(c for c in certificates if c != certificate)
    raise VerificationError(f"{what} does not bring its signer's certificate along.", code="certificate-missing")


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    with reading_certificates("a certificate"):
        try:
            return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        except x509.ExtensionNotFound:
            return None


def _check_attributes(message: SignedData, info: SignerInfo, content_digest: bytes, what: str) -> None:
    content_type = info.signed_attribute(CONTENT_TYPE)
    message_digest = info.signed_attribute(MESSAGE_DIGEST)
    if info.signed_bytes is None or content_type is None or message_digest is None:
        raise FormatError(f"{what} lacks the signed attributes that say what it is for (RFC 5652 section 5.3)")
    with reading(f"a signed attribute of {what}"):
        if read_object_identifier(content_type) != message.content_type:
            raise VerificationError(f"{what} is for another type of content than it holds.", code="signature-mismatch")
        expected = read_octet_string(message_digest)
    if not hmac.compare_digest(expected, content_digest):
        raise VerificationError(
            f"{what} does not match its content: the message digest differs.", code="digest-mismatch"
        )


def _signature_digest(info: SignerInfo, digest: str, what: str) -> str:
    """Return the digest that the signature is of: some signature algorithms name their own."""
    if info.signature_algorithm.oid == _RSA_PSS:
        return _pss(info.signature_algorithm, what)[1].name
    return _strong(_DIGEST_OF_SIGNATURE.get(info.signature_algorithm.oid, ("", digest))[1], what)


def _check_signature(info: SignerInfo, certificate: x509.Certificate, digest: str, hashed: bytes, what: str) -> None:
    """Check the signature value; `hashed` is what it signs, hashed by `digest`."""
    if _signature_digest(info, digest, what) != digest:
        raise FormatError(f"{what} names two digest algorithms")
    algorithm, _ = _DIGEST_OF_SIGNATURE.get(info.signature_algorithm.oid, (info.signature_algorithm.oid, digest))
    with reading_certificates(f"the certificate of {what}"):
        key = certificate.public_key()
    prehashed = Prehashed(HASHES[digest])
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm == _RSA:
            key.verify(info.signature, hashed, padding.PKCS1v15(), prehashed)
        elif isinstance(key, rsa.RSAPublicKey) and algorithm == _RSA_PSS:
            key.verify(info.signature, hashed, _pss(info.signature_algorithm, what)[0], prehashed)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm == _EC:
            key.verify(info.signature, hashed, ec.ECDSA(prehashed))
        else:
            raise UnsupportedError(
                f"{what} uses an algorithm that is not supported, or not with its key ({info.signature_algorithm.oid})"
            )
    except (InvalidSignature, ValueError) as error:
        raise VerificationError(
            f"{what} is not its signer's: it does not match the certificate's key.", code="signature-mismatch"
        ) from error


def _pss(algorithm: Algorithm, what: str) -> tuple[padding.PSS, hashes.HashAlgorithm]:
    """Read RSASSA-PSS-params (RFC 4055 section 3.1), where every default is SHA-1's."""
    with reading(f"the PSS parameters of {what}"):
        fields = Fields(algorithm.parameters or b"")
        digest_field = fields.take_optional(explicit(0))
        mask_field = fields.take_optional(explicit(1))
        salt_field = fields.take_optional(explicit(2))
        if digest_field is None or mask_field is None:
            raise VerificationError(f"{what} uses SHA1, which is broken: it proves nothing.", code="weak-digest")
        digest = strong_digest(Algorithm.read(contents_octets(digest_field)), what)
        mask = Algorithm.read(contents_octets(mask_field))
        mask_digest = strong_digest(Algorithm.read(mask.parameters or b""), what)
        salt = 20 if salt_field is None else read_integer(contents_octets(salt_field))
    if mask.oid != _MGF1 or not 0 <= salt <= _MAX_SALT:
        raise UnsupportedError(f"{what} uses PSS parameters that are not supported")
    return padding.PSS(padding.MGF1(HASHES[mask_digest]), salt), HASHES[digest]
