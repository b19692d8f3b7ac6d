"""Catalogs: is this list of digests signed, by whom, when, and is it the list that was submitted?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError
from signpath_ci.formats.catalog import TRUST_LIST, covered, read_catalog
from signpath_ci.formats.cms import SignedData, read_signed_data
from signpath_ci.verify.identity import not_submitted
from signpath_ci.verify.signatures import Found, checked, nested_in
from signpath_ci.verify.signed_data import verify_signer
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements

_WHAT = "the signature"


def verify_catalog(
    file: BinaryIO, unsigned: BinaryIO | None, requirements: SignerRequirements
) -> tuple[Signature, ...]:
    """Check all signatures of a catalog: the outer one, and those nested in it.

    Args:
        file: the signed catalog.
        unsigned: the catalog that was submitted; `None`: its content is not compared.
        requirements: what is required of the signatures.

    Raises:
        VerificationError: it is not signed, a check failed, or the list is not that of `unsigned`.
        FormatError: the catalog is damaged, or contradicts itself, or is signed in a way that is not supported.
    """
    message = read_catalog(file)
    if not message.signers:
        raise VerificationError("the file is not signed.", code="not-signed")
    covered(message.content or b"")
    signatures = checked(tuple(_verify(message, message.content, is_nested=False)), requirements, format_name="catalog")
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


def _verify(message: SignedData, content: bytes | None, *, is_nested: bool) -> Iterator[Found]:
    verified = verify_signer(message, content_type=TRUST_LIST, what=_WHAT, allows_weak=True)
    if message.content != content:
        raise VerificationError("a nested signature is for another catalog.", code="digest-mismatch")
    algorithm = verified.digest_algorithm
    yield Found(verified=verified, algorithm=algorithm, digest=hashlib.new(algorithm, content or b"").digest())
    for encoding in nested_in(verified, is_nested=is_nested):
        yield from _verify(read_signed_data(encoding, _WHAT), content, is_nested=True)
