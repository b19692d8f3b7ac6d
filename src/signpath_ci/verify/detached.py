"""Signatures that lie beside the file that they are for: detached CMS messages, and raw signature values."""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.cms import DATA, read_signed_data
from signpath_ci.verify.certificates import reading_certificates
from signpath_ci.verify.judge import Judge, Signature
from signpath_ci.verify.signed_data import verify_signer

_WHAT = "the signature"
_MAX_SIZE = 1 << 20  # of a detached signature
_CHUNK = 1 << 20
_PEM = re.compile(rb"-----BEGIN (CMS|PKCS7)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*")
_RAW_HASHES = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())


def verify_cms(file: BinaryIO, content: BinaryIO | None, judge: Judge) -> Signature:
    """Check a detached CMS signature, DER or PEM.

    Args:
        file: the signature.
        content: what it is for.
        judge: what is demanded of the signature.

    Raises:
        VerificationError: a check failed.
        FormatError: the signature is damaged, or can't be judged.
    """
    message = read_signed_data(_decoded(_read(file)), _WHAT)
    if content is None:
        raise VerificationError(
            "the signature is detached, and the file that it is for is not given.", code="submitted-file-required"
        )
    if message.content is not None:
        raise UnsupportedError("the signature is not detached: it has its content inside")
    verified = verify_signer(message, content_type=DATA, what=_WHAT, detached=digester(content))
    algorithm = verified.digest_algorithm
    return judge.signature(verified, format_name="cms", algorithm=algorithm, digest=digester(content)(algorithm))


def verify_raw(file: BinaryIO, content: BinaryIO | None, judge: Judge) -> Signature:
    """Check a bare signature value: RSA (PKCS #1 v1.5, or PSS with the digest's length as salt) or ECDSA.

    Args:
        file: the signature.
        content: what it is for.
        judge: what is demanded of the signature; and whose it is, which the value itself does not say.

    Raises:
        VerificationError: a check failed.
        FormatError: the key is of a kind that can't be judged.
    """
    certificate, *embedded = judge.trust.signer_certificates
    value = _read(file)
    if content is None:
        raise VerificationError(
            "a raw signature can't be judged without the file that it is for.", code="submitted-file-required"
        )
    with reading_certificates("the signer's certificate"):
        key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise UnsupportedError("the key in the signer's certificate is of a kind that is not supported")
    digest = digester(content)
    for algorithm in _RAW_HASHES:
        if algorithm.name not in judge.trust.digest_algorithms:
            continue
        hashed = digest(algorithm.name)
        if _fits(key, value, hashed, algorithm):
            return judge.signer(
                certificate,
                tuple(embedded),
                time_stamp=None,
                format_name="raw",
                algorithm=algorithm.name,
                digest=hashed,
            )
    raise VerificationError(
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
    pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
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
        raise FormatError("the signature is damaged: it is no PEM") from error
