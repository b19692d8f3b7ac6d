"""Catalogs (.cat): a list of digests of files, signed as a whole.

A catalog is a CMS message whose content is a certificate trust list: one subject a file, with the file's digest as its
identifier and, in most, an SpcIndirectDataContent. Sources: [MS-OSHARED] and Wincrypt.h for the list, Microsoft's
"Catalog Files and Digital Signatures", and what makecat and New-FileCatalog write.

A catalog is read whole, up to `MAX_SIZE`; time is linear in its size.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import BinaryIO

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.asn1 import (
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    Fields,
    contents_octets,
    explicit,
    first_value_size,
    members,
    read_object_identifier,
    read_octet_string,
    reading,
)
from signpath_ci.formats.authenticode import INDIRECT_DATA
from signpath_ci.formats.cms import SignedData, read_signed_data

TRUST_LIST = "1.3.6.1.4.1.311.10.1"
"""szOID_CTL: the content type of a catalog."""
MAX_SIZE = 64 << 20
_CATALOG_LIST = "1.3.6.1.4.1.311.12.1.1"
_UTC_TIME, _GENERALIZED_TIME, _INTEGER = 0x17, 0x18, 0x02
_DIGEST_SIZES = (20, 32, 48, 64)
_WHAT = "the catalog's list"


def read_catalog(file: BinaryIO) -> SignedData:
    """Read a catalog; an unsigned one has no signers.

    Raises:
        FormatError: it is not a catalog.
        UnsupportedError: it is too big.
    """
    file.seek(0)
    data = file.read(MAX_SIZE + 1)
    if len(data) > MAX_SIZE:
        raise UnsupportedError("it is too big for a catalog")
    message = read_signed_data(data, "the catalog")
    if message.content_type != TRUST_LIST or message.content is None:
        raise FormatError(f"it is not a catalog (content type {message.content_type})")
    return message


def covered(content: bytes) -> frozenset[bytes]:
    """Return the digests of the files that a catalog covers: Authenticode hashes, or digests of the whole files.

    Args:
        content: of the CMS message, DER.

    Raises:
        FormatError: it is damaged, or an entry's identifier is the digest of another file than the entry is for.
    """
    found = set()
    for entry in _entries(content):
        with reading("an entry of the catalog"):
            fields = Fields(entry)
            identifier = _digest(read_octet_string(fields.take(OCTET_STRING)))
            stated = _stated_digest(fields.take_optional(SET))
            fields.end()
        if identifier is not None and stated is not None and identifier != stated:
            raise FormatError(
                f"an entry of the catalog is listed as {identifier.hex()}, and is for the file with {stated.hex()}",
                code="catalog-entry-mismatch",
            )
        digest = stated or identifier
        if digest is not None:
            found.add(digest)
    return frozenset(found)


def _entries(content: bytes) -> Iterator[bytes]:
    with reading(_WHAT):
        fields = Fields(content)
        fields.take_optional(_INTEGER)  # version
        (usage,) = members(fields.take(SEQUENCE), SEQUENCE)
        if read_object_identifier(usage) != _CATALOG_LIST:
            raise FormatError(f"it is a trust list for something else ({read_object_identifier(usage)}), not a catalog")
        fields.take_optional(OCTET_STRING)  # identifier of the list
        fields.take_optional(_INTEGER)  # sequence number
        fields.take(_UTC_TIME, _GENERALIZED_TIME)
        fields.take_optional(_UTC_TIME, _GENERALIZED_TIME)  # next update
        fields.take(SEQUENCE)  # algorithm of the identifiers
        subjects = fields.take_optional(SEQUENCE)
        fields.take_optional(explicit(0))  # extensions
        fields.end()
        view = memoryview(b"" if subjects is None else contents_octets(subjects))
    while view:
        with reading(_WHAT):
            size = first_value_size(view)
        yield bytes(view[:size])
        view = view[size:]


def _digest(identifier: bytes) -> bytes | None:
    """Return the digest that identifies an entry: as it is, or as hexadecimal digits in UTF-16; a label is neither."""
    if len(identifier) in _DIGEST_SIZES:
        return identifier
    try:
        digest = binascii.unhexlify(identifier.decode("utf-16-le").rstrip("\0"))
    except (UnicodeDecodeError, ValueError):
        return None
    return digest if len(digest) in _DIGEST_SIZES else None


def _stated_digest(attributes: bytes | None) -> bytes | None:
    for attribute in members(attributes, SET) if attributes is not None else ():
        fields = Fields(attribute)
        if read_object_identifier(fields.take(OBJECT_IDENTIFIER)) == INDIRECT_DATA:
            (value,) = members(fields.take(SET), SET)
            indirect = Fields(value)
            indirect.take(SEQUENCE)
            digest = Fields(indirect.take(SEQUENCE))
            digest.take(SEQUENCE)
            return read_octet_string(digest.take(OCTET_STRING))
    return None
