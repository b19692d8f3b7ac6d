"""ASN.1: DER in, DER out, and one error for everything that hostile bytes can cause.

Why this is our own code: docs/decisions/0002-own-der-reader.md. The tests compare it with a library.

Structures are taken apart into their members' encodings (`Fields`) and put together from them (`sequence`), so bytes
that are hashed or parsed again stay what they were, instead of being decoded and encoded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import lru_cache

from signpath_ci.formats import FormatError

# Identifier octets (X.690 8.1.2).
BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31

_LONG_FORM = 0x80  # the bit that says that a length has more than one octet; alone, that it is not given
_TAG_MASK = 0x1F  # all of it set: the tag follows in further octets
_MAX_MEMBERS = 100  # of any structure in a signature; real ones have below 30
_LONGEST_OBJECT_IDENTIFIER = 255  # octets; the time that a number takes grows with the square of its length
_MORE = 0x80  # the bit of an object identifier's octet that says that its number goes on
_REMEMBERED = 256  # object identifiers: there are few, in every signature
_FAILURES = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn whatever hostile bytes cause inside the block into a `FormatError` that names `what` was read."""
    try:
        yield
    except _FAILURES as error:
        raise FormatError(f"{what} is malformed (not the DER that its standard requires)") from error


def explicit(number: int) -> int:
    """Return the identifier octet of a constructed, context-specific tag: [number] EXPLICIT, or of a structure."""
    return 0xA0 | number


def implicit(number: int) -> int:
    """Return the identifier octet of a primitive, context-specific tag: [number] IMPLICIT of a simple value."""
    return 0x80 | number


class Fields:
    """The members of a SEQUENCE, taken one after the other; to be used within `reading`.

    Args:
        encoding: the whole SEQUENCE, nothing after it.
    """

    def __init__(self, encoding: bytes) -> None:
        self._left = list(members(encoding, SEQUENCE))

    def take(self, *identifiers: int) -> bytes:
        """Take the next member, which must have one of these identifiers (none given: any), as it is encoded."""
        if identifiers and self._left[0][0] not in identifiers:
            raise ValueError(f"identifier {self._left[0][0]:#x} instead of {identifiers}")
        return self._left.pop(0)

    def take_optional(self, *identifiers: int) -> bytes | None:
        """Take the next member where it has one of these identifiers (none given: any)."""
        if self._left and (not identifiers or self._left[0][0] in identifiers):
            return self._left.pop(0)
        return None

    def end(self) -> None:
        """Require that nothing is left."""
        if self._left:
            raise ValueError(f"{len(self._left)} members too many")


def members(encoding: bytes, identifier: int) -> tuple[bytes, ...]:
    """Split a SET, SEQUENCE, SET OF or SEQUENCE OF into its members' encodings, untouched, in their order.

    To be used within `reading`. The number is bounded, so that a small file can't ask for a lot of memory.
    """
    _demand(encoding, identifier)
    position, end = _extent_of_all(encoding)
    found: list[bytes] = []
    while position < end:
        if len(found) == _MAX_MEMBERS:
            raise ValueError("too many members")
        _, behind = extent(encoding, position)
        found.append(encoding[position:behind])
        position = behind
    return tuple(found)


def _extent_of_all(encoding: bytes) -> tuple[int, int]:
    start, end = extent(encoding)
    if end < len(encoding):
        raise ValueError(f"{len(encoding) - end} bytes after the value")
    return start, end


def extent(data: bytes | memoryview, position: int = 0) -> tuple[int, int]:
    """Return where the contents octets of the DER value at `position` start, and where they end (X.690 8.1)."""
    identifier, length = data[position : position + 2]
    start = position + 2
    if identifier & _TAG_MASK == _TAG_MASK or length == _LONG_FORM:
        raise ValueError("an identifier of several octets, or a length that is not given")
    if length > _LONG_FORM:
        count = length - _LONG_FORM
        octets = data[start : start + count]
        length = int.from_bytes(octets, "big")
        start += count
        # X.690 10.1: the shortest form; zeros in front are room that no value has.
        if length < _LONG_FORM or not octets[0]:
            raise ValueError("a length that is longer than it need be")
    if start + length > len(data):
        raise ValueError("it is cut off")
    return start, start + length


def first_value_size(data: bytes | memoryview) -> int:
    """Return the size of the one DER value that `data` starts with, identifier and length included."""
    return extent(data)[1]


def contents_octets(encoding: bytes) -> bytes:
    """Return what is left of one DER value without its identifier and length octets (X.690 8.1)."""
    start, end = _extent_of_all(encoding)
    return encoding[start:end]


def read_integer(encoding: bytes) -> int:
    """Decode an INTEGER."""
    contents = _contents_of(encoding, INTEGER)
    if not contents:
        raise ValueError("an integer without a value")
    if len(contents) > 1 and (contents[0], contents[1] >> 7) in {(0x00, 0), (0xFF, 1)}:
        raise ValueError("an integer that is longer than it need be (X.690 8.3.2)")
    return int.from_bytes(contents, "big", signed=True)


@lru_cache(_REMEMBERED)
def read_object_identifier(encoding: bytes) -> str:
    """Decode an OBJECT IDENTIFIER into its dotted form."""
    contents = _contents_of(encoding, OBJECT_IDENTIFIER)
    if len(contents) > _LONGEST_OBJECT_IDENTIFIER:
        raise ValueError(f"an object identifier of {len(contents)} octets")
    numbers, number, is_begun = [], 0, False
    for octet in contents:
        if octet == _MORE and not is_begun:
            raise ValueError("a number with a leading zero")
        number = number << 7 | octet & ~_MORE
        is_begun = bool(octet & _MORE)
        if not is_begun:
            numbers.append(number)
            number = 0
    if is_begun or not numbers:
        raise ValueError("an object identifier that is cut off")
    # The first two numbers are one (X.690 8.19.4).
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def read_octet_string(encoding: bytes) -> bytes:
    """Decode an OCTET STRING."""
    return _contents_of(encoding, OCTET_STRING)


def read_time(encoding: bytes) -> datetime:
    """Decode a Time as signingTime has it: to the second, in UTC (RFC 5652 section 11.3)."""
    if encoding[0] == UTC_TIME:
        text = _contents_of(encoding, UTC_TIME).decode("ascii")
        # RFC 5652 section 11.3: a year of two digits from 50 on is in the last century.
        text = ("19" if text[:2] >= "50" else "20") + text
    else:
        text = _contents_of(encoding, GENERALIZED_TIME).decode("ascii")
    if len(text) != len("YYYYMMDDHHMMSSZ") or not text[:-1].isdigit():
        raise ValueError("a time that is not in UTC, to the second")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)


def wrapped(identifier: int, contents: bytes) -> bytes:
    """Put an identifier octet and the length in front of contents octets (X.690 8.1)."""
    size = len(contents)
    if size < _LONG_FORM:
        return bytes((identifier, size)) + contents
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((identifier, _LONG_FORM | len(length))) + length + contents


def sequence(*parts: bytes | None) -> bytes:
    """Encode a SEQUENCE of members; `None` stands for an absent one."""
    return wrapped(SEQUENCE, b"".join(part for part in parts if part is not None))


def set_of(parts: Iterable[bytes], identifier: int = SET) -> bytes:
    """Encode a SET OF: sorted (X.690 11.6)."""
    return wrapped(identifier, b"".join(sorted(parts)))


def integer(value: int) -> bytes:
    """Encode an INTEGER."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return wrapped(INTEGER, value.to_bytes(size, "big", signed=True))


def object_identifier(value: str) -> bytes:
    """Encode an OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = map(int, value.split("."))
    return wrapped(OBJECT_IDENTIFIER, b"".join(map(_base_128, (40 * first + second, *rest))))


def octet_string(value: bytes) -> bytes:
    """Encode an OCTET STRING."""
    return wrapped(OCTET_STRING, value)


def bit_string(*set_bits: int) -> bytes:
    """Encode a BIT STRING with named bits (X.690 11.2.2), of which these are set."""
    size = max(set_bits) // 8 + 1
    bits = sum(1 << 8 * size - 1 - number for number in set(set_bits))
    return wrapped(BIT_STRING, bytes([7 - max(set_bits) % 8]) + bits.to_bytes(size, "big"))


def _contents_of(encoding: bytes, identifier: int) -> bytes:
    _demand(encoding, identifier)
    return contents_octets(encoding)


def _demand(encoding: bytes, identifier: int) -> None:
    if encoding[0] != identifier:
        raise ValueError(f"identifier {encoding[0]:#x} instead of {identifier:#x}")


def _base_128(number: int) -> bytes:
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(number & 0x7F | _MORE)
    return bytes(reversed(octets))
