"""Authenticode signatures of PE files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from signpath_ci.formats import FormatError
from signpath_ci.formats.asn1 import object_identifier, sequence
from signpath_ci.formats.authenticode import (
    INDIRECT_DATA,
    INDIVIDUAL_CODE_SIGNING,
    OPUS_INFO,
    STATEMENT_TYPE,
    IndirectData,
    write_indirect_data,
)
from signpath_ci.formats.cms import Algorithm, Attribute
from signpath_ci.formats.pe import read_image, write_signed
from signpath_ci.formats.tsp import TIME_STAMP_MICROSOFT
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import cms
from signpath_ci.sandbox.signers.errors import CannotSignError


def sign(source: BinaryIO, target: BinaryIO, *, signer: Signer, time_stamp: Callable[[bytes], bytes]) -> None:
    """Write a copy of a PE file with one Authenticode signature, whatever signature it had before.

    Args:
        source: the file, seekable.
        target: an empty file, seekable.
        signer: whose signature it gets.
        time_stamp: returns an RFC 3161 token for a signature's value.

    Raises:
        CannotSignError: the file is damaged, or has no room for a signature.
    """

    def message(digest: bytes) -> bytes:
        signed = cms.sign(
            signer,
            content_type=INDIRECT_DATA,
            content=write_indirect_data(IndirectData(Algorithm.digest("sha256"), digest)),
            attributes=(
                Attribute(OPUS_INFO, (sequence(),)),
                Attribute(STATEMENT_TYPE, (sequence(object_identifier(INDIVIDUAL_CODE_SIGNING)),)),
            ),
        )
        (signer_info,) = signed.signers
        token = Attribute(TIME_STAMP_MICROSOFT, (time_stamp(signer_info.signature),))
        return replace(signed, signers=(replace(signer_info, unsigned_attributes=(token,)),)).encode()

    try:
        write_signed(source, read_image(source), target, algorithm="sha256", sign=message)
    except FormatError as error:
        raise CannotSignError(f"The PE file can not be signed: {error}.") from error
