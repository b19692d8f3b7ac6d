"""Authenticode: is this file signed, by whom, when, and is it the file that was submitted?"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from functools import cache

from signpath_ci.errors import VerificationError
from signpath_ci.formats import UnsupportedError
from signpath_ci.formats.authenticode import (
    INDIRECT_DATA,
    NESTED_SIGNATURE,
    Subject,
    SubjectType,
    read_indirect_data,
    without_padding,
)
from signpath_ci.formats.cms import COUNTERSIGNATURE, read_signed_data
from signpath_ci.formats.tsp import TIME_STAMP, TIME_STAMP_MICROSOFT
from signpath_ci.verify.comparison import digest_and_compare
from signpath_ci.verify.identity import check_same_content
from signpath_ci.verify.judge import Judge, Signature
from signpath_ci.verify.signed_data import strong_digest, verify_signer

_WHAT = "the signature"
_MAX_NESTED = 8
_UNSIGNED_ATTRIBUTES = frozenset({NESTED_SIGNATURE, TIME_STAMP, TIME_STAMP_MICROSOFT, COUNTERSIGNATURE})
"""Those that have signatures of their own, which are judged."""


def verify_authenticode(
    subject: Subject, *, unsigned: Subject | None, judge: Judge, format_name: str
) -> tuple[Signature, ...]:
    """Check all Authenticode signatures of a file: the outer one, and those nested in it.

    Args:
        subject: the signed file.
        unsigned: the file that was submitted; `None`: content identity is not checked.
        judge: what is demanded of the signatures.
        format_name: as in `Verdict.format`.

    Raises:
        VerificationError: it is not signed, a check failed, or the content is not that of `unsigned`.
        FormatError: the file is damaged, or signed in a way that can't be judged.
    """
    if subject.signature is None:
        raise VerificationError("the file is not signed.", code="not-signed")
    is_same = False

    # Each pass over a file takes most of a second a GiB: nested signatures, which mostly use the same algorithm, share
    # one, and the submitted file is not hashed where it can be seen to be the same on the way.
    @cache
    def digest(algorithm: str) -> bytes:
        nonlocal is_same
        if unsigned is None or is_same:
            return subject.digest(algorithm)
        hashed, is_same = digest_and_compare(subject, unsigned, algorithm)
        return hashed

    message = without_padding(subject.signature)
    signatures = tuple(_verify(message, subject.type, digest, judge=judge, format_name=format_name, is_nested=False))
    if unsigned is not None and not is_same:
        check_same_content(subject.content, unsigned.content, signatures)
        # It is another file: two of its parts may have the same path, which digests by their paths don't tell.
        raise VerificationError("it is signed, but it is not the file that was submitted.", code="content-changed")
    return signatures


def _verify(
    encoding: bytes,
    kind: SubjectType,
    digest_by: Callable[[str], bytes],
    *,
    judge: Judge,
    format_name: str,
    is_nested: bool,
) -> Iterator[Signature]:
    message = read_signed_data(encoding, _WHAT)
    verified = verify_signer(message, content_type=INDIRECT_DATA, what=_WHAT)
    for attribute in verified.info.unsigned_attributes:
        if attribute.oid not in _UNSIGNED_ATTRIBUTES:
            # Installers have been made to take orders from there.
            raise UnsupportedError(f"{_WHAT} has data that no signature covers (unsigned attribute {attribute.oid})")
    indirect = read_indirect_data(message.content or b"", kind)
    algorithm = strong_digest(indirect.algorithm, _WHAT)
    digest = digest_by(algorithm)
    if not hmac.compare_digest(digest, indirect.digest):
        raise VerificationError(
            "the file was changed after it was signed: its Authenticode hash is not the signed one.",
            code="digest-mismatch",
        )
    yield judge.signature(verified, format_name=format_name, algorithm=algorithm, digest=digest)
    nested = verified.info.unsigned_values(NESTED_SIGNATURE)
    if nested and is_nested:
        raise UnsupportedError("a nested signature has further signatures nested in it")
    if len(nested) > _MAX_NESTED:
        raise UnsupportedError(f"the signature has {len(nested)} signatures nested in it")
    for further in nested:
        yield from _verify(further, kind, digest_by, judge=judge, format_name=format_name, is_nested=True)
