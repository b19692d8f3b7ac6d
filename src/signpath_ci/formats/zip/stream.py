"""The content of one entry, given out while its size, its checksum and the exact end of its data are checked."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable
from typing import BinaryIO

from signpath_ci.formats import FormatError
from signpath_ci.formats.zip.entry import DEFLATED, SIZES_BEHIND, Entry

_FIRST_CHUNK = 1 << 12  # the start is what tells the kind of a file
_CHUNK = 1 << 18
_PACKED_CHUNK = 1 << 16


class EntryStream(io.BufferedIOBase):
    """Reads one entry. The last bytes are given out only after all of it was found to be right.

    Going back starts from the beginning; other streams of the same archive may be read in between.

    Args:
        file: the archive.
        entry: one of its entries.
        at_end: called when the entry was read to its end and found to be right.
    """

    def __init__(self, file: BinaryIO, entry: Entry, at_end: Callable[[Entry], None]) -> None:
        self._file = file
        self._entry = entry
        self._at_end = at_end
        self._restart()

    def _restart(self) -> None:
        self._position = 0  # in the content, of what was unpacked
        self._packed = 0  # bytes of the data that were read
        self._crc = 0
        self._buffer = b""  # unpacked, but not given out yet
        self._given = 0  # of the buffer
        self._chunk = _FIRST_CHUNK
        self._is_checked = False
        self._inflater = zlib.decompressobj(-15) if self._entry.method == DEFLATED else None
        is_end_sought = self._inflater is None and self._entry.flags & SIZES_BEHIND
        self._ends = _Ends(self._entry.name) if is_end_sought else None

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read again."""
        return True

    def tell(self) -> int:
        """Return the position in the content."""
        return self._position - len(self._buffer) + self._given

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position, at most the end."""
        target = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self._entry.size}[whence]
        if target < 0:
            raise ValueError("a position before the start")
        if target < self.tell():
            self._restart()
        while self.tell() < target and self.read(min(_CHUNK, target - self.tell())):
            pass
        return self.tell()

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes; fewer than `size` only at the end.

        Raises:
            FormatError: the data is damaged, or is not what the archive states of it.
        """
        pieces, wanted = [], self._entry.size if size is None or size < 0 else size
        while wanted > 0 and (piece := self.read1(wanted)):
            pieces.append(piece)
            wanted -= len(piece)
        if not pieces:
            self._fill()  # also an entry without content has an end to check
        return b"".join(pieces)

    def read1(self, size: int = -1) -> bytes:
        """Return what there is of the next bytes, at most `size`; errors as those of `read`."""
        if self._given == len(self._buffer):
            self._fill()
        end = len(self._buffer) if size < 0 else self._given + size
        piece = self._buffer[self._given : end]
        self._given += len(piece)
        return piece

    def _fill(self) -> None:
        """Unpack the next bytes where all so far were given out."""
        if self._given < len(self._buffer):
            return
        self._buffer, self._given = b"", 0
        if self._position < self._entry.size:
            self._buffer = self._unpack()
            if not self._buffer:
                raise self._wrong("ends before its stated size", code="zip-data-size")
            self._chunk = min(self._chunk * 8, _CHUNK)
            self._position += len(self._buffer)
            self._crc = zlib.crc32(self._buffer, self._crc)
            if self._ends is not None:
                self._ends.feed(self._buffer)
        if self._position >= self._entry.size and not self._is_checked:
            self._check_end()

    def _check_end(self) -> None:
        if self._position > self._entry.size or self._unpack():
            raise self._wrong("unpacks to more than its stated size", code="zip-data-size")
        if self._packed != self._entry.packed_size or (self._inflater is not None and self._inflater.unused_data):
            raise self._wrong("has data behind its compressed content", code="zip-data-end")
        if self._crc != self._entry.crc:
            raise self._wrong("does not have its stated checksum", code="zip-data-checksum")
        self._is_checked = True
        self._at_end(self._entry)

    def _unpack(self) -> bytes:
        """Return some more bytes; none at the end of the content."""
        inflater = self._inflater
        if inflater is None:
            return self._read_packed(self._chunk)
        while not inflater.eof:
            data = inflater.unconsumed_tail or self._read_packed(min(self._chunk, _PACKED_CHUNK))
            try:
                piece = inflater.decompress(data, self._chunk)
            except zlib.error as error:
                raise self._wrong("has damaged data", code="zip-data-damaged") from error
            if piece:
                return piece
            if not data and not inflater.eof:
                raise self._wrong("has compressed content that does not end where its data ends", code="zip-data-end")
        return b""

    def _read_packed(self, size: int) -> bytes:
        size = min(size, self._entry.packed_size - self._packed)
        if not size:
            return b""
        self._file.seek(self._entry.data_offset + self._packed)
        data = self._file.read(size)
        if len(data) != size:
            raise self._wrong("is cut off", code="zip-data-damaged")
        self._packed += size
        return data

    def _wrong(self, what: str, *, code: str) -> FormatError:
        return FormatError(f"the archive's entry {self._entry.name} {what}", code=code)


class _Ends:
    """Looks in stored content, of which only a data descriptor behind it tells the size, for an earlier end that fits.

    A reader that goes from entry to entry finds the descriptor by its signature, or by that of what follows.
    """

    _SIGNATURE = re.compile(rb"PK(?:\x07\x08|\x03\x04|\x01\x02)")
    _FORMS = (struct.Struct("<4xII"), struct.Struct("<4xQQ"))  # both sizes behind the checksum
    _OVERLAP = 47  # so that each signature is once seen with the 20 bytes in front of it and the 24 from it on

    def __init__(self, name: str) -> None:
        self._name = name
        self._tail = b""
        self._start = 0  # of the tail, in the content

    def feed(self, data: bytes) -> None:
        """Look at the next bytes.

        Raises:
            FormatError: there is a place in them that fits.
        """
        window = self._tail + data
        for match in self._SIGNATURE.finditer(window):
            for form in self._FORMS:
                if match.group() == b"PK\x07\x08":
                    end, descriptor = match.start(), match.end()
                else:
                    end = descriptor = match.start() - form.size
                if descriptor < 0 or descriptor + form.size > len(window):
                    continue
                if form.unpack_from(window, descriptor) == (self._start + end,) * 2:
                    raise FormatError(
                        f"the archive's entry {self._name} has an earlier end that fits its data descriptor",
                        code="zip-descriptor-ambiguous",
                    )
        self._start += max(0, len(window) - self._OVERLAP)
        self._tail = window[-self._OVERLAP :]
