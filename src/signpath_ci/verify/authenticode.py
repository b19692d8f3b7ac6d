"""Authenticode: is this file signed, by whom, when, and is it the file that was submitted?

1. There are one or more messages: a file may hold several, and a message others that are nested in it.
2. Each message is a signature of this file's Authenticode hash.
3. Their signers are as required (`signatures`).
4. The file is the one that was submitted.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from functools import cache

from signpath_ci.errors import VerificationError
from signpath_ci.formats.authenticode import (
    INDIRECT_DATA,
    Subject,
    read_indirect_data,
    without_padding,
)
from signpath_ci.formats.cms import read_signed_data
from signpath_ci.verify.comparison import digest_and_compare
from signpath_ci.verify.identity import check_same_content
from signpath_ci.verify.signature_value import known_digest
from signpath_ci.verify.signatures import Found, checked, nested_in
from signpath_ci.verify.signed_data import verify_signer
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements

_WHAT = "the signature"


def verify_authenticode(
    subject: Subject, *, unsigned: Subject | None, requirements: SignerRequirements, format_name: str
) -> tuple[Signature, ...]:
    """Check all Authenticode signatures of a file: those in it, and those nested in them.

    Args:
        subject: the signed file.
        unsigned: the file that was submitted; `None`: content identity is not checked.
        requirements: what is required of the signatures.
        format_name: as in `Verdict.format`.

    Raises:
        VerificationError: it is not signed, a check failed, or the content is not that of `unsigned`.
        FormatError: the file is damaged, or signed in a way that can't be verified.
    """
    if not subject.signatures:
        raise VerificationError("the file is not signed.", code="not-signed")
    _check_leftovers(subject, unsigned)
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

    found = [
        signature
        for message in subject.signatures
        for signature in _signatures(without_padding(message), subject, digest, is_nested=False)
    ]
    signatures = checked(found, requirements, format_name=format_name)
    if unsigned is not None and not is_same:
        check_same_content(subject.content, unsigned.content, signatures)
        # It is another file: two of its parts may have the same path, which digests by their paths don't tell.
        raise VerificationError("it is signed, but it is not the file that was submitted.", code="content-changed")
    return signatures


def _check_leftovers(subject: Subject, unsigned: Subject | None) -> None:
    """Require that data which belongs to nothing in a file was in the submitted file already."""
    left = subject.leftovers()
    if left and unsigned is not None:
        left -= unsigned.known(left)
    if left:
        raise VerificationError(
            "it has data in free sectors, or behind the end of a stream, which no signature covers.",
            hint="" if unsigned else "Old data of the file itself may lie there: compare it with --unsigned.",
            code="uncovered-data",
        )


def _signatures(
    encoding: bytes, subject: Subject, digest_by: Callable[[str], bytes], *, is_nested: bool
) -> Iterator[Found]:
    message = read_signed_data(encoding, _WHAT)
    verified = verify_signer(message, content_type=INDIRECT_DATA, what=_WHAT, allows_weak=True)
    indirect = read_indirect_data(message.content or b"", subject.type)
    algorithm = known_digest(indirect.algorithm, _WHAT)
    notes = _check_digest(subject, algorithm, digest_by(algorithm), indirect.digest)
    yield Found(verified=verified, algorithm=algorithm, digest=indirect.digest, notes=notes)
    for further in nested_in(verified, is_nested=is_nested):
        yield from _signatures(further, subject, digest_by, is_nested=True)


def _check_digest(subject: Subject, algorithm: str, digest: bytes, signed: bytes) -> tuple[str, ...]:
    """Require that a signature is of the file, in one of the ways to read it; return what is unusual."""
    if hmac.compare_digest(digest, signed):
        return ()
    for reading in subject.readings[1:]:
        if hmac.compare_digest(subject.digest(algorithm, reading), signed):
            return (reading.note,) if reading.note else ()
    raise VerificationError(
        "the file was changed after it was signed: its Authenticode hash is not the signed one.",
        code="digest-mismatch",
    )
