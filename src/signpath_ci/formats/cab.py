"""Cabinet files: where their signature is, what it covers, how it is put in.

Source: Microsoft, "Microsoft Cabinet Format" (CFHEADER, CFFOLDER, CFDATA); a signature follows the cabinet and is
pointed to from the header's reserve, which has two structures: one of the program that made the cabinet, which is
hashed, and 16 bytes for the signature, which are not. The hash is of the cabinet as it will be with them, so that it is
the same before and after.

The reserve also says how many bytes are reserved in each folder and each block of data, and is hashed in no part that
says so. Other numbers there would make another content of the same bytes, so it must fit: the folders end where the
files are listed, and the blocks of each folder follow each other up to the next folder or the end.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO

from signpath_ci.formats import FormatError, UncoveredError, UnsupportedError
from signpath_ci.formats.authenticode import CABINET, Reading, Subject, whole
from signpath_ci.formats.registry import CABINET as MAGIC
from signpath_ci.values import dataclass

SUBJECT_TYPE = CABINET
_CHUNK = 1 << 18
_HEADER = struct.Struct("<4sIIIIIBBHHHHH")
_SIZES = struct.Struct("<HBB")  # of what is reserved in the header, in each folder, in each block
_STRUCTURES = struct.Struct("<HH")  # sizes of the two structures in the header's reserve
_POINTER = struct.Struct("<IIQ")  # the second one: offset and size of the signature
_FOLDER = struct.Struct("<IHH")
_BLOCK = struct.Struct("<4xH2x")
_RESERVE_PRESENT, _PREVIOUS, _NEXT = 0x0004, 0x0001, 0x0002
_MAX_SIGNATURE = 1 << 24
_MAX_RESERVE = 60_000  # bytes in a header ("Microsoft Cabinet Format")
_MAX_NAME = 256  # of another cabinet or its disk, with its end
_ALIGNMENT = 8


@dataclass(frozen=True, kw_only=True)
class _Reserve:
    """The reserve of a header: `own` is the structure of who made the cabinet, `padding` what is behind both."""

    own: bytes = b""
    pointer: tuple[int, int] = (0, 0)
    padding: int = 0
    folder_size: int = 0
    block_size: int = 0

    @property
    def size(self) -> int:
        return _STRUCTURES.size + len(self.own) + _POINTER.size + self.padding

    def encode(self, offset: int, size: int) -> bytes:
        """Encode with a signature at a place."""
        return (
            _SIZES.pack(self.size, self.folder_size, self.block_size)
            + _STRUCTURES.pack(len(self.own), _POINTER.size)
            + self.own
            + _POINTER.pack(offset, size, 0)
            + bytes(self.padding)
        )


class _Cabinet:
    """A cabinet's header, brought into the form that it has once it is signed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        size = file.seek(0, 2)
        header = list(_HEADER.unpack(_read(file, 0, _HEADER.size)))
        magic, reserved, cabinet_size, reserved_2, files_offset, reserved_3, _, _, folders, _, flags, _, _ = header
        if magic != MAGIC or any((reserved, reserved_2, reserved_3)):
            raise FormatError("it is not a cabinet file")
        position, self.reserve = _HEADER.size, _Reserve()
        grown = _SIZES.size + self.reserve.size
        if flags & _RESERVE_PRESENT:
            position, self.reserve, grown = self._read_reserve()
        offset, self.signature_size = self.reserve.pointer
        self.end = offset if self.signature_size else size
        if self.end + self.signature_size != size or cabinet_size != self.end:
            raise FormatError("its size is not what its header says: it is cut off, or something is behind it")
        if self.signature_size > _MAX_SIGNATURE:
            raise FormatError(f"its signature has an impossible size ({self.signature_size} bytes)")
        self.names = b""
        for _ in range(2 * (bool(flags & _PREVIOUS) + bool(flags & _NEXT))):
            name = self._read_name(position)
            self.names += name
            position += len(name)
        self.rest = position + folders * (_FOLDER.size + self.reserve.folder_size)
        if files_offset != self.rest or self.rest > self.end:
            raise FormatError("its files are not listed where its header says")
        header[2], header[4], header[10] = cabinet_size + grown, files_offset + grown, flags | _RESERVE_PRESENT
        self.size, self.number = cabinet_size + grown, header[12]
        self.header = _HEADER.pack(*header)
        self.folders, self.starts = self._read_folders(position, folders, grown)

    def _read_reserve(self) -> tuple[int, _Reserve, int]:
        """Return where the reserve ends, what it says, and by how much it grows when the file is signed."""
        file, position = self._file, _HEADER.size + _SIZES.size
        size, folder_size, block_size = _SIZES.unpack(_read(file, _HEADER.size, _SIZES.size))
        if size > _MAX_RESERVE:
            raise FormatError("its header has impossible numbers")
        end = position + size
        if not size:
            reserve = _Reserve(folder_size=folder_size, block_size=block_size)
            return end, reserve, reserve.size
        if size < _STRUCTURES.size:
            raise UnsupportedError("its header has reserved bytes that are not for a signature")
        own_size, pointer_size = _STRUCTURES.unpack(_read(file, position, _STRUCTURES.size))
        padding = size - _STRUCTURES.size - own_size - pointer_size
        if padding < 0 or pointer_size not in {0, _POINTER.size}:
            raise UnsupportedError("its header has reserved bytes that are not for a signature")
        own = _read(file, position + _STRUCTURES.size, own_size)
        offset = length = filler = 0
        if pointer_size:
            offset, length, filler = _POINTER.unpack(_read(file, position + _STRUCTURES.size + own_size, pointer_size))
        if filler or any(_read(file, end - padding, padding)):
            raise UncoveredError("its header has data in reserved bytes, which no signature covers")
        if offset and not length:
            raise FormatError("its header gives a signature without a size")
        # Room that is there already is used.
        needed = _POINTER.size - pointer_size
        reserve = _Reserve(
            own=own,
            pointer=(offset, length),
            padding=max(0, padding - needed),
            folder_size=folder_size,
            block_size=block_size,
        )
        return end, reserve, max(0, needed - padding)

    def _read_name(self, position: int) -> bytes:
        self._file.seek(position)
        name, end, _ = self._file.read(_MAX_NAME).partition(b"\0")
        if not end:
            raise FormatError("its header has a name without an end")
        return name + end

    def _read_folders(self, position: int, count: int, grown: int) -> tuple[bytes, list[tuple[int, int]]]:
        """Return the folders as they are once the file is signed; and where the blocks of each start, and how many."""
        data = _read(self._file, position, self.rest - position)
        step = _FOLDER.size + self.reserve.folder_size
        folders, starts = b"", []
        for place in range(0, count * step, step):
            start, blocks, compression = _FOLDER.unpack_from(data, place)
            folders += _FOLDER.pack(start + grown, blocks, compression) + data[place + _FOLDER.size : place + step]
            if blocks:
                starts.append((start, blocks))
        return folders, sorted(starts)

    def signatures(self) -> tuple[bytes, ...]:
        return (_read(self._file, self.end, self.signature_size),) if self.signature_size else ()

    def readings(self) -> tuple[Reading, ...]:
        """Return what is hashed of the header: all but the first reserved field, and of the reserve the own structure.

        osslsigncode leaves out the number in the set, and hashes the last four bytes of the reserve, which are zeros.
        """
        front, own = self.header[:4] + self.header[8:34], self.reserve.own
        usual = self.header[34:36] + struct.pack("<H", len(own)) + own
        both = [usual] if usual == bytes(4) or own else [usual, bytes(4)]
        return tuple(Reading(prefix=front + middle + self.names + self.folders) for middle in both)

    def form(self) -> bytes:
        """Return the whole header as it is once the file is signed, but where the signature is."""
        return self.header + self.reserve.encode(0, 0) + self.names + self.folders

    def pieces(self) -> Iterator[bytes]:
        """Yield what is behind the folders, and require on the way that the blocks of data fill it."""
        self._file.seek(self.rest)
        blocks, position = _Blocks(self.starts, self.end, self.reserve.block_size), self.rest
        while position < self.end:
            data = self._file.read(min(_CHUNK, self.end - position))
            if not data:
                raise FormatError("it became shorter while it was read")
            blocks.follow(position, data)
            position += len(data)
            yield data
        blocks.finish()


class _Blocks:
    """Follows the blocks of data while a cabinet is read: those of each folder end where those of the next one start.

    Args:
        starts: where the first block of each folder is, and how many it has, in the order of their places.
        end: of the cabinet.
        reserved: bytes in each block.
    """

    def __init__(self, starts: list[tuple[int, int]], end: int, reserved: int) -> None:
        self._folders = iter([*starts, (end, 0)])
        self._reserved = reserved
        self._place, self._left = next(self._folders)
        self._cut = b""

    def follow(self, position: int, data: bytes) -> None:
        """Take the next bytes, which are at this position."""
        end = position + len(data)
        while self._left and self._place + _BLOCK.size <= end:
            if self._place < position:  # its header is cut in two
                (size,) = _BLOCK.unpack(self._cut + data[: _BLOCK.size - len(self._cut)])
            else:
                (size,) = _BLOCK.unpack_from(data, self._place - position)
            self._place += _BLOCK.size + self._reserved + size
            self._left -= 1
            if not self._left:
                self._next_folder()
        if not self._left or self._place >= end:
            self._cut = b""
        else:
            self._cut = self._cut + data if self._place < position else data[self._place - position :]

    def finish(self) -> None:
        """Require that all were there."""
        if self._left:
            raise self._error()

    def _next_folder(self) -> None:
        start, self._left = next(self._folders)
        if start != self._place:
            raise self._error()

    def _error(self) -> FormatError:
        return FormatError("its blocks of data are not where its header and its folders say")


def read_subject(file: BinaryIO) -> Subject:
    """Read a cabinet file.

    Raises:
        FormatError: it is none, or damaged.
        UnsupportedError: it uses the reserved bytes for something else.
    """
    return _subject(_cabinet(file))


def reserved(file: BinaryIO) -> tuple[bytes, bool]:
    """Return what the program that made a cabinet keeps in its header, and whether folders and blocks hold such data.

    Raises:
        FormatError: as `read_subject`.
    """
    reserve = _cabinet(file).reserve
    return reserve.own, bool(reserve.folder_size or reserve.block_size)


def _cabinet(file: BinaryIO) -> _Cabinet:
    try:
        return _Cabinet(file)
    except struct.error as error:
        raise FormatError("it is too big to be signed, or its header has impossible numbers") from error


def _subject(cabinet: _Cabinet) -> Subject:
    return Subject(
        type=SUBJECT_TYPE,
        signatures=cabinet.signatures(),
        parts=lambda: whole(cabinet.pieces()),
        form=cabinet.form(),
        readings=cabinet.readings(),
    )


def write_signed(source: BinaryIO, target: BinaryIO, *, algorithm: str, sign: Callable[[bytes], bytes]) -> None:
    """Copy a cabinet file with a new signature in the place of any that it has.

    Args:
        source: the file to sign.
        target: an empty file.
        algorithm: a name that `hashlib.new` knows.
        sign: gets the hash, returns the DER-encoded CMS message.

    Raises:
        FormatError: as `read_subject`.
    """
    cabinet = _cabinet(source)
    message = sign(_subject(cabinet).digest(algorithm))
    message += bytes(-len(message) % _ALIGNMENT)
    target.write(cabinet.header)
    target.write(cabinet.reserve.encode(cabinet.size, len(message)))
    target.write(cabinet.names)
    target.write(cabinet.folders)
    target.writelines(cabinet.pieces())
    target.write(message)


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    data = file.read(size)
    if len(data) < size:
        raise FormatError("it is cut off")
    return data
