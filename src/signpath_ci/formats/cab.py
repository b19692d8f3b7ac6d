"""Cabinet files: where their signature is, what it covers, how it is put in.

Source: Microsoft, "Microsoft Cabinet Format" (CFHEADER, CFFOLDER); a signature follows the cabinet and is pointed to
from 20 reserved bytes behind the header. The hash is of the cabinet as it will be with them, without what points to the
signature, so that it is the same before and after.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.authenticode import CABINET, Subject, whole
from signpath_ci.formats.registry import CABINET as MAGIC

SUBJECT_TYPE = CABINET
_CHUNK = 1 << 18
_HEADER = struct.Struct("<4sIIIIIBBHHHHH")
_RESERVE = struct.Struct("<HBB4sIIQ")  # sizes of the reserves; ours: marker, offset and size of the signature
_FOLDER = struct.Struct("<IHH")
_MARKER = b"\0\0\x10\0"
_RESERVE_SIZE = 20
_RESERVE_PRESENT = 0x0004
_MULTIPLE = 0x0003
_MAX_SIGNATURE = 1 << 24
_ALIGNMENT = 8


class _Cabinet:
    """A cabinet's header, brought into the form that it has once it is signed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        size = file.seek(0, 2)
        header = list(_HEADER.unpack(_read(file, 0, _HEADER.size)))
        magic, reserved, cabinet_size, reserved_2, files_offset, reserved_3, _, _, folders, _, flags, _, number = header
        if magic != MAGIC or any((reserved, reserved_2, reserved_3)):
            raise FormatError("it is not a cabinet file")
        if flags & _MULTIPLE or number:
            raise UnsupportedError("it is one of a set of cabinets")
        self.end, self.signature_size = size, 0
        grown = _RESERVE.size
        if flags & _RESERVE_PRESENT:
            grown = 0
            sizes = _RESERVE.unpack(_read(file, _HEADER.size, _RESERVE.size))
            if sizes[:3] != (_RESERVE_SIZE, 0, 0) or sizes[3] != _MARKER or sizes[6]:
                raise UnsupportedError("its header has reserved bytes that are not for a signature")
            if sizes[5]:
                self.end, self.signature_size = sizes[4], sizes[5]
            elif sizes[4]:
                raise FormatError("its header gives a signature without a size")
        if self.end + self.signature_size != size or cabinet_size != self.end:
            raise FormatError("its size is not what its header says: it is cut off, or something is behind it")
        if self.signature_size > _MAX_SIGNATURE:
            raise FormatError(f"its signature has an impossible size ({self.signature_size} bytes)")
        self.rest = _HEADER.size + _RESERVE.size - grown + folders * _FOLDER.size
        if files_offset != self.rest or self.rest > self.end:
            raise FormatError("its files are not listed where its header says")
        header[2], header[4], header[10] = cabinet_size + grown, files_offset + grown, flags | _RESERVE_PRESENT
        self.size = cabinet_size + grown
        self.header = _HEADER.pack(*header)
        self.folders = b"".join(
            _FOLDER.pack(offset + grown, *further)
            for offset, *further in _FOLDER.iter_unpack(
                _read(file, self.rest - folders * _FOLDER.size, folders * _FOLDER.size)
            )
        )

    def signatures(self) -> tuple[bytes, ...]:
        return (_read(self._file, self.end, self.signature_size),) if self.signature_size else ()

    def hashed(self) -> Iterator[bytes]:
        """Yield all but the first reserved field, the number in the set, and the reserve up to its last four bytes."""
        yield self.header[:4] + self.header[8:34] + bytes(4) + self.folders
        yield from self.pieces()

    def pieces(self) -> Iterator[bytes]:
        """Yield what is behind the folders."""
        self._file.seek(self.rest)
        left = self.end - self.rest
        while left:
            data = self._file.read(min(_CHUNK, left))
            if not data:
                raise FormatError("it became shorter while it was read")
            left -= len(data)
            yield data


def read_subject(file: BinaryIO) -> Subject:
    """Read a cabinet file.

    Raises:
        FormatError: it is none, or damaged.
        UnsupportedError: it is one of several, or uses the reserved bytes for something else.
    """
    try:
        cabinet = _Cabinet(file)
    except struct.error as error:
        raise FormatError("its header has impossible numbers") from error
    return _subject(cabinet)


def _subject(cabinet: _Cabinet) -> Subject:
    return Subject(type=SUBJECT_TYPE, signatures=cabinet.signatures(), parts=lambda: whole(cabinet.hashed()))


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
    try:
        cabinet = _Cabinet(source)
    except struct.error as error:
        raise FormatError("it is too big to be signed, or its header has impossible numbers") from error
    message = sign(_subject(cabinet).digest(algorithm))
    message += bytes(-len(message) % _ALIGNMENT)
    target.write(cabinet.header)
    target.write(_RESERVE.pack(_RESERVE_SIZE, 0, 0, _MARKER, cabinet.size, len(message), 0))
    target.write(cabinet.folders)
    target.writelines(cabinet.pieces())
    target.write(message)


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    data = file.read(size)
    if len(data) < size:
        raise FormatError("it is cut off")
    return data
