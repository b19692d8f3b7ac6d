"""Signatures beside a file: detached CMS messages, and raw signature values."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signpath_ci.formats.cms import DATA
from signpath_ci.formats.jar import digest_of
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import cms

_HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


def sign_cms(source: BinaryIO, *, signer: Signer, timestamp: Callable[[bytes], bytes]) -> bytes:
    """Return a detached CMS signature (DER) of a file.

    Raises:
        OSError: the file can't be read.
    """
    signed = cms.sign(signer, content_type=DATA, content=None, digest=_sha256(source))
    return cms.timestamped(signed, timestamp).encode()


def sign_raw(source: BinaryIO, *, signer: Signer, algorithm: str = "sha256") -> bytes:
    """Return the value of an ECDSA signature of a file's hash (DER, RFC 3279 section 2.2.3).

    Raises:
        OSError: the file can't be read.
    """
    source.seek(0)
    digest = digest_of(source, algorithm)
    return signer.key.sign(digest, ec.ECDSA(Prehashed(_HASHES[algorithm])))


def _sha256(source: BinaryIO) -> bytes:
    source.seek(0)
    return digest_of(source, "sha256")
