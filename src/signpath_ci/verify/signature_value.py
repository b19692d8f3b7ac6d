"""Signature values: is this one made with the certificate's key, of these bytes?

RSA (PKCS #1 v1.5, PSS with any salt), ECDSA, and Ed25519, as CMS names them (RFC 3279, 4055, 5754, 5758, 8419).
"""

from __future__ import annotations

from functools import partial

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signpath_ci.errors import VerificationError
from signpath_ci.formats import UncoveredError, UnsupportedError
from signpath_ci.formats.asn1 import Fields, contents_octets, explicit, object_identifier, read_integer, reading
from signpath_ci.formats.cms import DIGEST_NAMES, Algorithm
from signpath_ci.verify.certificates import reading_certificates

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""The digest algorithms that may be relied on, by the names that `hashlib.new` knows."""
_WEAK: dict[str, hashes.HashAlgorithm] = {"sha1": hashes.SHA1()}  # noqa: S303 - known, so that it can be refused
_RSA, _RSA_PSS, _EC = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.10045.2.1"
_ED25519 = "1.3.101.112"
# Signature algorithms that name their digest; those above leave it to the message.
_DIGEST_OF_SIGNATURE = {
    "1.2.840.113549.1.1.4": (_RSA, "md5"),
    "1.2.840.113549.1.1.5": (_RSA, "sha1"),
    "1.2.840.113549.1.1.11": (_RSA, "sha256"),
    "1.2.840.113549.1.1.12": (_RSA, "sha384"),
    "1.2.840.113549.1.1.13": (_RSA, "sha512"),
    "1.3.14.3.2.29": (_RSA, "sha1"),
    "1.2.840.10045.4.1": (_EC, "sha1"),
    "1.2.840.10045.4.3.2": (_EC, "sha256"),
    "1.2.840.10045.4.3.3": (_EC, "sha384"),
    "1.2.840.10045.4.3.4": (_EC, "sha512"),
}
_MGF1 = "1.2.840.113549.1.1.8"
_MAX_SALT = 1024  # bytes; longer than any key that is in use can hold
_CURVES = frozenset(map(object_identifier, ("1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35")))  # P-256, ...
_TRAILER = 1  # RFC 4055 section 3.1: the only one


def is_strong(digest: str) -> bool:
    """Tell whether a digest algorithm may be relied on."""
    return digest in HASHES


def known_digest(algorithm: Algorithm, what: str) -> str:
    """Return the name of a digest algorithm, which may be SHA-1: what uses it proves nothing.

    Raises:
        VerificationError: it is MD5.
        UnsupportedError: it is unknown.
    """
    name = DIGEST_NAMES.get(algorithm.oid)
    if name is None or algorithm.has_parameters:
        raise UnsupportedError(f"{what} uses a digest algorithm that is not supported ({algorithm.oid})")
    return name if name in _WEAK else require_strong(name, what)


def strong_digest(algorithm: Algorithm, what: str) -> str:
    """Return the name of a digest algorithm that may be relied on.

    Raises:
        VerificationError: it is MD5 or SHA-1, for which collisions can be made.
        UnsupportedError: it is unknown.
    """
    return require_strong(known_digest(algorithm, what), what)


def require_strong(name: str, what: str) -> str:
    """Return the name of a digest algorithm.

    Raises:
        VerificationError: it may not be relied on.
    """
    if not is_strong(name):
        raise VerificationError(f"{what} uses {name.upper()}, which is broken: it proves nothing.", code="weak-digest")
    return name


def signature_digest(algorithm: Algorithm, digest: str, what: str) -> str:
    """Return the digest that a signature is of: some signature algorithms name their own.

    Args:
        algorithm: of the signature.
        digest: of the message, where the algorithm names none.
        what: how messages call it.
    """
    if algorithm.oid == _RSA_PSS:
        return _pss(algorithm, what)[1]
    _, name = _DIGEST_OF_SIGNATURE.get(algorithm.oid, ("", digest))
    return name if name in _WEAK else require_strong(name, what)


def check_value(
    value: bytes,
    algorithm: Algorithm,
    certificate: x509.Certificate,
    *,
    digest: str,
    hashed: bytes,
    data: bytes | None,
    what: str,
) -> None:
    """Require that a signature value is of these bytes, and by the key of a certificate.

    Args:
        value: of the signature.
        algorithm: of the signature, with nothing in its parameters that no signature covers.
        certificate: whose key it is.
        digest: that the signature is of, as `signature_digest` returned it.
        hashed: what it signs, hashed by `digest`.
        data: what it signs, where that is at hand: Ed25519 takes no digest.
        what: how messages call the signature.

    Raises:
        VerificationError: it is not.
        FormatError: it can't be verified.
    """
    with reading_certificates(f"the certificate of {what}"):
        key = certificate.public_key()
    kind, _ = _DIGEST_OF_SIGNATURE.get(algorithm.oid, (algorithm.oid, digest))
    if kind != _RSA_PSS:
        _check_parameters(algorithm, kind, what)
    prehashed = Prehashed({**HASHES, **_WEAK}[digest])
    if isinstance(key, rsa.RSAPublicKey) and kind == _RSA:
        verify = partial(key.verify, value, hashed, padding.PKCS1v15(), prehashed)
    elif isinstance(key, rsa.RSAPublicKey) and kind == _RSA_PSS:
        verify = partial(key.verify, value, hashed, _pss(algorithm, what)[0], prehashed)
    elif isinstance(key, ec.EllipticCurvePublicKey) and kind == _EC:
        verify = partial(key.verify, value, hashed, ec.ECDSA(prehashed))
    elif isinstance(key, ed25519.Ed25519PublicKey) and kind == _ED25519 and data is not None:
        verify = partial(key.verify, value, data)
    else:
        raise UnsupportedError(f"{what} uses an algorithm that is not supported, or not with its key ({algorithm.oid})")
    try:
        verify()
    except (InvalidSignature, ValueError) as error:
        raise VerificationError(
            f"{what} is not its signer's: it does not match the certificate's key.", code="signature-mismatch"
        ) from error


def _check_parameters(algorithm: Algorithm, kind: str, what: str) -> None:
    """Require that the parameters of an algorithm, which no signature covers, say nothing, or name a curve."""
    if algorithm.has_parameters and not (kind == _EC and algorithm.parameters in _CURVES):
        raise UncoveredError(f"{what} has data that no signature covers (parameters of its algorithm {algorithm.oid})")


def _pss(algorithm: Algorithm, what: str) -> tuple[padding.PSS, str]:
    """Read RSASSA-PSS-params (RFC 4055 section 3.1), where every default is SHA-1's."""
    with reading(f"the PSS parameters of {what}"):
        fields = Fields(algorithm.parameters or b"")
        digest_field, mask_field, salt_field, trailer_field = (fields.take_optional(explicit(n)) for n in range(4))
        fields.end()
        if digest_field is None or mask_field is None:
            raise VerificationError(f"{what} uses SHA1, which is broken: it proves nothing.", code="weak-digest")
        digest = strong_digest(Algorithm.read(contents_octets(digest_field)), what)
        mask = Algorithm.read(contents_octets(mask_field))
        mask_digest = strong_digest(Algorithm.read(mask.parameters or b""), what)
        salt = 20 if salt_field is None else read_integer(contents_octets(salt_field))
        trailer = _TRAILER if trailer_field is None else read_integer(contents_octets(trailer_field))
    if mask.oid != _MGF1 or not 0 <= salt <= _MAX_SALT or trailer != _TRAILER:
        raise UnsupportedError(f"{what} uses PSS parameters that are not supported")
    return padding.PSS(padding.MGF1(HASHES[mask_digest]), salt), digest
