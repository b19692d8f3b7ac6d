"""The central directory (APPNOTE.TXT 4.3.12): the list of an archive's entries."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.zip.ending import Ending
from signpath_ci.formats.zip.entry import (
    RECORD,
    RECORD_SIGNATURE,
    check_attributes,
    check_features,
    check_sizes,
)
from signpath_ci.formats.zip.extra import resolve
from signpath_ci.formats.zip.names import Names, decode_name

MAX_ENTRIES = 100_000
"""Of one archive."""
MAX_DIRECTORY_SIZE = 32 << 20
"""Of one archive's list of entries, in bytes, which is read into memory."""


class Listed(NamedTuple):
    """An entry as the directory lists it; the attributes are those of `Entry`."""

    name: str
    raw_name: bytes
    size: int
    packed_size: int
    crc: int
    method: int
    flags: int
    offset: int
    record: bytes


def check_limits(count: int, size: int) -> None:
    """Refuse an archive that is over a limit.

    Args:
        count: of its entries.
        size: of its directory, in bytes.

    Raises:
        FormatError: it is; the message says which limit.
    """
    if count > MAX_ENTRIES:
        raise FormatError(f"the archive has {count} entries; the limit is {MAX_ENTRIES}", code="zip-too-many-entries")
    if size > MAX_DIRECTORY_SIZE:
        raise FormatError(
            f"the archive's directory has {size} bytes; the limit is {MAX_DIRECTORY_SIZE}",
            code="zip-directory-size",
        )


def read_directory(file: BinaryIO, ending: Ending) -> list[Listed]:
    """Read and check the directory; the entries are in its order.

    Raises:
        FormatError: it is over a limit, damaged, or one of its entries is not accepted.
        UnsupportedError: an entry is encrypted, compressed in another way, ...
    """
    check_limits(ending.count, ending.size)
    file.seek(ending.offset)
    data = file.read(ending.size)
    names, entries, position = Names(), [], 0
    for _ in range(ending.count):
        entry = _read_record(data, position, is_large=ending.is_large)
        names.add(entry.name)
        entries.append(entry)
        position += len(entry.record)
    if position != len(data):
        raise FormatError("the archive's directory holds more than its entries", code="zip-directory-damaged")
    return entries


def _read_record(data: bytes, position: int, *, is_large: bool) -> Listed:
    if not data.startswith(RECORD_SIGNATURE, position) or len(data) - position < RECORD.size:
        raise FormatError("the archive's directory is damaged", code="zip-directory-damaged")
    (
        _,
        made_by,
        _,
        flags,
        method,
        _,
        _,
        crc,
        packed,
        size,
        name_size,
        extra_size,
        comment_size,
        disk,
        _,
        attributes,
        offset,
    ) = RECORD.unpack_from(data, position)
    start = position + RECORD.size
    middle = start + name_size
    end = middle + extra_size + comment_size
    if end > len(data):
        raise FormatError("the archive's directory is damaged", code="zip-directory-damaged")
    raw_name = data[start:middle]
    name = decode_name(raw_name, flags=flags, made_by=made_by)
    check_features(name, flags=flags, method=method)
    check_attributes(name, attributes)
    extra = data[middle : middle + extra_size]
    stated = (size, packed, offset, disk)
    size, packed, offset, disk = resolve(extra, raw_name, name, stated)
    if not is_large and (size, packed, offset, disk) != stated:
        raise FormatError(
            f"the archive's entry {name} has ZIP64 sizes, and the archive no ZIP64 record: some readers do not look for"
            " them then",
            code="zip-zip64-entry",
        )
    if disk:
        raise UnsupportedError("the archive is one of several disks", code="zip-disks")
    check_sizes(name, method=method, size=size, packed_size=packed)
    return Listed(name, raw_name, size, packed, crc, method, flags, offset, data[position:end])
