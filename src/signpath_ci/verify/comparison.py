"""One pass over a signed file tells its digest, and whether it is the file that was submitted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TypeVar

from signpath_ci.formats import FormatError
from signpath_ci.formats.authenticode import Part, Subject
from signpath_ci.verify.identity import not_submitted

T = TypeVar("T")


def digest_and_compare(signed: Subject, submitted: Subject, algorithm: str) -> tuple[bytes, bool]:
    """Hash a signed file, and compare it with the submitted one on the way: far quicker than hashing both.

    Returns:
        What `signed.digest` does; and whether both have the same parts, byte for byte.

    Raises:
        FormatError: the signed file can't be read.
        VerificationError: the submitted file can't be read as what the signed one is.
    """
    hashed = hashlib.new(algorithm, signed.prefix(algorithm))
    theirs = _Follower(submitted)
    convert = signed.readings[0].convert
    hashed.update(signed.readings[0].prefix)
    for path, pieces in signed.parts():
        theirs.follow_part(path)
        for piece in pieces:
            hashed.update(convert(piece))
            theirs.follow(piece)
    theirs.follow_part(None)
    return hashed.digest(), theirs.is_same and signed.form == submitted.form


class _Follower:
    """Reads a file along with another one, as long as both are the same; where one piece ends does not matter."""

    def __init__(self, subject: Subject) -> None:
        self.is_same = True
        self._parts: Iterator[Part] = _as_submitted(subject.parts())
        self._pieces: Iterator[bytes] = iter(())
        self._piece = b""

    def follow_part(self, path: str | None) -> None:
        """Expect the end of the part so far, then a part with this path; `None`: the end of all."""
        if self.is_same:
            self._advance()
            found, pieces = next(self._parts, (None, iter(())))
            self._pieces = _as_submitted(pieces)
            self.is_same = not self._piece and found == path

    def follow(self, data: bytes) -> None:
        """Expect these bytes."""
        while data and self.is_same:
            self._advance()
            size = min(len(data), len(self._piece))
            self.is_same = size > 0 and data[:size] == self._piece[:size]
            data, self._piece = data[size:], self._piece[size:]

    def _advance(self) -> None:
        while not self._piece:
            found = next(self._pieces, None)
            if found is None:
                return
            self._piece = found


def _as_submitted(found: Iterator[T]) -> Iterator[T]:
    try:
        yield from found
    except FormatError as error:
        raise not_submitted(error) from error
