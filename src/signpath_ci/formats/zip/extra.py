"""Extra fields (APPNOTE.TXT 4.5) as far as readers take orders from them: sizes, names, kinds of entries."""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Sequence

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.zip.names import shown

ZIP64 = 0x0001
PLACEHOLDER, DISK_PLACEHOLDER = 0xFFFFFFFF, 0xFFFF
"""Instead of a value that stands in the ZIP64 field."""

HEADER = struct.Struct("<HH")
_PKWARE_UNIX, _ASI_UNIX = 0x000D, 0x756E  # both can make an entry a link
_LIBARCHIVE = 0x6C78  # an experiment, with attributes in front of an entry
_ENCRYPTIONS = frozenset({0x0017, 0x9901})
UNICODE_PATH = 0x7075
_WIDTHS = (8, 8, 8, 4)  # size, packed size, offset, disk (4.5.3)
_PKWARE_UNIX_SIZE = 12
_ASI_UNIX_SIZE = 14


def split(extra: bytes, name: str) -> list[tuple[int, bytes]]:
    """Return identifiers and contents of the fields, in their order.

    Raises:
        FormatError: they do not fill `extra`. Up to 3 zeros at the end are let through: APK files are aligned by them.
    """
    fields, position, end = [], 0, len(extra)
    while end - position >= HEADER.size:
        identifier, size = HEADER.unpack_from(extra, position)
        position += HEADER.size
        if size > end - position:
            raise FormatError(f"the archive's entry {name} has a damaged extra field", code="zip-extra-field")
        fields.append((identifier, extra[position : position + size]))
        position += size
    if any(extra[position:]):
        raise FormatError(f"the archive's entry {name} has a damaged extra field", code="zip-extra-field")
    return fields


def resolve(extra: bytes, raw_name: bytes, name: str, values: Sequence[int]) -> Sequence[int]:
    """Check the extra field of a header, and return the header's values with those of the ZIP64 field in their place.

    Args:
        extra: the extra field.
        raw_name: the name in the header.
        name: the same, decoded.
        values: size, packed size, and, in the directory, offset and disk.

    Raises:
        FormatError: a field is damaged, or makes readers see another name, size or kind.
        UnsupportedError: a field tells of encryption.
    """
    large: bytes | None = None
    if extra:
        seen = set()
        for identifier, data in split(extra, name):
            if identifier in seen and identifier in {ZIP64, UNICODE_PATH}:
                raise FormatError(f"the archive's entry {name} has an extra field twice", code="zip-extra-field")
            seen.add(identifier)
            if identifier == ZIP64:
                large = data
            else:
                _check(identifier, data, raw_name, name)
    return _large_values(large, name, values)


def _check(identifier: int, data: bytes, raw_name: bytes, name: str) -> None:
    if identifier == UNICODE_PATH:
        expected = b"\x01" + zlib.crc32(raw_name).to_bytes(4, "little") + name.encode("utf-8")
        if data != expected:
            raise FormatError(
                f"the archive's entry {name} has another name for readers of Unicode paths: {shown(data[5:])}",
                code="zip-name-unicode-path",
            )
    elif identifier in _ENCRYPTIONS:
        raise UnsupportedError(f"the archive's entry {name} is encrypted", code="zip-entry-encrypted")
    elif identifier == _PKWARE_UNIX and len(data) > _PKWARE_UNIX_SIZE:
        raise FormatError(f"the archive's entry {name} is a link for some readers", code="zip-entry-link")
    elif identifier == _ASI_UNIX:
        mode = int.from_bytes(data[4:6], "little")
        if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR} or len(data) != _ASI_UNIX_SIZE:
            raise FormatError(f"the archive's entry {name} is a link for some readers", code="zip-entry-link")
    elif identifier == _LIBARCHIVE:
        raise UnsupportedError(
            f"the archive's entry {name} has attributes in an extra field that only some readers know",
            code="zip-extra-field",
        )


def _large_values(field: bytes | None, name: str, values: Sequence[int]) -> Sequence[int]:
    """Return values with those of a ZIP64 field in the place of placeholders (4.5.3)."""
    placeholders = [
        index
        for index, value in enumerate(values)
        if value == (PLACEHOLDER if index < 3 else DISK_PLACEHOLDER)  # noqa: PLR2004 - the last one is the disk
    ]
    if field is None:
        if placeholders:
            raise FormatError(f"the archive's entry {name} lacks its ZIP64 sizes", code="zip-zip64-entry")
        return values
    resolved, position = list(values), 0
    for index in placeholders:
        resolved[index] = int.from_bytes(field[position : position + _WIDTHS[index]], "little")
        position += _WIDTHS[index]
    # Some writers repeat what is no placeholder: it must say the same, where readers expect it.
    if position > len(field) or (position < len(field) and field not in _prefixes(resolved)):
        raise FormatError(
            f"the archive's entry {name} has ZIP64 sizes that differ from its other ones", code="zip-zip64-entry"
        )
    return resolved


def _prefixes(values: Sequence[int]) -> list[bytes]:
    """Return the ZIP64 fields that hold the first, the first two, ... of these values."""
    encoded = [value.to_bytes(width, "little") for value, width in zip(values, _WIDTHS, strict=False)]
    return [b"".join(encoded[:count]) for count in range(len(encoded) + 1)]
