"""Bodies on the wire, piece by piece: what goes out is watched, what comes in is checked for its length."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import requests
import urllib3.exceptions

from signpath_ci.api.content import PIECE, Content
from signpath_ci.api.retries import AttemptFailedError, Deadline, Movement

_LEAST = 1024
"""Bytes that must come within the stall timeout at any rate: a body that drips by single bytes would never end."""


class Download:
    """A body that comes in; iterating gives its pieces.

    Args:
        response: whose body it is.
        movement: is called when enough has come.
        stall_timeout: seconds in which enough must have come.
        least_rate: how much is enough, in bytes a second; 1024 bytes in all that time in any case.

    Attributes:
        length: in bytes as the server announces it; `None` where it does not.
        content_disposition: the header as it is; `None` where there is none.
        content_type: likewise; empty where there is none.
    """

    def __init__(
        self, response: requests.Response, movement: Movement, stall_timeout: float, least_rate: float = 0
    ) -> None:
        self._response, self._movement, self._stall_timeout = response, movement, stall_timeout
        self._least = max(_LEAST, int(least_rate * stall_timeout))
        self.content_disposition: str | None = response.headers.get("Content-Disposition")
        self.content_type: str = response.headers.get("Content-Type", "")
        announced = response.headers.get("Content-Length")
        if announced is not None and not (announced.isascii() and announced.isdigit()):
            raise AttemptFailedError(f"was answered with the nonsensical Content-Length '{announced}'")
        # The length of what a proxy encoded says nothing about the length of the file.
        encoded = response.headers.get("Content-Encoding", "identity").lower() != "identity"
        self.length = None if announced is None or encoded else int(announced)

    def __iter__(self) -> Iterator[bytes]:
        self._movement.start()
        done = counted = 0
        for piece in _pieces(self._response):
            done += len(piece)
            if done - counted >= self._least or done == self.length:
                counted = done
                self._movement.moved()
            elif self._movement.idle > self._stall_timeout:
                raise AttemptFailedError(f"dripped: less than {self._least} bytes in {self._stall_timeout:g} s")
            yield piece
        if self.length is not None and done != self.length:
            raise AttemptFailedError(f"broke off: {done} of {self.length} bytes came")
        if not done:
            raise AttemptFailedError("was answered with an empty body")


class WatchedContent:
    """Content that takes the time in which it moves off a deadline's account."""

    def __init__(self, content: Content, movement: Movement) -> None:
        self._content, self._movement = content, movement

    def __len__(self) -> int:
        return len(self._content)

    def __iter__(self) -> Iterator[bytes]:
        self._movement.start()
        for piece in self._content:
            yield piece
            self._movement.moved()


def read_whole(response: requests.Response, *, limit: int, deadline: Deadline) -> bytes | None:
    """Return a small body; `None` where it is larger than `limit`.

    Raises:
        AttemptFailedError: it has not come as a whole at the deadline, however steadily it drips.
    """
    body = bytearray()
    for piece in _pieces(response):
        body += piece
        if len(body) > limit:
            return None
        if deadline.remaining <= 0:
            raise AttemptFailedError("was answered too slowly")
    return bytes(body)


def read_beginning(response: requests.Response, *, limit: int, deadline: Deadline) -> bytes:
    """Return what comes of a body of which any part will do."""
    body = bytearray()
    with contextlib.suppress(requests.RequestException, urllib3.exceptions.HTTPError):
        for piece in _pieces(response):
            body += piece
            if len(body) >= limit or deadline.remaining <= 0:
                break
    return bytes(body[:limit])


def _pieces(response: requests.Response) -> Iterator[bytes]:
    """Give a body as it comes, without waiting for pieces to be full."""
    raw = response.raw
    read = getattr(raw, "read1", raw.read)  # urllib3 before 2.1 has no `read1`
    while piece := read(PIECE, decode_content=True):
        yield piece
