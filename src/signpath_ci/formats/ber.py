"""BER, as some programs write detached CMS messages while they stream: made into DER, before anything reads it.

Two forms are known: a length that is not given (X.690 8.1.3.6), and OCTET STRINGs in pieces (8.7.3). What is left has
one reading, with the strict reader of `asn1`, which refuses everything else that BER allows and DER does not.
"""

from __future__ import annotations

from signpath_ci.formats.asn1 import OCTET_STRING, extent, reading, wrapped

_CONSTRUCTED = 0x20
_INDEFINITE = 0x80
_TAG_MASK = 0x1F
_END = b"\0\0"
_MAX_DEPTH = 32
_MAX_VALUES = 10_000


def der_from_ber(data: bytes, what: str) -> bytes:
    """Return the DER of one BER value; of DER the same bytes.

    Args:
        data: the value, nothing behind it.
        what: how a message calls it.

    Raises:
        FormatError: it is cut off, too deep, or has too many parts.
    """
    if len(data) < len(_END) or data[1] != _INDEFINITE:
        return data
    with reading(what):
        reader = _Reader(data)
        encoding, end = reader.value(0, 0)
        if end != len(data):
            raise ValueError(f"{len(data) - end} bytes after the value")
        return encoding


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._count = 0

    def value(self, position: int, depth: int) -> tuple[bytes, int]:
        """Return the DER of the value at a position, and where it ends."""
        self._count += 1
        if depth > _MAX_DEPTH or self._count > _MAX_VALUES:
            raise ValueError("too deep, or too many parts")
        identifier, length = self._data[position : position + 2]
        if identifier & _TAG_MASK == _TAG_MASK:
            raise ValueError("an identifier of several octets")
        if not identifier & _CONSTRUCTED:
            _, end = extent(self._data, position)
            return self._data[position:end], end
        if length == _INDEFINITE:
            parts, end = self._parts(position + 2, None, depth)
        else:
            start, end = extent(self._data, position)
            parts, _ = self._parts(start, end, depth)
        if identifier == OCTET_STRING | _CONSTRUCTED:
            return wrapped(OCTET_STRING, b"".join(map(_octets, parts))), end
        return wrapped(identifier, b"".join(parts)), end

    def _parts(self, position: int, end: int | None, depth: int) -> tuple[list[bytes], int]:
        parts: list[bytes] = []
        while position != end:
            if end is None and self._data[position : position + 2] == _END:
                return parts, position + 2
            part, position = self.value(position, depth + 1)
            if end is not None and position > end:
                raise ValueError("a part that ends behind the whole")
            parts.append(part)
        return parts, position


def _octets(part: bytes) -> bytes:
    start, end = extent(part)
    if part[0] != OCTET_STRING or end != len(part):
        raise ValueError("a piece that is not a OCTET STRING")
    return part[start:end]
