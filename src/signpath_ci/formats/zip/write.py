"""The one writer of archives: new entries, and entries of another archive as they are, byte for byte."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import BinaryIO

from signpath_ci.formats import FormatError
from signpath_ci.formats.zip.archive import Archive
from signpath_ci.formats.zip.directory import check_limits
from signpath_ci.formats.zip.ending import (
    END,
    END_64,
    END_64_REST,
    END_64_SIGNATURE,
    END_SIGNATURE,
    LOCATOR,
    LOCATOR_SIGNATURE,
)
from signpath_ci.formats.zip.entry import DEFLATED, RECORD, RECORD_SIGNATURE, STORED, UTF_8, Entry
from signpath_ci.formats.zip.extra import HEADER, PLACEHOLDER, ZIP64, split
from signpath_ci.formats.zip.names import Names
from signpath_ci.formats.zip.places import LOCAL, LOCAL_SIGNATURE

_VERSION, _VERSION_64 = 20, 45  # needed to extract: directories and deflate; ZIP64 (4.4.3.2)
_UNIX = 3
_DATE, _TIME = 0x21, 0  # 1 January 1980, the first that an archive can state
_MAX_COUNT = 0xFFFF
DEFAULT_MODE = 0o100644


class ArchiveWriter:
    """Writes an archive that `open_archive` accepts; the same calls always give the same bytes.

    Args:
        target: an empty file, seekable.
    """

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._position = 0
        self._records: list[bytes] = []
        self._is_large = False
        self._names = Names()

    def copy(self, archive: Archive, entry: Entry) -> None:
        """Take over an entry of another archive with its headers, byte for byte.

        Raises:
            FormatError: that archive was cut off in the meantime, or the name is refused.
        """
        self._names.add(entry.name)
        offset = self._position
        for data in archive.raw(entry):
            self._write(data)
        header = list(RECORD.unpack_from(entry.record))
        self._is_large = self._is_large or max(entry.size, entry.packed_size, offset) >= PLACEHOLDER
        self._records.append(
            _record(header, entry.name, entry.extra, entry.comment, (entry.size, entry.packed_size, offset))
        )

    def add(
        self,
        name: str,
        blocks: Iterable[bytes],
        *,
        size: int,
        like: Entry | None = None,
        method: int = STORED,
        mode: int = DEFAULT_MODE,
    ) -> int:
        """Write a new entry.

        Args:
            name: with slashes.
            blocks: the content.
            size: how many bytes there may be, at most; decides whether the entry has the form of large ones.
            like: an entry whose time, attributes, comment, extra fields and method it gets; `None`: those below.
            method: `STORED` or `DEFLATED`.
            mode: of Unix, with the type.

        Returns:
            How many bytes there were.

        Raises:
            FormatError: there are more bytes than `size` has room for, or the name is refused.
        """
        self._names.add(name)
        offset, is_large = self._position, _may_be_large(size)
        raw = name.encode("utf-8")
        if like is None:
            flags = 0 if name.isascii() else UTF_8
            fields = [_UNIX << 8, flags, method, _TIME, _DATE, 0, mode << 16]
            extra, comment = b"", b""
        else:
            old = RECORD.unpack_from(like.record)
            method, flags = old[4], old[3] & UTF_8 if name.isascii() else UTF_8
            fields = [old[1] & 0xFF00, flags, method, old[5], old[6], old[14], old[15]]
            extra, comment = _without_zip64(like.extra, name), like.comment
        made, flags, method, time, date, internal, attributes = fields
        version = _VERSION_64 if is_large else _VERSION
        room = HEADER.pack(ZIP64, 16) + bytes(16) if is_large else b""
        self._write(
            LOCAL.pack(LOCAL_SIGNATURE, version, flags, method, time, date, 0, 0, 0, len(raw), len(room + extra))
        )
        self._write(raw + room + extra)
        start = self._position
        crc, written = self._content(blocks, method)
        packed = self._position - start
        if max(written, packed) >= PLACEHOLDER and not is_large:
            raise FormatError(f"the entry {name} grew while it was packed", code="zip-entry-size")
        self._patch(offset + 14, crc.to_bytes(4, "little"))
        if is_large:
            self._patch(offset + 18, b"\xff" * 8)
            self._patch(
                offset + LOCAL.size + len(raw) + HEADER.size,
                written.to_bytes(8, "little") + packed.to_bytes(8, "little"),
            )
        else:
            self._patch(offset + 18, packed.to_bytes(4, "little") + written.to_bytes(4, "little"))
        header = [0, made | version, version, flags, method, time, date, crc, 0, 0, 0, 0, 0, 0, internal, attributes, 0]
        self._is_large = self._is_large or max(written, packed, offset) >= PLACEHOLDER
        self._records.append(_record(header, name, extra, comment, (written, packed, offset)))
        return written

    def finish(self, comment: bytes = b"") -> None:
        """Write the directory and the records at the end.

        Raises:
            FormatError: the archive is over a limit.
        """
        offset, count = self._position, len(self._records)
        check_limits(count, sum(map(len, self._records)))
        for record in self._records:
            self._write(record)
        size, end = self._position - offset, self._position
        if self._is_large or count > _MAX_COUNT or size >= PLACEHOLDER or offset >= PLACEHOLDER:
            values = (_VERSION_64, _VERSION_64, 0, 0, count, count, size, offset)
            self._write(END_64.pack(END_64_SIGNATURE, END_64_REST, *values))
            self._write(LOCATOR.pack(LOCATOR_SIGNATURE, 0, end, 1))
        count, size, offset = min(count, _MAX_COUNT), min(size, PLACEHOLDER), min(offset, PLACEHOLDER)
        self._write(END.pack(END_SIGNATURE, 0, 0, count, count, size, offset, len(comment)) + comment)

    def _content(self, blocks: Iterable[bytes], method: int) -> tuple[int, int]:
        """Write the content; return its checksum and size."""
        packer = zlib.compressobj(wbits=-15) if method == DEFLATED else None
        crc = size = 0
        for block in blocks:
            crc = zlib.crc32(block, crc)
            size += len(block)
            self._write(packer.compress(block) if packer else block)
        if packer:
            self._write(packer.flush())
        return crc, size

    def _write(self, data: bytes) -> None:
        self._target.write(data)
        self._position += len(data)

    def _patch(self, position: int, data: bytes) -> None:
        self._target.seek(position)
        self._target.write(data)
        self._target.seek(self._position)


def _may_be_large(size: int) -> bool:
    return size + size // 1000 + 1024 >= PLACEHOLDER  # what deflate can't shrink becomes a little bigger


def _without_zip64(extra: bytes, name: str) -> bytes:
    return b"".join(
        HEADER.pack(identifier, len(data)) + data for identifier, data in split(extra, name) if identifier != ZIP64
    )


def _record(header: list[int], name: str, extra: bytes, comment: bytes, values: tuple[int, int, int]) -> bytes:
    """Return a record of the directory; values that are large go into a ZIP64 field (4.5.3).

    Args:
        header: the values of a record, of which name, extra field and `values` come anew.
        name: of the entry.
        extra: its extra field.
        comment: its comment.
        values: size, packed size, offset.
    """
    large = b"".join(value.to_bytes(8, "little") for value in values if value >= PLACEHOLDER)
    extra = _without_zip64(extra, name)
    if large:
        extra = HEADER.pack(ZIP64, len(large)) + large + extra
    size, packed, offset = (min(value, PLACEHOLDER) for value in values)
    raw = name.encode("utf-8")
    made, needed = header[1], header[2]
    if large:
        made, needed = max(made & 0xFF, _VERSION_64) | made & 0xFF00, max(needed, _VERSION_64)
    fields = (made, needed, *header[3:8], packed, size, len(raw), len(extra), len(comment), 0, *header[14:16], offset)
    return RECORD.pack(RECORD_SIGNATURE, *fields) + raw + extra + comment
