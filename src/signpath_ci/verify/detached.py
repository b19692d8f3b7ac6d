"""Signatures that lie beside the file that they are for: detached CMS messages, and raw signature values."""

from __future__ import annotations

import binascii
import hashlib
import io
import re
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.asn1 import SEQUENCE, SET, members, read_object_identifier, read_octet_string, reading
from signpath_ci.formats.ber import der_from_ber
from signpath_ci.formats.cms import CONTENT_TYPE, DATA, MESSAGE_DIGEST, read_signed_data
from signpath_ci.values import replace
from signpath_ci.verify.certificates import reading_certificates
from signpath_ci.verify.identity import is_same
from signpath_ci.verify.signed_data import verify_signer
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements

_WHAT = "the signature"
_MAX_SIZE = 1 << 20  # of a detached signature
_CHUNK = 1 << 20
_MAX_WHOLE = 64 << 20  # of a file that is read as a whole
_MAX_ATTRIBUTES = 1 << 16  # of an encoding of signed attributes
_PEM = re.compile(rb"-----BEGIN (CMS|PKCS7)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*")
_RAW_HASHES = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())


def verify_cms(file: BinaryIO, content: BinaryIO | None, requirements: SignerRequirements) -> Signature:
    """Check a detached CMS signature, DER, BER or PEM; one with the content inside, where it is the same as the file.

    Args:
        file: the signature.
        content: what it is for.
        requirements: what is required of the signature.

    Raises:
        VerificationError: a check failed.
        FormatError: the signature is damaged, or can't be verified.
    """
    message = read_signed_data(der_from_ber(_decoded(_read(file)), _WHAT), _WHAT)
    if content is None:
        raise VerificationError(
            "the signature is detached, and the file that it is for is not given.", code="submitted-file-required"
        )
    if any(info.signed_bytes is None for info in message.signers):
        check_no_attributes(content)
    if message.content is not None:
        _check_inside(message.content, content)
        message = replace(message, content=None)
    verified = verify_signer(message, content_type=DATA, what=_WHAT, detached=digester(content))
    algorithm = verified.digest_algorithm
    return requirements.signature(
        verified,
        format_name="cms",
        algorithm=algorithm,
        digest=digester(content)(algorithm),
        is_separate=True,
    )


def verify_raw(file: BinaryIO, content: BinaryIO | None, requirements: SignerRequirements) -> Signature:
    """Check a bare signature value: RSA (PKCS #1 v1.5, or PSS with a salt of any length), ECDSA, or Ed25519.

    Args:
        file: the signature.
        content: what it is for.
        requirements: what is required of the signature; and whose it is, which the value itself does not say.

    Raises:
        VerificationError: a check failed.
        FormatError: the key is of a kind that can't be verified.
    """
    certificate, *embedded = requirements.trust.signer_certificates
    value = _read(file)
    if content is None:
        raise VerificationError(
            "a raw signature can't be verified without the file that it is for.", code="submitted-file-required"
        )
    with reading_certificates("the signer's certificate"):
        key = certificate.public_key()
    check_no_attributes(content)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return _verify_ed25519(key, value, content, requirements)
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise UnsupportedError("the key in the signer's certificate is of a kind that is not supported")
    digest = digester(content)
    for algorithm in _RAW_HASHES:
        if algorithm.name not in requirements.trust.digest_algorithms:
            continue
        hashed = digest(algorithm.name)
        if _fits(key, value, hashed, algorithm):
            return requirements.signer(
                certificate,
                tuple(embedded),
                timestamp=None,
                format_name="raw",
                algorithm=algorithm.name,
                digest=hashed,
            )
    raise _mismatch()


def _check_inside(inside: bytes, content: BinaryIO) -> None:
    """Require that the content in a message is the file, byte for byte."""
    with reading(_WHAT):
        octets = read_octet_string(inside)
    content.seek(0)
    if not is_same(io.BytesIO(octets), content):
        raise VerificationError("the content in the signature is not the file that it is for.", code="content-changed")


def _verify_ed25519(
    key: ed25519.Ed25519PublicKey, value: bytes, content: BinaryIO, requirements: SignerRequirements
) -> Signature:
    """Check a signature of the content itself (RFC 8032), which takes it whole."""
    content.seek(0)
    data = content.read(_MAX_WHOLE + 1)
    if len(data) > _MAX_WHOLE:
        raise UnsupportedError("the file is too big for Ed25519, which signs it as a whole")
    if not _passes(partial(key.verify, value, data)):
        raise _mismatch()
    certificate, *embedded = requirements.trust.signer_certificates
    # What it hashes with inside is SHA-512; that is not the file's own digest, which is given for people.
    return requirements.signer(
        certificate,
        tuple(embedded),
        timestamp=None,
        format_name="raw",
        algorithm="sha512",
        digest=hashlib.sha512(data).digest(),
    )


def check_no_attributes(content: BinaryIO) -> None:
    """Require that what a signature without signed attributes is for is no SET OF signed attributes itself.

    A signature with signed attributes is of their encoding: without this it would pass for one of a file that has just
    these bytes (RFC 5652 section 5.4, and its security considerations).

    Raises:
        VerificationError: it is.
    """
    content.seek(0)
    start = content.read(_MAX_ATTRIBUTES + 1)
    if len(start) > _MAX_ATTRIBUTES or not start.startswith(bytes([SET])):
        return
    try:
        with reading(_WHAT):
            found = {read_object_identifier(members(attribute, SEQUENCE)[0]) for attribute in members(start, SET)}
    except FormatError:
        return
    if found & {CONTENT_TYPE, MESSAGE_DIGEST}:
        raise VerificationError(
            "what it is for are the signed attributes of a message, not a file.", code="signature-mismatch"
        )


def _mismatch() -> VerificationError:
    return VerificationError(
        "the signature does not match the file and the signer's certificate.", code="signature-mismatch"
    )


def digester(content: BinaryIO) -> Callable[[str], bytes]:
    """Return what hashes a whole file by the name of an algorithm."""

    def digest(algorithm: str) -> bytes:
        hashed = hashlib.new(algorithm)
        content.seek(0)
        while piece := content.read(_CHUNK):
            hashed.update(piece)
        return hashed.digest()

    return digest


def _fits(
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, value: bytes, hashed: bytes, algorithm: hashes.HashAlgorithm
) -> bool:
    prehashed = Prehashed(algorithm)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _passes(partial(key.verify, value, hashed, ec.ECDSA(prehashed)))
    pss = padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO)
    return any(_passes(partial(key.verify, value, hashed, scheme, prehashed)) for scheme in (padding.PKCS1v15(), pss))


def _passes(verify: Callable[[], None]) -> bool:
    try:
        verify()
    except (InvalidSignature, ValueError):
        return False
    return True


def _read(file: BinaryIO) -> bytes:
    file.seek(0)
    data = file.read(_MAX_SIZE + 1)
    if len(data) > _MAX_SIZE:
        raise UnsupportedError("it is too big for a detached signature")
    return data


def _decoded(data: bytes) -> bytes:
    if not data.startswith(b"-----"):
        return data
    match = _PEM.fullmatch(data)
    try:
        return binascii.a2b_base64(match[2]) if match else b""
    except binascii.Error as error:
        raise FormatError("the signature is damaged: it is not PEM") from error
