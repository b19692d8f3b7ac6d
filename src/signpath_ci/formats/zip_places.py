"""ZIP archives that all readers read alike: whether they follow the central directory or go from entry to entry.

The first kind, as this program, never looks at what the directory does not list; the second kind, as those of Java and
of tar that stream, never looks at the directory. Source: PKWARE, APPNOTE.TXT 6.3, sections 4.3.7 and 4.5.3.
"""

from __future__ import annotations

import struct
from typing import BinaryIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from signpath_ci.formats import FormatError

_LOCAL = struct.Struct("<4s2xHH4xIIIHH")  # signature, flags, method, CRC, sizes, lengths of name and extra field
_SIGNATURE = b"PK\x03\x04"
_DESCRIPTOR = b"PK\x07\x08"  # of sizes behind an entry
_ENCRYPTED, _SIZES_BEHIND, _UTF_8 = 0x1, 0x8, 0x800  # general purpose flags
_IN_EXTRA_FIELD = 0xFFFFFFFF  # instead of a size
_ZIP64 = 1
_SIZES_64 = struct.Struct("<QQ")
_CHUNK = 1 << 18


def check_places(file: BinaryIO, archive: ZipFile, infos: list[ZipInfo]) -> None:
    """Demand that the entries are described in one way, and that there are no others between them.

    To be used within `zip.reading`.

    Raises:
        FormatError: it is not so.
    """
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise FormatError(f"the archive's entry {info.filename} lies in another one")
        _check_between(file, end, info.header_offset)  # what aligns entries, or sizes that stand behind one
        end = _check_entry(file, info)
    if end > archive.start_dir:
        raise FormatError("the archive's entries reach into its directory")
    _check_between(file, end, archive.start_dir)


def _check_entry(file: BinaryIO, info: ZipInfo) -> int:
    """Check what stands in front of an entry; return where the entry ends."""
    file.seek(info.header_offset)
    header = file.read(_LOCAL.size)
    signature, flags, method, crc, packed, size, name_length, extra_length = _LOCAL.unpack(header)
    name = file.read(name_length).decode("utf-8" if info.flag_bits & _UTF_8 else "cp437")
    if _IN_EXTRA_FIELD in (packed, size):
        size, packed = _sizes_64(file.read(extra_length), size, packed)
    expected = (info.CRC, info.compress_size, info.file_size)
    found: tuple[int, ...] = (crc, packed, size)
    if flags & _SIZES_BEHIND:  # what is not known yet is 0 there
        found = tuple(value or true for value, true in zip(found, expected, strict=True))
    if (
        signature != _SIGNATURE
        or name != info.orig_filename
        or method != info.compress_type
        or (flags ^ info.flag_bits) & _ENCRYPTED
        or found != expected
    ):
        raise FormatError(f"the archive's entry {info.filename} is described in two ways, and readers differ")
    start = info.header_offset + len(header) + int(name_length + extra_length)
    end = start + info.compress_size
    if packed == 0 and method == ZIP_STORED and _has(_DESCRIPTOR, file, start, end):
        raise FormatError(f"the archive's entry {info.filename} has an end that readers differ in")
    return end


def _sizes_64(extra: bytes, size: int, packed: int) -> tuple[int, int]:
    while extra:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _ZIP64:
            large_size, large_packed = _SIZES_64.unpack_from(extra, 4)
            return large_size, large_packed
        extra = extra[4 + length :]
    return size, packed


def _check_between(file: BinaryIO, start: int, end: int) -> None:
    if _has(_SIGNATURE, file, start, end):
        raise FormatError("the archive has data between its entries that may be taken for one")


def _has(signature: bytes, file: BinaryIO, start: int, end: int) -> bool:
    file.seek(start)
    before = b""
    while start < end and (data := file.read(min(_CHUNK, end - start))):
        if signature in before + data:
            return True
        before = data[1 - len(signature) :]
        start += len(data)
    return False
