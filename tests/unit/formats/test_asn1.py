from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyasn1.codec.der import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ

from signpath_ci.formats import FormatError
from signpath_ci.formats.asn1 import (
    INTEGER,
    SEQUENCE,
    SET,
    Fields,
    bit_string,
    contents_octets,
    explicit,
    first_value_size,
    implicit,
    integer,
    members,
    object_identifier,
    octet_string,
    read_integer,
    read_object_identifier,
    read_octet_string,
    reading,
    sequence,
    set_of,
    wrapped,
)


@given(st.binary(max_size=70_000))
def test_octets_survive(value: bytes) -> None:
    assert read_octet_string(octet_string(value)) == value
    assert contents_octets(wrapped(SET, value)) == value


@given(st.integers())
def test_integers_survive(value: int) -> None:
    assert read_integer(integer(value)) == value


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        (object_identifier("1.2.840.113549.1.7.2"), "06092a864886f70d010702"),
        (object_identifier("2.999.1"), "060388 3701"),
        (sequence(integer(1), None, integer(2)), "3006020101020102"),
        (set_of([integer(2), integer(1)]), "3106020101020102"),
        (octet_string(bytes(128)), "048180" + "00" * 128),
    ],
)
def test_encodings(encoding: bytes, expected: str) -> None:
    assert encoding == bytes.fromhex(expected)


@pytest.mark.parametrize(
    ("size", "length"), [(0, "00"), (127, "7f"), (128, "8180"), (255, "81ff"), (256, "820100"), (1 << 16, "83010000")]
)
def test_lengths(size: int, length: str) -> None:
    encoding = wrapped(SET, bytes(size))
    assert encoding == b"\x31" + bytes.fromhex(length) + bytes(size)
    assert contents_octets(encoding) == bytes(size)
    assert first_value_size(encoding + b"more") == len(encoding)
    assert read_octet_string(octet_string(bytes(size))) == bytes(size)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("0.39", "060127"),
        ("1.0", "060128"),
        ("1.39", "06014f"),
        ("2.0", "060150"),
        ("2.1", "060151"),
        ("2.39", "060177"),
        ("2.40", "060178"),
        ("2.48.127.128", "0605 8100 7f 8100"),
        ("1.2.0", "06022a00"),
    ],
)
def test_object_identifiers(text: str, encoding: str) -> None:
    assert object_identifier(text) == bytes.fromhex(encoding)
    assert read_object_identifier(bytes.fromhex(encoding)) == text


@pytest.mark.parametrize("encoding", ["0600", "060181", "06022a81", "06028001", "06032a8001"])
def test_object_identifiers_that_are_none(encoding: str) -> None:
    with pytest.raises(FormatError, match="it is malformed"), reading("it"):
        read_object_identifier(bytes.fromhex(encoding))


def test_an_integer_has_octets() -> None:
    with pytest.raises(FormatError, match="it is malformed"), reading("it"):
        read_integer(b"\2\0")


def test_context_specific_tags() -> None:
    assert [explicit(0), explicit(2), implicit(0), implicit(2)] == [0xA0, 0xA2, 0x80, 0x82]


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        (0, "020100"),
        (1, "020101"),
        (127, "02017f"),
        (128, "02020080"),
        (255, "020200ff"),
        (256, "02020100"),
        (-1, "0201ff"),
        (-128, "020180"),
        (-129, "0202ff7f"),
        (-256, "0202ff00"),
        (1 << 160, "021501" + "00" * 20),
    ],
)
def test_integers(value: int, encoding: str) -> None:
    assert integer(value) == bytes.fromhex(encoding)
    assert read_integer(bytes.fromhex(encoding)) == value


@pytest.mark.parametrize(
    ("bits", "encoding"),
    [
        ((0,), "03020780"),
        ((5,), "03020204"),
        ((7,), "03020001"),
        ((8,), "0303070080"),
        ((0, 15), "0303008001"),
        ((15,), "0303000001"),
    ],
)
def test_bits(bits: tuple[int, ...], encoding: str) -> None:
    assert bit_string(*bits) == bytes.fromhex(encoding)


@pytest.mark.parametrize(
    ("read", "encoding"),
    [
        (read_integer, integer(1)),
        (read_octet_string, octet_string(b"a")),
        (read_object_identifier, object_identifier("1.2.3")),
        (Fields, sequence(integer(1))),
    ],
)
def test_nothing_may_follow_a_value(read: Callable[[bytes], object], encoding: bytes) -> None:
    with reading("it"):
        read(encoding)
    with pytest.raises(FormatError, match="it is malformed"), reading("it"):
        read(encoding + b"\5\0")
    with pytest.raises(FormatError, match="it is malformed"), reading("it"):
        read(b"\5\0")


def test_at_most_a_hundred_members() -> None:
    assert len(members(sequence(*[integer(0)] * 100), SEQUENCE)) == 100


def test_members_are_kept_as_they_are() -> None:
    # The second member is a BOOLEAN that DER writes as 0xFF: decoded and encoded again it would be another one.
    odd = bytes.fromhex("010101")
    assert members(wrapped(SEQUENCE, integer(1) + odd), SEQUENCE) == (integer(1), odd)


@pytest.mark.parametrize("longer", ["04810161", "0482000161", "048400000161", "04840000000161"])
def test_a_length_that_is_longer_than_it_need_be(longer: str) -> None:
    # It would leave room for zeros, and readers differ in what they take (X.690 10.1).
    with pytest.raises(FormatError), reading("it"):
        contents_octets(bytes.fromhex(longer))


@pytest.mark.parametrize("longer", ["02020001", "0202ffff", "0203000001"])
def test_an_integer_that_is_longer_than_it_need_be(longer: str) -> None:
    with pytest.raises(FormatError), reading("it"):
        read_integer(bytes.fromhex(longer))


def test_contents_are_those_of_one_value() -> None:
    assert contents_octets(octet_string(b"a")) == b"a"
    with pytest.raises(FormatError), reading("it"):
        contents_octets(octet_string(b"a") + b"b")


def test_the_size_of_the_first_value_counts_identifier_and_length() -> None:
    assert first_value_size(octet_string(bytes(300)) + b"rest") == 304


def test_fields_are_taken_in_order() -> None:
    fields = Fields(sequence(integer(1), octet_string(b"a")))
    assert fields.take_optional(SET) is None
    assert fields.take(SEQUENCE, INTEGER) == integer(1)
    assert fields.take_optional(4, 5) == octet_string(b"a")
    assert fields.take_optional() is None
    fields.end()


def _nested(depth: int) -> bytes:
    value = b""
    for _ in range(depth):
        value = wrapped(SEQUENCE, value)
    return value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x31\x00",
        b"\x30\x05\x02\x01\x01",
        b"\x30\x80\x02\x01\x01\x00\x00",  # indefinite length: BER, not DER
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x00\x00",
        b"\x30\x02\x1f\x81",
        b"\x30\x03\x1f\x01\x00",  # a tag of several octets, which nothing in a signature has
        b"\x30\x02\x04\x01",  # a member that ends behind the whole
        b"\x30\x81",
        sequence(*[integer(0)] * 101),
    ],
)
def test_malformed_sequences_become_one_error(data: bytes) -> None:
    with pytest.raises(FormatError, match="the thing is malformed"), reading("the thing"):
        members(data, SEQUENCE)


def test_too_few_and_too_many_fields_are_errors() -> None:
    with pytest.raises(FormatError), reading("it"):
        Fields(sequence()).take()
    with pytest.raises(FormatError), reading("it"):
        Fields(sequence(integer(1))).take(SET)
    with pytest.raises(FormatError), reading("it"):
        Fields(sequence(integer(1))).end()


def test_depth_does_not_matter() -> None:
    assert members(_nested(5000), SEQUENCE) == (_nested(4999),)


@given(
    data=st.binary(max_size=60),
    read=st.sampled_from([read_integer, read_object_identifier, read_octet_string, first_value_size, Fields]),
)
def test_any_bytes_give_a_value_or_the_one_error(data: bytes, read: Callable[[bytes], object]) -> None:
    try:
        with reading("it"):
            read(data)
    except FormatError:
        pass


ARCS = st.tuples(st.sampled_from([0, 1]), st.integers(0, 39)) | st.tuples(st.just(2), st.integers(0, 1 << 70))


@given(st.integers())
def test_integers_are_those_of_a_library(value: int) -> None:
    assert integer(value) == encoder.encode(univ.Integer(value))


@given(ARCS, st.lists(st.integers(0, 1 << 70), max_size=5))
@example((2, 39), [127, 128])
@example((2, 40), [0])
def test_object_identifiers_are_those_of_a_library(first: tuple[int, int], rest: list[int]) -> None:
    text = ".".join(map(str, (*first, *rest)))
    assert object_identifier(text) == encoder.encode(univ.ObjectIdentifier(text))
    assert read_object_identifier(object_identifier(text)) == text


@given(st.sets(st.integers(0, 40), min_size=1))
def test_named_bits_are_those_of_a_library(bits: set[int]) -> None:
    expected = univ.BitString(tuple(int(number in bits) for number in range(max(bits) + 1)))
    assert bit_string(*bits) == encoder.encode(expected)


READERS: dict[int, tuple[Callable[[bytes], object], Any, Callable[[Any], object]]] = {
    0x02: (read_integer, univ.Integer(), int),
    0x04: (read_octet_string, univ.OctetString(), bytes),
    0x06: (read_object_identifier, univ.ObjectIdentifier(), str),
}


@given(st.sampled_from(sorted(READERS)), st.binary(min_size=1, max_size=20), st.binary(max_size=2))
def test_a_value_is_read_as_a_library_reads_it(identifier: int, contents: bytes, behind: bytes) -> None:
    read, spec, plain = READERS[identifier]
    encoding = wrapped(identifier, contents) + behind
    try:
        value, rest = decoder.decode(encoding, asn1Spec=spec)
        expected = None if rest else plain(value)
        if identifier == INTEGER and len(encoder.encode(value)) < len(encoding):
            expected = None  # the library takes it, though it is longer than DER has it
    except PyAsn1Error:
        expected = None
    try:
        with reading("it"):
            found = read(encoding)
    except FormatError:
        found = None
    assert found == expected


def test_an_object_identifier_can_not_cost_time_without_bound() -> None:
    longest = wrapped(0x06, b"\xff" * 254 + b"\x01")
    assert object_identifier(read_object_identifier(longest)) == longest

    for more in (255, 10_000_000):  # the last of which would take hours
        with pytest.raises(ValueError, match=f"an object identifier of {more + 1} octets"):
            read_object_identifier(wrapped(0x06, b"\xff" * more + b"\x01"))
