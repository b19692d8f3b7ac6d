"""Bytes that come in: streamed to disk and hashed on the way, gone again unless somebody keeps the file."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from starlette.requests import ClientDisconnect, Request

from signpath_ci.sandbox.problems import ProblemError


@dataclass(frozen=True, kw_only=True)
class ReceivedFile:
    """A file that has arrived as a whole.

    Attributes:
        path: where it lies until it is kept.
        name: what the sender calls it.
        size: in bytes.
        sha256: lower-case hex.
    """

    path: Path
    name: str
    size: int
    sha256: str

    def keep(self, target: Path) -> None:
        """Move it to where it belongs."""
        self.path.replace(target)


class FileReceiver:
    """A file that is arriving.

    Args:
        path: a path that does not exist yet.
        limit: the most bytes that are taken; more raise `ProblemError` 413.
    """

    def __init__(self, path: Path, *, limit: int) -> None:
        self._path, self._limit = path, limit
        self._size = 0
        self._hash = hashlib.sha256()
        # Unbuffered: what comes in are large pieces already.
        self._file: BinaryIO = path.open("xb", buffering=0)

    def write(self, piece: bytes | memoryview) -> None:
        """Take the next piece."""
        self._size += len(piece)
        refuse_too_large(self._size, self._limit)
        self._hash.update(piece)
        written = 0
        while written < len(piece):
            written += self._file.write(piece[written:])

    def finish(self, name: str) -> ReceivedFile:
        """Close the file and say what it is."""
        self._file.close()
        return ReceivedFile(path=self._path, name=name, size=self._size, sha256=self._hash.hexdigest())

    def abandon(self) -> None:
        """Close the file and remove it, unless it was kept."""
        self._file.close()
        self._path.unlink(missing_ok=True)


@contextmanager
def receiving(path: Path, *, limit: int) -> Iterator[FileReceiver]:
    """Receive a file at `path`; at the end it is gone, unless it was kept elsewhere."""
    receiver = FileReceiver(path, limit=limit)
    try:
        yield receiver
    finally:
        receiver.abandon()


async def pieces(request: Request) -> AsyncIterator[bytes]:
    """Give a request's body piece by piece.

    Raises:
        ProblemError: the client broke off, so nobody will read this.
    """
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The upload broke off.") from None


def refuse_too_large(size: int, limit: int, *, overhead: int = 0) -> None:
    """Let through what is not larger than `limit` and the `overhead` of its form.

    Raises:
        ProblemError: 413.
    """
    if size > limit + overhead:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The artifact is larger than the {limit} bytes that are taken."
        )


def announced_length(request: Request) -> int:
    """Return what `Content-Length` says; 0 where it is missing (chunked)."""
    length = request.headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0
