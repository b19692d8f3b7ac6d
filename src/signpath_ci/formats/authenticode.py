"""What an Authenticode signature says about a PE file: SpcIndirectDataContent.

Source: Microsoft, "Windows Authenticode Portable Executable Signature Format", 2008.
"""

from __future__ import annotations

from dataclasses import dataclass

from signpath_ci.formats import UnsupportedError
from signpath_ci.formats.asn1 import (
    Fields,
    object_identifier,
    octet_string,
    read_object_identifier,
    read_octet_string,
    reading,
    sequence,
)
from signpath_ci.formats.cms import Algorithm

INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
"""SPC_INDIRECT_DATA_OBJID: the content type of every Authenticode signature."""
OPUS_INFO = "1.3.6.1.4.1.311.2.1.12"
"""SPC_SP_OPUS_INFO_OBJID: a mandatory signed attribute; may be empty."""
STATEMENT_TYPE = "1.3.6.1.4.1.311.2.1.11"
"""SPC_STATEMENT_TYPE_OBJID: an optional signed attribute."""
INDIVIDUAL_CODE_SIGNING = "1.3.6.1.4.1.311.2.1.21"
NESTED_SIGNATURE = "1.3.6.1.4.1.311.2.4.1"
"""SPC_NESTED_SIGNATURE: unsigned attribute with further signatures of the same file ("dual signing")."""

_PE_IMAGE_DATA = "1.3.6.1.4.1.311.2.1.15"
# SpcPeImageData: no flags; file: SpcLink [2] with SpcString [0] "<<<Obsolete>>>", as the document demands it.
_PE_IMAGE_DATA_VALUE = bytes.fromhex("3025 030100 a020 a21e 801c") + "<<<Obsolete>>>".encode("utf-16-be")


@dataclass(frozen=True)
class IndirectData:
    """The Authenticode hash of a PE file, and how it was made."""

    algorithm: Algorithm
    digest: bytes


def read_indirect_data(data: bytes) -> IndirectData:
    """Read a DER-encoded SpcIndirectDataContent.

    Raises:
        FormatError: it is none.
        UnsupportedError: it speaks of another kind of file than PE.
    """
    with reading("the signed SpcIndirectDataContent"):
        fields = Fields(data)
        kind = read_object_identifier(Fields(fields.take()).take())
        if kind != _PE_IMAGE_DATA:
            raise UnsupportedError(f"its signature is for another kind of file (SPC type {kind})")
        message_digest = Fields(fields.take())
        fields.end()
        indirect = IndirectData(Algorithm.read(message_digest.take()), read_octet_string(message_digest.take()))
        message_digest.end()
        return indirect


def write_indirect_data(indirect: IndirectData) -> bytes:
    """Encode as DER."""
    return sequence(
        sequence(object_identifier(_PE_IMAGE_DATA), _PE_IMAGE_DATA_VALUE),
        sequence(indirect.algorithm.encode(), octet_string(indirect.digest)),
    )
