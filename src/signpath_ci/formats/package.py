"""ZIP packages with a signature in an entry of its own (NuGet, APPX): the package as if that entry were not there.

Both formats sign the bytes of the archive before the entry, and its directory without the entry's record, with the
counts, sizes and offsets that it would have then. The entry is the last one in the archive. What a signature does not
cover are the headers of that entry, so nothing but what they must hold may stand there.

Everything streams; the directory is in memory, which `formats.zip` bounds.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.zip import DEFLATED, STORED, Archive, Entry

_CHUNK = 1 << 18
_END = struct.Struct("<4s4H2LH")  # APPNOTE.TXT 4.3.16
_END_64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14, without extensible data
_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7
_RECORD = struct.Struct("<4s6H3L5H2L")  # 4.3.12
_VERSION, _DATE = 20, 0x21  # deflate; 1 January 1980
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFFFFFF
_MAX_SIGNATURE = 16 << 20
_LOCAL_FLAGS = 0x806  # how thoroughly it was compressed, and that the name is UTF-8


class Package:
    """An open package.

    Args:
        file: the package.
        archive: the same, opened.
        name: of the entry with the signature.

    Raises:
        FormatError: the entry is not the last one, or its headers hold something that no signature covers.
    """

    def __init__(self, file: BinaryIO, archive: Archive, name: str) -> None:
        self.archive = archive
        self._file = file
        self.entries = tuple(entry for entry in archive.entries if entry.name != name)
        self.signature = archive.by_name.get(name)
        self._directory = max((entry.end for entry in archive.entries), default=0)
        self._end = self._directory
        if archive.signing_block is not None:
            raise FormatError("it has an APK signing block, which its signature does not cover", code="uncovered-data")
        if any(entry.name.lower() == name.lower() for entry in self.entries):
            raise FormatError("it has two entries for a signature", code="package-structure")
        if self.signature is not None:
            _check_signature_entry(self.signature, self._directory)
            self._end = self.signature.offset

    @property
    def message(self) -> bytes | None:
        """The content of the signature's entry; `None`: the package is not signed."""
        return None if self.signature is None else self.archive.read(self.signature, limit=_MAX_SIGNATURE)

    def data(self) -> Iterator[bytes]:
        """Yield the archive up to its directory, without the signature's entry."""
        position = 0
        while position < self._end:
            self._file.seek(position)
            piece = self._file.read(min(_CHUNK, self._end - position))
            if not piece:
                raise FormatError("it became shorter while it was read")
            position += len(piece)
            yield piece

    def directory(self) -> bytes:
        """Return the directory without the signature's record, and the records at the end that belong to it."""
        return self.with_records([entry.record for entry in self.entries], self._end)

    def with_records(self, records: list[bytes], offset: int) -> bytes:
        """Return a directory of these records at an offset, with the ending that the package has."""
        self._file.seek(self._directory + sum(len(entry.record) for entry in self.archive.entries))
        tail = bytearray(self._file.read())
        directory = b"".join(records)
        count, size = len(records), len(directory)
        if tail[:4] == b"PK\x06\x06":
            _, rest, *fields = _END_64.unpack_from(tail)
            _END_64.pack_into(tail, 0, b"PK\x06\x06", rest, *fields[:4], count, count, size, offset)
            place = rest + 12
            signature, disk, _, disks = _LOCATOR.unpack_from(tail, place)
            _LOCATOR.pack_into(tail, place, signature, disk, offset + size, disks)
        place = len(tail) - _END.size - len(self.archive.comment)
        signature, _, _, *counts, old_size, old_offset, comment = _END.unpack_from(tail, place)
        # Numbers of disks are 0; makeappx writes 0xFFFF beside ZIP64 records, and what it signs has 0 there.
        small = [old if old == _MAX_16 and tail[:4] == b"PK\x06\x06" else count for old in counts]
        if any(number >= _MAX_16 for number in small if number != _MAX_16):
            raise UnsupportedError("it has too many entries for a signature")
        _END.pack_into(
            tail,
            place,
            signature,
            0,
            0,
            *small,
            old_size if old_size == _MAX_32 else size,
            old_offset if old_offset == _MAX_32 else offset,
            comment,
        )
        return directory + bytes(tail)


def append_entry(target: BinaryIO, package: Package, name: str, content: bytes, *, method: int) -> None:
    """Write the data and the directory of a package with one more entry, the signature's, at its end.

    Args:
        target: an empty file, open for writing.
        package: whose other entries are copied byte for byte.
        name: of the entry.
        content: of the entry.
        method: `STORED` or `DEFLATED`.

    Raises:
        UnsupportedError: the entry's offset needs ZIP64.
    """
    offset = 0
    for piece in package.data():
        target.write(piece)
        offset += len(piece)
    if offset >= _MAX_32:
        raise UnsupportedError("it is too big for a signature: that must start within the first 4 GiB")
    packer = zlib.compressobj(wbits=-15)
    packed = content if method == STORED else packer.compress(content) + packer.flush()
    raw, crc = name.encode("ascii"), zlib.crc32(content)
    target.write(_LOCAL.pack(b"PK\x03\x04", _VERSION, 0, method, 0, _DATE, crc, len(packed), len(content), len(raw), 0))
    target.write(raw + packed)
    fields = (_VERSION, _VERSION, 0, method, 0, _DATE, crc, len(packed), len(content), len(raw), 0, 0, 0, 0, 0, offset)
    record = _RECORD.pack(b"PK\x01\x02", *fields) + raw
    records = [*(entry.record for entry in package.entries), record]
    target.write(package.with_records(records, offset + _LOCAL.size + len(raw + packed)))


def _check_signature_entry(entry: Entry, directory: int) -> None:
    if entry.end != directory:
        raise FormatError("its signature is not its last entry", code="package-structure")
    size = len(entry.name.encode())
    if (
        entry.flags & ~_LOCAL_FLAGS
        or entry.method not in {STORED, DEFLATED}
        or entry.data_offset - entry.offset != _LOCAL.size + size
        or entry.end != entry.data_offset + entry.packed_size
        or len(entry.record) != _RECORD.size + size
    ):
        raise FormatError("the entry with its signature has fields that no signature covers", code="uncovered-data")
