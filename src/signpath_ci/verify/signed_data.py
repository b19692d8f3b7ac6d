"""CMS signatures: is this content what the signer signed?"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.asn1 import contents_octets, read_object_identifier, read_octet_string, reading
from signpath_ci.formats.cms import CONTENT_TYPE, MESSAGE_DIGEST, SignedData, SignerInfo
from signpath_ci.values import dataclass
from signpath_ci.verify.certificates import issuer_and_serial_number, load_certificates, reading_certificates
from signpath_ci.verify.signature_value import check_value, is_strong, known_digest, require_strong, signature_digest


@dataclass(frozen=True, kw_only=True)
class VerifiedSigner:
    """A signature that matches its content and its certificate; whether the certificate is any good is not said.

    Attributes:
        message: that the signature is in.
        info: the signature.
        certificate: the signer's.
        embedded: all other certificates in the message.
        digest_algorithm: of the content.
        signature_digest: of what is signed; signature algorithms may name their own.
    """

    message: SignedData
    info: SignerInfo
    certificate: x509.Certificate
    embedded: tuple[x509.Certificate, ...]
    digest_algorithm: str
    signature_digest: str

    @property
    def is_strong(self) -> bool:
        """Whether its algorithms may be relied on."""
        return is_strong(self.digest_algorithm) and is_strong(self.signature_digest)

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """All certificates in the message."""
        return (self.certificate, *self.embedded)


def verify_signer(
    message: SignedData,
    *,
    content_type: str,
    what: str,
    detached: Callable[[str], bytes] | None = None,
    further: Sequence[x509.Certificate] = (),
    allows_weak: bool = False,
) -> VerifiedSigner:
    """Check the one signature of a CMS message (RFC 5652 sections 5.4 to 5.6).

    Args:
        message: with its content inside, unless it is `detached`.
        content_type: what the content must be.
        what: how messages call it, e.g. "the signature".
        detached: computes the digest of the content outside, by the name of the algorithm.
        further: certificates among which the signer's may be, where the message does not bring it along.
        allows_weak: whether SHA-1 is verified too, for the caller to refuse what only has that.

    Raises:
        VerificationError: content and signature, or signature and certificate, do not belong together.
        FormatError: the message is not as it should be.
    """
    if message.content_type != content_type or (message.content is None) != (detached is not None):
        raise FormatError(f"{what} holds something else than it should (content type {message.content_type})")
    if len(message.signers) != 1:
        raise UnsupportedError(f"{what} has {len(message.signers)} signers instead of one")
    (info,) = message.signers
    digest = known_digest(info.digest_algorithm, what)
    if not allows_weak:
        require_strong(digest, what)
        require_strong(signature_digest(info.signature_algorithm, digest, what), what)
    if digest not in [known_digest(algorithm, what) for algorithm in message.digest_algorithms]:
        raise FormatError(f"{what} uses a digest algorithm that it does not announce (RFC 5652 section 5.1)")
    if detached is not None:
        content_digest = detached(digest)
    else:
        with reading(what):
            content_digest = hashlib.new(digest, contents_octets(message.content or b"")).digest()
    return verify_info(
        info,
        message,
        digest=digest,
        content_digest=content_digest,
        content_type=content_type,
        further=further,
        is_bare_allowed=detached is not None,
        what=what,
    )


def verify_info(
    info: SignerInfo,
    message: SignedData,
    *,
    digest: str,
    content_digest: bytes,
    content_type: str | None,
    what: str,
    further: Sequence[x509.Certificate] = (),
    is_bare_allowed: bool = False,
) -> VerifiedSigner:
    """Check a signature over a digest, whoever computed it.

    Args:
        info: the signature.
        message: with the certificates.
        digest: algorithm of the digest.
        content_digest: of what is signed.
        content_type: that the signed attributes must name; `None`: countersignatures, which may name none.
        what: how messages call it.
        further: certificates among which the signer's may be, where the message does not bring it along.
        is_bare_allowed: whether it may be of the content itself, without signed attributes.

    Raises:
        VerificationError: they do not belong together.
        FormatError: the signature is not as it should be.
    """
    certificate, embedded = _signer_certificate(message, info, further, what)
    algorithm = signature_digest(info.signature_algorithm, digest, what)
    if info.signed_bytes is None and is_bare_allowed:
        # Without signed attributes the signature is of the content itself (RFC 5652 section 5.4).
        if algorithm != digest:
            raise FormatError(f"{what} names two digest algorithms")
        hashed = content_digest
    else:
        _check_attributes(info, content_type, content_digest, what)
        hashed = hashlib.new(algorithm, info.signed_bytes or b"").digest()
    check_value(
        info.signature,
        info.signature_algorithm,
        certificate,
        digest=algorithm,
        hashed=hashed,
        data=info.signed_bytes,
        what=what,
    )
    return VerifiedSigner(
        message=message,
        info=info,
        certificate=certificate,
        embedded=embedded,
        digest_algorithm=digest,
        signature_digest=algorithm,
    )


def _signer_certificate(
    message: SignedData, info: SignerInfo, further: Sequence[x509.Certificate], what: str
) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    certificates = load_certificates(message.certificates, what)
    for certificate in (*certificates, *further):
        if info.key_identifier is None:
            encoding = certificate.public_bytes(Encoding.DER)
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


def _check_attributes(info: SignerInfo, content_type: str | None, content_digest: bytes, what: str) -> None:
    named = info.signed_attribute(CONTENT_TYPE)
    message_digest = info.signed_attribute(MESSAGE_DIGEST)
    if info.signed_bytes is None or message_digest is None or (named is None and content_type is not None):
        raise FormatError(f"{what} lacks the signed attributes that say what it is for (RFC 5652 section 5.3)")
    with reading(f"a signed attribute of {what}"):
        if named is not None and content_type is not None and read_object_identifier(named) != content_type:
            raise VerificationError(f"{what} is for another type of content than it holds.", code="signature-mismatch")
        expected = read_octet_string(message_digest)
    if not hmac.compare_digest(expected, content_digest):
        raise VerificationError(
            f"{what} does not match its content: the message digest differs.", code="digest-mismatch"
        )
