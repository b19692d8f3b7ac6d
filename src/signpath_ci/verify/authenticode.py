"""Authenticode: is this PE file signed, by whom, when, and is it the file that was submitted?"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import BinaryIO

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.asn1 import first_value_size, reading
from signpath_ci.formats.authenticode import INDIRECT_DATA, NESTED_SIGNATURE, read_indirect_data
from signpath_ci.formats.cms import read_signed_data
from signpath_ci.formats.pe import content_digest, read_image, read_signature
from signpath_ci.model import SignerCertificate, TimeStamp
from signpath_ci.verify.certificates import CODE_SIGNING, describe, verify_chain
from signpath_ci.verify.identity import check_same_content
from signpath_ci.verify.signed_data import strong_digest, verify_signer
from signpath_ci.verify.timestamp import verify_time_stamp
from signpath_ci.verify.trust import Trust

_WHAT = "the signature"
_MAX_PADDING = 7
_MAX_NESTED = 8


@dataclass(frozen=True, kw_only=True)
class PeSignature:
    """A signature of a PE file that passed every check; the fields are those of `Verdict`."""

    signer: SignerCertificate
    time_stamp: TimeStamp | None
    digest_algorithm: str
    content_digest: str


def verify_pe(file: BinaryIO, *, unsigned: BinaryIO | None, trust: Trust, now: datetime) -> tuple[PeSignature, ...]:
    """Check all signatures of a PE file: the one in its certificate table, and those nested in it.

    Args:
        file: the signed file.
        unsigned: the file that was submitted; `None`: content identity is not checked.
        trust: whom to trust.
        now: when a signature without a time stamp must be valid.

    Raises:
        VerificationError: it is not signed, a check failed, or the content is not that of `unsigned`.
        FormatError: the file is damaged, or signed in a way that can't be judged.
    """
    image = read_image(file)
    message = read_signature(file, image)
    if message is None:
        raise VerificationError("the file is not signed.")
    # Each pass over the file takes a second a GiB, and nested signatures mostly use the same algorithm.
    digest = cache(partial(content_digest, file, image))
    signatures = tuple(_verify(_without_padding(message), digest, trust=trust, now=now, is_nested=False))
    if unsigned is not None:
        for algorithm, expected in {(s.digest_algorithm, s.content_digest) for s in signatures}:
            check_same_content(unsigned, algorithm, expected)
    return signatures


def _verify(
    encoding: bytes, digest_of_file: Callable[[str], bytes], *, trust: Trust, now: datetime, is_nested: bool
) -> Iterator[PeSignature]:
    message = read_signed_data(encoding, _WHAT)
    verified = verify_signer(message, content_type=INDIRECT_DATA, what=_WHAT)
    indirect = read_indirect_data(message.content or b"")
    algorithm = strong_digest(indirect.algorithm, _WHAT)
    digest = digest_of_file(algorithm)
    if not hmac.compare_digest(digest, indirect.digest):
        raise VerificationError(
            "the file was changed after it was signed: its Authenticode hash is not the signed one."
        )
    time_stamp = verify_time_stamp(verified.info, roots=trust.roots)
    verify_chain(
        verified.certificate,
        verified.embedded,
        purpose=CODE_SIGNING,
        at=time_stamp.time if time_stamp else now,
        roots=trust.roots,
        owner="the signer",
    )
    signer = describe(verified.certificate)
    trust.check_identity(signer)
    yield PeSignature(signer=signer, time_stamp=time_stamp, digest_algorithm=algorithm, content_digest=digest.hex())
    nested = verified.info.unsigned_values(NESTED_SIGNATURE)
    if nested and is_nested:
        raise UnsupportedError("a nested signature has further signatures nested in it")
    if len(nested) > _MAX_NESTED:
        raise UnsupportedError(f"the signature has {len(nested)} signatures nested in it")
    for further in nested:
        yield from _verify(further, digest_of_file, trust=trust, now=now, is_nested=True)


def _without_padding(message: bytes) -> bytes:
    """Cut off the padding to 8 bytes; anything else there would be data that no signature covers (CVE-2013-3900)."""
    with reading(_WHAT):
        size = first_value_size(message)
    padding = message[size:]
    if len(padding) > _MAX_PADDING or any(padding):
        raise FormatError("there is data behind the signature in the certificate table, which no signature covers")
    return message[:size]
