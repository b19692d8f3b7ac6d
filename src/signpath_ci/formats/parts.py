"""Parts of a file as files of their own, read where they lie: nothing is copied, and nothing kept in memory."""

from __future__ import annotations

import io
from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from typing import BinaryIO

from signpath_ci.formats import FormatError


class _Readable(io.BufferedIOBase):
    """A file of a known size, of which any bytes can be read at any time."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._position = 0

    @abstractmethod
    def _at(self, position: int, size: int) -> bytes:
        """Return bytes that lie within the file; fewer only where they are not in one piece."""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read from any position."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position, also behind the end."""
        target = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if target < 0:
            raise ValueError("a position before the start")
        self._position = target
        return target

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes; fewer than `size` only at the end.

        Raises:
            FormatError: the file around it became shorter.
        """
        left = max(0, self._size - self._position)
        if size is not None and size >= 0:
            left = min(left, size)
        pieces = []
        while left:
            piece = self._at(self._position, left)
            if not piece:
                raise FormatError("the file is cut off")
            pieces.append(piece)
            self._position += len(piece)
            left -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    read1 = read


class Part(_Readable):
    """Some bytes of a file, one behind the other.

    Args:
        file: seekable; others may read it in between.
        start: of the part.
        size: of the part.
    """

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        super().__init__(size)
        self._file, self._start = file, start

    def _at(self, position: int, size: int) -> bytes:
        self._file.seek(self._start + position)
        return self._file.read(size)


class Joined(_Readable):
    """Blocks of a file, read as if they lay one behind the other.

    Args:
        file: seekable; others may read it in between.
        blocks: where each starts in the file, and its size, which is not 0.
    """

    def __init__(self, file: BinaryIO, blocks: Sequence[tuple[int, int]]) -> None:
        self._file, self._blocks = file, blocks
        self._starts: list[int] = []
        size = 0
        for _, block_size in blocks:
            self._starts.append(size)
            size += block_size
        super().__init__(size)

    def _at(self, position: int, size: int) -> bytes:
        number = bisect_right(self._starts, position) - 1
        offset, block_size = self._blocks[number]
        skipped = position - self._starts[number]
        self._file.seek(offset + skipped)
        return self._file.read(min(size, block_size - skipped))
