"""Local headers and data descriptors (APPNOTE.TXT 4.3.7, 4.3.9): the entries fill the archive, and say the same.

Some readers follow the directory and never look at what it does not list; others go from local header to local header
and never look at the directory.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from signpath_ci.formats import FormatError
from signpath_ci.formats.zip.directory import Listed
from signpath_ci.formats.zip.entry import DEFLATED, SIZES_BEHIND, STORED, Entry
from signpath_ci.formats.zip.extra import resolve
from signpath_ci.values import dataclass

LOCAL = struct.Struct("<4s5H3I2H")
LOCAL_SIGNATURE = b"PK\x03\x04"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
# The forms of a data descriptor by their size: with or without a signature, with small or large sizes.
_DESCRIPTORS = {
    16: struct.Struct("<4xIII"),
    24: struct.Struct("<4xIQQ"),
    12: struct.Struct("<III"),
    20: struct.Struct("<IQQ"),
}
_SIGNED_DESCRIPTORS = frozenset({16, 24})
_LARGE_DESCRIPTOR = 24
# Forms in which readers may see another end of an entry without content: where sizes are zeros, large ones look like
# small ones; and where there is neither a size nor compressed data, they look for the signature.
_UNSURE_IF_EMPTY = {STORED: frozenset({12, 20}), DEFLATED: frozenset({20, 24})}

# https://source.android.com/docs/security/features/apksigning/v2
_BLOCK_MAGIC = b"APK Sig Block 42"
_BLOCK_END = struct.Struct("<Q16s")
_BLOCK_PAIR = struct.Struct("<QI")
_BLOCK_OWNER = "AndroidManifest.xml"
_PAGE = 4096
MAX_BLOCK_SIZE = 1 << 20
"""Of an APK signing block, in bytes."""


@dataclass(frozen=True)
class SigningBlock:
    """The APK signing block in front of the directory.

    Attributes:
        offset: of its first byte in the archive.
        size: with both of its size fields, in bytes.
    """

    offset: int
    size: int


def place_entries(file: BinaryIO, listed: list[Listed], directory: int) -> tuple[list[Entry], SigningBlock | None]:
    """Find the data of the entries, in the order of `listed`, and an APK signing block.

    Args:
        file: the archive.
        listed: the directory's entries.
        directory: its offset.

    Raises:
        FormatError: a local header differs from the directory, or there is other data in front of the directory.
    """
    order = sorted(range(len(listed)), key=lambda index: listed[index].offset)
    placed: list[Entry | None] = [None] * len(listed)
    block = _signing_block(file, directory) if any(entry.name == _BLOCK_OWNER for entry in listed) else None
    end = 0
    for position, index in enumerate(order):
        entry = listed[index]
        _check_adjacent(end, entry.offset, entry.name)
        is_last = position + 1 == len(order)
        following = directory if is_last else listed[order[position + 1]].offset
        data_offset = _read_local_header(file, entry)
        end = data_offset + entry.packed_size
        is_padded = is_last and block is not None and end <= block.offset
        if is_padded and block is not None:
            following = block.offset
        if entry.flags & SIZES_BEHIND:
            end = _read_descriptor(file, entry, end, following, is_padded=is_padded)
        placed[index] = Entry(*entry[:1], *entry[2:8], data_offset, end, entry.record)
    if block is not None and end <= block.offset:
        _check_adjacent(end + _padding(file, end, block.offset), block.offset, "")
    else:
        block = None
        _check_adjacent(end, directory, "")
    return [entry for entry in placed if entry is not None], block


def _check_adjacent(end: int, start: int, name: str) -> None:
    what = f"entry {name}" if name else "directory"
    if start < end:
        raise FormatError(f"the archive's {what} begins in an entry", code="zip-overlap")
    if start > end:
        where = "between its entries" if end else "in front of its first entry"
        raise FormatError(
            f"the archive has {start - end} bytes of data {where}, in front of its {what}", code="zip-gap"
        )


def _read_local_header(file: BinaryIO, entry: Listed) -> int:
    """Check the header in front of an entry; return the offset of the entry's data."""
    file.seek(entry.offset)
    header = file.read(LOCAL.size)
    if len(header) < LOCAL.size or not header.startswith(LOCAL_SIGNATURE):
        raise FormatError(f"the archive's entry {entry.name} has no local header", code="zip-local-header")
    _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = LOCAL.unpack(header)
    rest = file.read(name_size + extra_size)
    raw_name, extra = rest[:name_size], rest[name_size:]
    if raw_name != entry.raw_name or flags != entry.flags or method != entry.method or len(extra) != extra_size:
        raise _differs(entry.name)
    size, packed = resolve(extra, raw_name, entry.name, (size, packed))
    if (crc, packed, size) != (entry.crc, entry.packed_size, entry.size) and (
        not flags & SIZES_BEHIND
        or crc not in {0, entry.crc}  # what is not known yet is 0 there
        or packed not in {0, entry.packed_size}
        or size not in {0, entry.size}
    ):
        raise _differs(entry.name)
    return entry.offset + len(header) + len(rest)


def _differs(name: str) -> FormatError:
    return FormatError(
        f"the archive's entry {name} is described in two ways: its local header differs from the directory",
        code="zip-local-header",
    )


def _read_descriptor(file: BinaryIO, entry: Listed, start: int, end: int, *, is_padded: bool) -> int:
    """Check the data descriptor behind an entry's data, which fills what there is in front of `end`; return its end.

    Args:
        file: the archive.
        entry: what the directory says.
        start: where the data ends.
        end: where what follows begins.
        is_padded: whether there may be something between the descriptor and `end`, which the caller checks.
    """
    if end < start:
        raise FormatError(f"the archive's entry {entry.name} reaches into what follows", code="zip-overlap")
    file.seek(start)
    data = file.read(min(end - start, _LARGE_DESCRIPTOR + 1))
    expected = (entry.crc, entry.packed_size, entry.size)
    for size, form in _DESCRIPTORS.items():
        is_whole = size == len(data) or (is_padded and size < len(data))
        # A checksum that looks like the signature would make the form uncertain.
        is_signed = size in _SIGNED_DESCRIPTORS
        if is_whole and form.unpack_from(data) == expected and data.startswith(DESCRIPTOR_SIGNATURE) == is_signed:
            if not entry.size and size in _UNSURE_IF_EMPTY[entry.method]:
                break
            return start + size
    raise FormatError(
        f"the archive's entry {entry.name} has something else behind it than its data descriptor", code="zip-descriptor"
    )


def _padding(file: BinaryIO, end: int, block: int) -> int:
    """Return the number of zeros in front of a signing block that starts a memory page, as apksigner writes them."""
    size = block - end
    if block % _PAGE or size >= _PAGE:
        return 0
    file.seek(end)
    data = file.read(size)
    return len(data) - len(data.rstrip(b"\0"))


def _signing_block(file: BinaryIO, directory: int) -> SigningBlock | None:
    """Return the APK signing block that ends at the directory; `None` where there is none."""
    file.seek(max(0, directory - _BLOCK_END.size))
    data = file.read(min(directory, _BLOCK_END.size))
    if len(data) < _BLOCK_END.size or not data.endswith(_BLOCK_MAGIC):
        return None
    (size,) = struct.unpack_from("<Q", data)
    start = directory - size - 8
    if start < 0 or not _BLOCK_END.size <= size <= MAX_BLOCK_SIZE:
        return None
    file.seek(start)
    block = file.read(size + 8)
    position, end = 8, len(block) - _BLOCK_END.size
    if block[:8] != size.to_bytes(8, "little"):
        return None
    while end - position >= _BLOCK_PAIR.size:
        position += 8 + struct.unpack_from("<Q", block, position)[0]
    return SigningBlock(start, size + 8) if position == end else None
