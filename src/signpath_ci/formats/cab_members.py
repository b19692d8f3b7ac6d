"""The files inside a cabinet, read one after the other.

Source: Microsoft, "Microsoft Cabinet Format" (CFHEADER, CFFOLDER, CFFILE, CFDATA) and [MS-MCI] "Microsoft ZIP (MSZIP)
Compression". Files of a folder are compressed as one stream, so reading them in their order costs one pass. Quantum and
LZX are not decompressed: such files are only listed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.parts import Joined
from signpath_ci.values import dataclass

_HEADER = struct.Struct("<4s4xI4xI4xBBHHHHH")
_FOLDER = struct.Struct("<IHH")
_FILE = struct.Struct("<IIHHHH")
_DATA = struct.Struct("<4xHH")
_PREVIOUS, _NEXT, _RESERVE = 0x0001, 0x0002, 0x0004
_NONE, _MSZIP = 0, 1
_NAMES = {2: "Quantum", 3: "LZX"}
_UTF_8 = 0x80  # of a file's attributes: its name
EXECUTE = 0x40
"""Of a file's attributes: it is run once it was unpacked."""
_CONTINUED = 0xFFFD  # and above: the file lies in more than one cabinet
_BLOCK = 32768  # the most bytes of one, unpacked; also how far back its compression can refer
_MAX_FILES = 100_000
_MAX_NAME = 256


@dataclass(frozen=True, kw_only=True)
class CabinetFile:
    """A file in a cabinet.

    Attributes:
        path: with slashes.
        size: in bytes.
        folder: number of the folder that it is compressed in.
        offset: where it starts in the folder's unpacked stream.
        attributes: as the cabinet has them.
        time: date and time, as MS-DOS encodes them.
    """

    path: str
    size: int
    folder: int
    offset: int
    attributes: int
    time: tuple[int, int]


class CabinetArchive:
    """An open cabinet; `files` are in its order.

    Args:
        file: seekable.

    Raises:
        FormatError: it is not a cabinet, or is damaged.
        UnsupportedError: it is one of a set.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        try:
            self._open()
        except struct.error as error:
            raise FormatError("the cabinet is cut off") from error

    def _open(self) -> None:
        magic, self._end, files_offset, _, _, folders, count, flags, _, _ = _HEADER.unpack(self._read(0, _HEADER.size))
        if magic != b"MSCF":
            raise FormatError("it is not a cabinet file")
        if flags & (_PREVIOUS | _NEXT):
            raise UnsupportedError("it is one of a set of cabinets")
        offset, folder_reserve, self._data_reserve = _HEADER.size, 0, 0
        if flags & _RESERVE:
            header_reserve, folder_reserve, self._data_reserve = struct.unpack("<HBB", self._read(offset, 4))
            offset += 4 + header_reserve
        self._folders = []
        for number in range(folders):
            place = offset + number * (_FOLDER.size + folder_reserve)
            self._folders.append(_FOLDER.unpack(self._read(place, _FOLDER.size)))
        if count > _MAX_FILES:
            raise FormatError(f"the cabinet has more than {_MAX_FILES} files")
        self.files = tuple(self._entries(files_offset, count))

    def _entries(self, offset: int, count: int) -> Iterator[CabinetFile]:
        for _ in range(count):
            size, start, folder, date, time, attributes = _FILE.unpack(self._read(offset, _FILE.size))
            name, end, _ = self._read(offset + _FILE.size, _MAX_NAME + 1).partition(b"\0")
            if not end or not name:
                raise FormatError("the cabinet has a file without a name, or one that is too long")
            if folder >= _CONTINUED:
                raise UnsupportedError("it is one of a set of cabinets")
            if folder >= len(self._folders):
                raise FormatError("the cabinet has a file in no folder")
            text = name.decode("utf-8" if attributes & _UTF_8 else "cp437", "replace")
            yield CabinetFile(
                path=text.replace("\\", "/"),
                size=size,
                folder=folder,
                offset=start,
                attributes=attributes,
                time=(date, time),
            )
            offset += _FILE.size + len(name) + 1

    def is_filled(self) -> bool:
        """Tell whether the unpacked folders hold nothing but the files, as the headers of their blocks say.

        Raises:
            FormatError: it is damaged.
        """
        if sum(count for _, count, _ in self._folders) * _DATA.size > self._file.seek(0, 2):
            raise FormatError("the cabinet is damaged: it has more blocks than there is room for")
        ends = [0] * len(self._folders)
        for file in sorted(self.files, key=lambda one: (one.folder, one.offset)):
            if file.offset != ends[file.folder]:
                return False
            ends[file.folder] += file.size
        return ends == [self._unpacked_size(number) for number in range(len(self._folders))]

    def _unpacked_size(self, number: int) -> int:
        offset, count, _ = self._folders[number]
        total = 0
        for _ in range(count):
            header = self._read(offset, _DATA.size)
            if len(header) < _DATA.size:
                raise FormatError("the cabinet is damaged")
            packed_size, size = _DATA.unpack(header)
            offset += _DATA.size + self._data_reserve + packed_size
            total += size
        return total

    def compression(self, file: CabinetFile) -> str | None:
        """Return the name of the compression of a file where it can't be read here."""
        kind = self._folders[file.folder][2] & 0x000F
        return None if kind in {_NONE, _MSZIP} else _NAMES.get(kind, f"compression {kind}")

    def read(self, file: CabinetFile) -> Iterator[bytes]:
        """Yield the bytes of a file.

        Raises:
            FormatError: it is damaged.
            UnsupportedError: its compression is not supported.
        """
        skip, left = file.offset, file.size
        if not left:
            return
        for block in self.folder(file.folder):
            piece = block[skip : skip + left]
            skip = max(0, skip - len(block))
            if piece:
                yield piece
                left -= len(piece)
                if not left:
                    return
        raise FormatError(f"the cabinet ends within {file.path}")

    def folder(self, number: int) -> Iterator[bytes]:
        """Yield the unpacked stream of a folder, in which its files lie one behind the other.

        Raises:
            FormatError: it is damaged.
            UnsupportedError: its compression is not supported.
        """
        kind = self._folders[number][2] & 0x000F
        if kind not in {_NONE, _MSZIP}:
            raise UnsupportedError(f"the cabinet is compressed with {_NAMES.get(kind, 'an unknown method')}")
        window = b""
        for offset, packed_size, size in self._blocks(number):
            block = self._read(offset, packed_size)
            if kind == _MSZIP:
                block = window = _unpacked(block, window)
            _check_size(block_size=len(block), stated=size)
            yield block

    def stored(self, number: int) -> BinaryIO | None:
        """Return the stream of a folder as a file, read where it lies; `None`: it is compressed.

        Raises:
            FormatError: it is damaged.
        """
        if self._folders[number][2] & 0x000F != _NONE:
            return None
        found = []
        for offset, packed_size, size in self._blocks(number):
            _check_size(block_size=packed_size, stated=size)
            if size:
                found.append((offset, size))
        return cast("BinaryIO", Joined(self._file, found))

    def _blocks(self, number: int) -> Iterator[tuple[int, int, int]]:
        """Yield where the data of each block of a folder starts, its size there, and its size unpacked."""
        offset, count, _ = self._folders[number]
        file_size = self._file.seek(0, 2)
        for _ in range(count):
            header = self._read(offset, _DATA.size)
            if len(header) < _DATA.size:
                raise FormatError("the cabinet is cut off")
            packed_size, size = _DATA.unpack(header)
            offset += _DATA.size + self._data_reserve
            if offset + packed_size > file_size or size > _BLOCK:
                raise FormatError("the cabinet is damaged")
            yield offset, packed_size, size
            offset += packed_size

    def _read(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)


def _check_size(*, block_size: int, stated: int) -> None:
    if block_size != stated:
        raise FormatError("the cabinet is damaged: a block has another size than it says")


def _unpacked(packed: bytes, window: bytes) -> bytes:
    if not packed.startswith(b"CK"):
        raise FormatError("the cabinet is damaged: a block is not MSZIP")
    unpacker = zlib.decompressobj(-15, zdict=window) if window else zlib.decompressobj(-15)
    try:
        data = unpacker.decompress(packed[2:], _BLOCK)
    except zlib.error as error:
        raise FormatError(f"the cabinet is damaged ({error})") from error
    return data
