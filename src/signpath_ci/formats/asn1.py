"""The one door to the ASN.1 library: DER in, DER out, and one error for everything that hostile bytes can cause.

Structures are taken apart into their members' encodings (`Fields`) and put together from them (`sequence`), so bytes
that are hashed or parsed again stay what they were, instead of being decoded and encoded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pyasn1.codec.der import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import base, univ

from signpath_ci.formats import FormatError

# Identifier octets (X.690 8.1.2).
BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31

_LONG_FORM = 0x80  # the bit that says that a length has more than one octet; alone, that it is not given
_TAG_MASK = 0x1F  # all of it set: the tag follows in further octets
_MAX_MEMBERS = 100  # of any structure in a signature; real ones have below 30
_FAILURES = (
    PyAsn1Error,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn whatever hostile bytes cause inside the block into a `FormatError` that names `what` was read."""
    try:
        yield
    except _FAILURES as error:
        raise FormatError(f"{what} is malformed (not the DER that its standard demands)") from error


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
        """Demand that nothing is left."""
        if self._left:
            raise ValueError(f"{len(self._left)} members too many")


def members(encoding: bytes, identifier: int) -> tuple[bytes, ...]:
    """Split a SET, SEQUENCE, SET OF or SEQUENCE OF into its members' encodings, untouched, in their order.

    To be used within `reading`. The number is bounded, so that a small file can't ask for a lot of memory.
    """
    if encoding[0] != identifier:
        raise ValueError(f"identifier {encoding[0]:#x} instead of {identifier:#x}")
    position, end = _extent_of_all(encoding)
    found: list[bytes] = []
    while position < end:
        if len(found) == _MAX_MEMBERS:
            raise ValueError("too many members")
        _, behind = _extent(encoding, position)
        found.append(encoding[position:behind])
        position = behind
    return tuple(found)


def _extent_of_all(encoding: bytes) -> tuple[int, int]:
    start, end = _extent(encoding)
    if end < len(encoding):
        raise ValueError(f"{len(encoding) - end} bytes after the value")
    return start, end


def _extent(data: bytes, position: int = 0) -> tuple[int, int]:
    """Return where the contents octets of the DER value at `position` start, and where they end (X.690 8.1)."""
    identifier, length = data[position : position + 2]
    start = position + 2
    if identifier & _TAG_MASK == _TAG_MASK or length == _LONG_FORM:
        raise ValueError("an identifier of several octets, or a length that is not given")
    if length > _LONG_FORM:
        count = length - _LONG_FORM
        length = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + length > len(data):
        raise ValueError("it is cut off")
    return start, start + length


def first_value_size(data: bytes) -> int:
    """Return the size of the one DER value that `data` starts with, identifier and length included."""
    return _extent(data)[1]


def contents_octets(encoding: bytes) -> bytes:
    """Return what is left of one DER value without its identifier and length octets (X.690 8.1)."""
    start, end = _extent_of_all(encoding)
    return encoding[start:end]


def read_integer(encoding: bytes) -> int:
    """Decode an INTEGER."""
    return int(_decode(encoding, univ.Integer()))


def read_object_identifier(encoding: bytes) -> str:
    """Decode an OBJECT IDENTIFIER into its dotted form."""
    return str(_decode(encoding, univ.ObjectIdentifier()))


def read_octet_string(encoding: bytes) -> bytes:
    """Decode an OCTET STRING."""
    return bytes(_decode(encoding, univ.OctetString()))


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
    return _encode(univ.Integer(value))


def object_identifier(value: str) -> bytes:
    """Encode an OBJECT IDENTIFIER from its dotted form."""
    return _encode(univ.ObjectIdentifier(value))


def octet_string(value: bytes) -> bytes:
    """Encode an OCTET STRING."""
    return wrapped(OCTET_STRING, value)


def bit_string(*set_bits: int) -> bytes:
    """Encode a BIT STRING with named bits (X.690 11.2.2), of which these are set."""
    return _encode(univ.BitString(tuple(int(n in set_bits) for n in range(max(set_bits) + 1))))


def _decode(encoding: bytes, spec: base.Asn1Type) -> Any:
    value, rest = decoder.decode(encoding, asn1Spec=spec)
    if rest:
        raise ValueError(f"{len(rest)} bytes after the value")
    return value


def _encode(value: base.Asn1Type) -> bytes:
    encoded: bytes = encoder.encode(value)
    return encoded
