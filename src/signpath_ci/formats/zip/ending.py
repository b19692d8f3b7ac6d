"""The end of an archive: where its directory lies (APPNOTE.TXT 4.3.14 to 4.3.16), said in one way only."""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.values import dataclass

END = struct.Struct("<4s4H2LH")
END_SIGNATURE = b"PK\x05\x06"
LOCATOR = struct.Struct("<4sLQL")
LOCATOR_SIGNATURE = b"PK\x06\x07"
END_64 = struct.Struct("<4sQ2H2L4Q")
END_64_SIGNATURE = b"PK\x06\x06"
END_64_REST = END_64.size - 12
"""Of the ZIP64 end record what its own size counts, without further data."""
MAX_COMMENT_SIZE = 0xFFFF
# Whatever a reader may look for from the end, or when it goes from record to record.
_SIGNATURE = re.compile(rb"PK(?:\x01\x02|\x03\x04|\x05\x05|\x05\x06|\x06\x06|\x06\x07|\x06\x08|\x07\x08)")
_LIMITS = (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)


@dataclass(frozen=True)
class Ending:
    """Where the directory lies.

    Attributes:
        count: of entries.
        offset: of the directory.
        size: of the directory, which ends where the first of the end records begins.
        comment: of the archive.
        is_large: whether there are ZIP64 records.
    """

    count: int
    offset: int
    size: int
    comment: bytes
    is_large: bool


def read_ending(file: BinaryIO) -> Ending:
    """Read the records at the end of an archive.

    Raises:
        FormatError: there are none, they differ, or something stands behind or between them.
        UnsupportedError: the archive is one of several disks.
    """
    file_size = file.seek(0, 2)
    start = max(0, file_size - END.size - MAX_COMMENT_SIZE - LOCATOR.size - END_64.size)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(END_SIGNATURE)
    if at < 0 or len(tail) - at < END.size:
        raise FormatError("the archive is cut off: it has no end record", code="zip-end-missing")
    *values, comment_size = END.unpack_from(tail, at)[1:]
    comment = tail[at + END.size :]
    if comment_size != len(comment):
        raise FormatError("the archive is cut off, or there is data behind it", code="zip-data-behind")
    if _SIGNATURE.search(comment):
        raise FormatError("the archive's comment holds what readers may take for a record", code="zip-comment")
    end = start + at
    is_large = tail[max(0, at - LOCATOR.size) : at].startswith(LOCATOR_SIGNATURE)
    if is_large:
        large, end = _read_ending_64(file, end - LOCATOR.size)
        for value, true, limit in zip(values, large, _LIMITS, strict=True):
            if value not in {true, limit}:
                raise FormatError("the archive's end record and its ZIP64 record differ", code="zip-zip64-end")
        values = large
    disk, directory_disk, count_here, count, size, offset = values
    if disk or directory_disk or count_here != count:
        raise UnsupportedError("the archive is one of several disks", code="zip-disks")
    if offset + size != end:
        raise FormatError(
            "the archive's directory does not end where its end record begins", code="zip-directory-place"
        )
    return Ending(count=count, offset=offset, size=size, comment=comment, is_large=is_large)


def _read_ending_64(file: BinaryIO, locator: int) -> tuple[list[int], int]:
    """Return the values of the ZIP64 end record in front of a locator, and the record's offset."""
    place = locator - END_64.size
    file.seek(max(0, place))
    data = file.read(END_64.size + LOCATOR.size)
    if place < 0 or not data.startswith(END_64_SIGNATURE):
        raise FormatError("the archive's ZIP64 record is not in front of its locator", code="zip-zip64-locator")
    _, disk, offset, disks = LOCATOR.unpack_from(data, END_64.size)
    _, record_size, _, _, *values = END_64.unpack_from(data)
    if offset != place or record_size != END_64_REST:
        raise FormatError("the archive's ZIP64 locator does not lead to its record", code="zip-zip64-locator")
    if disk or disks != 1:
        raise UnsupportedError("the archive is one of several disks", code="zip-disks")
    return values, place
