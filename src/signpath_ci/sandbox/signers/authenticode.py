"""Authenticode signatures, whatever the format of the file."""

from __future__ import annotations

from collections.abc import Callable

from signpath_ci.formats.asn1 import object_identifier, sequence
from signpath_ci.formats.authenticode import (
    INDIRECT_DATA,
    INDIVIDUAL_CODE_SIGNING,
    OPUS_INFO,
    STATEMENT_TYPE,
    IndirectData,
    SubjectType,
    write_indirect_data,
)
from signpath_ci.formats.cms import Algorithm, Attribute
from signpath_ci.formats.tsp import TIMESTAMP_MICROSOFT
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import cms

ALGORITHM = "sha256"
"""What the sandbox hashes files with."""
ATTRIBUTES = (
    Attribute(OPUS_INFO, (sequence(),)),
    Attribute(STATEMENT_TYPE, (sequence(object_identifier(INDIVIDUAL_CODE_SIGNING)),)),
)
"""Signed attributes of an Authenticode signature."""


def message_maker(
    subject: SubjectType, *, signer: Signer, timestamp: Callable[[bytes], bytes], algorithm: str = ALGORITHM
) -> Callable[[bytes], bytes]:
    """Return what makes the CMS message (DER) for the hash of a file.

    Args:
        subject: what kind of file it is.
        signer: whose signature it gets.
        timestamp: returns an RFC 3161 token for a signature's value.
        algorithm: with which the file is hashed.
    """

    def message(digest: bytes) -> bytes:
        signed = cms.sign(
            signer,
            content_type=INDIRECT_DATA,
            content=write_indirect_data(IndirectData(Algorithm.digest(algorithm), digest, subject)),
            attributes=ATTRIBUTES,
        )
        return cms.timestamped(signed, timestamp, TIMESTAMP_MICROSOFT).encode()

    return message
