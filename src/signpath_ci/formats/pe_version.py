"""The version information of a PE file: the strings that Windows shows as a file's details.

Sources: Microsoft, "PE Format" (the .rsrc section); Windows documentation of VS_VERSIONINFO, StringFileInfo,
StringTable and String. Reads the headers, three levels of the resource directory and one resource of at most 1 MiB.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from signpath_ci.formats import FormatError

_RESOURCES = 2  # its index among the data directories
_DATA_DIRECTORIES = {0x10B: 96, 0x20B: 112}  # where they start in the optional header: PE32, PE32+
_SECTION = struct.Struct("<8xIIII16x")  # virtual size and address, size and offset of the raw data
_MAX_SECTIONS = 96
_VERSION = 16  # RT_VERSION
_DIRECTORY = 0x80000000
_MAX_SIZE = 1 << 20
_MAX_ENTRIES = 4096
_HEADER = struct.Struct("<HHH")  # of every structure: length, value's length, type


def read_version_strings(file: BinaryIO) -> dict[str, str]:
    """Return the strings of the version resource by their names, such as `ProductName`; nothing where there are none.

    Where a file has them in more than one language, those of the first one.

    Args:
        file: a PE file, seekable.

    Raises:
        FormatError: it is not a PE file, or its resources are damaged.
    """
    try:
        resource = _version_resource(file)
        return {} if resource is None else _strings(resource)
    except struct.error as error:
        raise FormatError("its resources are damaged") from error


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _version_resource(file: BinaryIO) -> bytes | None:
    start = _read(file, 0, 64)
    if not start.startswith(b"MZ"):
        raise FormatError("it is not a PE file")
    (offset,) = struct.unpack_from("<I", start, 60)
    headers = _read(file, offset, 24)
    if not headers.startswith(b"PE\0\0"):
        raise FormatError("it is not a PE file")
    section_count, optional_size = struct.unpack_from("<6xH12xH", headers)
    optional = _read(file, offset + 24, optional_size)
    (magic,) = struct.unpack_from("<H", optional)
    directory = _DATA_DIRECTORIES.get(magic, len(optional)) + _RESOURCES * 8
    if directory + 8 > len(optional) or section_count > _MAX_SECTIONS:
        return None
    address, size = struct.unpack_from("<II", optional, directory)
    if not address or not size:
        return None
    table = _read(file, offset + 24 + optional_size, section_count * _SECTION.size)
    sections = list(_SECTION.iter_unpack(table[: len(table) // _SECTION.size * _SECTION.size]))

    def at(virtual: int) -> int:
        for virtual_size, virtual_address, raw_size, raw_offset in sections:
            if virtual_address <= virtual < virtual_address + max(virtual_size, raw_size):
                return int(raw_offset + virtual - virtual_address)
        raise FormatError("its resources lie in none of its sections")

    base = at(address)
    entry = _first(file, base, 0, _VERSION)
    for _ in range(2):  # the resource's name, and its language
        if entry is None or not entry & _DIRECTORY:
            return None
        entry = _first(file, base, entry & ~_DIRECTORY, None)
    if entry is None or entry & _DIRECTORY:
        return None
    virtual, length = struct.unpack("<II", _read(file, base + entry, 8))
    if length > _MAX_SIZE:
        raise FormatError("its version resource has an impossible size")
    return _read(file, at(virtual), length)


def _first(file: BinaryIO, base: int, offset: int, wanted: int | None) -> int | None:
    """Return where the entry with an id leads in a resource directory; with no id, the first entry."""
    named, numbered = struct.unpack("<12xHH", _read(file, base + offset, 16))
    count = min(named + numbered, _MAX_ENTRIES)
    entries = _read(file, base + offset + 16, count * 8)
    for name, target in struct.iter_unpack("<II", entries[: len(entries) // 8 * 8]):
        if wanted is None or name == wanted:
            return int(target)
    return None


def _strings(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, start, end in _blocks(data, *_children(data, 0, len(data))):
        if key != "StringFileInfo":
            continue
        for _, table_start, table_end in _blocks(data, start, end):
            for name, value_start, value_end in _blocks(data, table_start, table_end):
                text = data[value_start:value_end].decode("utf-16-le", "replace").partition("\0")[0]
                found.setdefault(name, text)
            if found:
                return found
    return found


def _children(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return where the structures inside the outermost one stand: behind its key and its fixed value."""
    length, value_length, _ = _HEADER.unpack_from(data, start)
    _, key_end = _key(data, start + _HEADER.size, min(end, start + length))
    return _aligned(_aligned(key_end) + value_length), min(end, start + length)


def _blocks(data: bytes, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Yield the structures between two offsets: key, and where what is behind the key starts and ends."""
    while start + _HEADER.size <= end:
        length, _, _ = _HEADER.unpack_from(data, start)
        if length < _HEADER.size:
            return
        stop = min(end, start + length)
        key, key_end = _key(data, start + _HEADER.size, stop)
        yield key, min(_aligned(key_end), stop), stop
        start = _aligned(start + length)


def _key(data: bytes, start: int, end: int) -> tuple[str, int]:
    at = start
    while at + 2 <= end and data[at : at + 2] != b"\0\0":
        at += 2
    return data[start:at].decode("utf-16-le", "replace"), at + 2


def _aligned(offset: int) -> int:
    return offset + 3 & ~3
