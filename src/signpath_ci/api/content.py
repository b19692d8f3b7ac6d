"""Bodies of requests that are larger than memory should be: made piece by piece, again for each attempt."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Protocol

from signpath_ci.values import dataclass

PIECE = 256 * 1024
"""Bytes of a piece that is sent or received: large enough for speed, small enough for progress on a slow line."""


class Content(Protocol):
    """Bytes of a known length; each iteration makes them anew, from the start."""

    def __len__(self) -> int:
        """Return how many bytes there are."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """Return the pieces. Raising breaks the request off."""
        ...


@dataclass(frozen=True)
class FilePart:
    """A file in a form.

    Attributes:
        name: of the field.
        file_name: of the file, without a directory.
        content: its bytes.
    """

    name: str
    file_name: str
    content: Content | bytes


class MultipartForm:
    """A `multipart/form-data` body (RFC 7578), streamed.

    Args:
        fields: name and value of each field.
        files: what follows the fields.
    """

    def __init__(self, fields: Sequence[tuple[str, str]], files: Sequence[FilePart] = ()) -> None:
        self._boundary = secrets.token_hex(24)  # too random to occur in any content
        self._parts: list[bytes | Content] = []
        for name, value in fields:
            self._parts += [self._head(f'name="{_quoted(name)}"'), value.encode("utf-8", "replace"), b"\r\n"]
        for part in files:
            disposition = f'name="{_quoted(part.name)}"; filename="{_quoted(part.file_name)}"'
            self._parts += [
                self._head(disposition, "Content-Type: application/octet-stream\r\n"),
                part.content,
                b"\r\n",
            ]
        self._parts.append(f"--{self._boundary}--\r\n".encode())

    @property
    def content_type(self) -> str:
        """The `Content-Type` that goes with it."""
        return f"multipart/form-data; boundary={self._boundary}"

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def __iter__(self) -> Iterator[bytes]:
        small = b""
        for part in self._parts:
            if isinstance(part, bytes):
                small += part
                continue
            yield small
            small = b""
            yield from part
        yield small

    def _head(self, disposition: str, more: str = "") -> bytes:
        return f"--{self._boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{more}\r\n".encode(
            "utf-8", "replace"
        )


def _quoted(name: str) -> str:
    """Escape what would end the name; the rest is UTF-8 as it is (RFC 7578, sections 2 and 5.1; WHATWG HTML)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
