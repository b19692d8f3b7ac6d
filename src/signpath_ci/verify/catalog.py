"""Catalogs: is this list of digests signed, by whom, when, and is it the list that was submitted?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.authenticode import NESTED_SIGNATURE
from signpath_ci.formats.catalog import TRUST_LIST, covered, read_catalog
from signpath_ci.formats.cms import COUNTERSIGNATURE, SignedData, read_signed_data
from signpath_ci.formats.tsp import TIME_STAMP, TIME_STAMP_MICROSOFT
from signpath_ci.verify.identity import not_submitted
from signpath_ci.verify.judge import Judge, Signature
from signpath_ci.verify.signed_data import verify_signer

_WHAT = "the signature"
_MAX_NESTED = 8
_UNSIGNED_ATTRIBUTES = frozenset({NESTED_SIGNATURE, TIME_STAMP, TIME_STAMP_MICROSOFT, COUNTERSIGNATURE})
"""Those that have signatures of their own, which are verified."""


def verify_catalog(file: BinaryIO, unsigned: BinaryIO | None, judge: Judge) -> tuple[Signature, ...]:
    """Check all signatures of a catalog: the outer one, and those nested in it.

    Args:
        file: the signed catalog.
        unsigned: the catalog that was submitted; `None`: its content is not compared.
        judge: what is required of the signatures.

    Raises:
        VerificationError: it is not signed, a check failed, or the list is not that of `unsigned`.
        FormatError: the catalog is damaged, or contradicts itself, or is signed in a way that is not supported.
    """
    message = read_catalog(file)
    if not message.signers:
        raise VerificationError("the file is not signed.", code="not-signed")
    covered(message.content or b"")
    signatures = tuple(_verify(message, message.content, judge, is_nested=False))
    if unsigned is not None:
        try:
            submitted = read_catalog(unsigned)
        except FormatError as error:
            raise not_submitted(error) from error
        if submitted.content != message.content:
            raise VerificationError(
                "it is signed, but it is not the file that was submitted: the list of files differs.",
                code="content-changed",
            )
    return signatures


def _verify(message: SignedData, content: bytes | None, judge: Judge, *, is_nested: bool) -> Iterator[Signature]:
    verified = verify_signer(message, content_type=TRUST_LIST, what=_WHAT)
    for attribute in verified.info.unsigned_attributes:
        if attribute.oid not in _UNSIGNED_ATTRIBUTES:
            raise UnsupportedError(f"{_WHAT} has data that no signature covers (unsigned attribute {attribute.oid})")
    if message.content != content:
        raise VerificationError("a nested signature is for another catalog.", code="digest-mismatch")
    algorithm = verified.digest_algorithm
    digest = hashlib.new(algorithm, content or b"").digest()
    yield judge.signature(verified, format_name="catalog", algorithm=algorithm, digest=digest)
    nested = verified.info.unsigned_values(NESTED_SIGNATURE)
    if nested and is_nested:
        raise UnsupportedError("a nested signature has further signatures nested in it")
    if len(nested) > _MAX_NESTED:
        raise UnsupportedError(f"the signature has {len(nested)} signatures nested in it")
    for encoding in nested:
        yield from _verify(read_signed_data(encoding, _WHAT), content, judge, is_nested=True)
