"""Signatures of catalogs: the same list in a new CMS message."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from signpath_ci.formats import FormatError
from signpath_ci.formats.catalog import TRUST_LIST, covered, read_catalog
from signpath_ci.formats.tsp import TIMESTAMP_MICROSOFT
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import cms
from signpath_ci.sandbox.signers.authenticode import ATTRIBUTES
from signpath_ci.sandbox.signers.errors import CannotSignError


def sign(source: BinaryIO, target: BinaryIO, *, signer: Signer, timestamp: Callable[[bytes], bytes]) -> None:
    """Write a copy of a catalog with one signature, whatever signature it had before.

    Args:
        source: the catalog, seekable.
        target: an empty file.
        signer: whose signature it gets.
        timestamp: returns an RFC 3161 token for a signature's value.

    Raises:
        CannotSignError: it is not a catalog, or is damaged.
    """
    try:
        message = read_catalog(source)
        covered(message.content or b"")
    except FormatError as error:
        raise CannotSignError(f"The catalog can not be signed: {error}.") from error
    signed = cms.sign(signer, content_type=TRUST_LIST, content=message.content, attributes=ATTRIBUTES)
    target.write(cms.timestamped(signed, timestamp, TIMESTAMP_MICROSOFT).encode())
