from __future__ import annotations

import hashlib
import io
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.formats import FormatError, UncoveredError, UnsupportedError
from signpath_ci.formats.authenticode import PE_IMAGE
from signpath_ci.formats.pe import (
    Image,
    _add_to_checksum,
    content_digest,
    read_image,
    read_signatures,
    read_subject,
    write_signed,
)
from signpath_ci.formats.registry import detect
from tests.support.pe import LAUNCHERS, build_pe, certificate_entry, imagehlp_checksum, stored_checksum


def _sign(data: bytes, message: bytes = b"message") -> tuple[bytes, bytes]:
    """Return the signed file and the digest that was to be signed."""
    digests = []

    def sign(digest: bytes) -> bytes:
        digests.append(digest)
        return message

    target = io.BytesIO()
    source = io.BytesIO(data)
    write_signed(source, target, algorithm="sha256", sign=sign)
    return target.getvalue(), digests[0]


def _patched(offset: int, form: str, value: int) -> bytes:
    data = bytearray(build_pe())
    struct.pack_into(form, data, offset, value)
    return bytes(data)


def _digest(data: bytes) -> bytes:
    file = io.BytesIO(data)
    return content_digest(file, read_image(file), "sha256")


def _reference_digest(data: bytes, directories: int = 152 - 24) -> bytes:
    """Hash an unsigned x64 file as the specification says it, at once."""
    optional = int.from_bytes(data[60:64], "little") + 24
    checksum, security = optional + 64, optional + directories + 16
    padded = data + bytes(-len(data) % 8)
    return hashlib.sha256(padded[:checksum] + padded[checksum + 4 : security] + padded[security + 8 :]).digest()


def test_the_digest_leaves_out_checksum_directory_and_table() -> None:
    data = build_pe()
    assert _digest(data) == _reference_digest(data)


@pytest.mark.parametrize("size", range(9))
@pytest.mark.parametrize("is_64", [True, False])
def test_both_kinds_of_headers_and_every_padding(size: int, is_64: bool) -> None:
    data = build_pe(content=bytes(range(1, 1 + size)), is_64=is_64)
    base = 64 + 24 + (112 if is_64 else 96)
    image = Image(checksum_offset=152, directory_offset=base + 32, content_end=512 + size, table_size=0)
    assert read_image(io.BytesIO(data)) == image
    assert _digest(data) == _reference_digest(data, 128 if is_64 else 112)
    signed, digest = _sign(data, b"a message of 24 bytes !!")
    padded = size + -size % 8
    assert read_image(io.BytesIO(signed)) == replace(image, content_end=512 + padded, table_size=32)
    assert digest == _digest(signed) == _digest(data)
    assert stored_checksum(signed) == imagehlp_checksum(signed)
    assert signed[512 + padded :] == bytes.fromhex("20000000 0002 0200") + b"a message of 24 bytes !!"


@pytest.mark.parametrize(
    ("place", "is_hashed"),
    [(151, True), (152, False), (155, False), (156, True), (231, True), (232, False), (239, False), (240, True)],
)
def test_what_lies_beside_checksum_and_directory_is_hashed(place: int, is_hashed: bool) -> None:
    data = build_pe()
    changed = bytearray(data)
    changed[place] ^= 1
    image = read_image(io.BytesIO(data))
    assert (content_digest(io.BytesIO(bytes(changed)), image, "sha256") != _digest(data)) is is_hashed


def _read(data: bytes) -> object:
    try:
        subject = read_subject(io.BytesIO(data))
    except FormatError as error:
        return str(error)
    return subject.signatures, subject.digest("sha256")


@pytest.mark.parametrize("is_64", [True, False])
def test_no_flipped_bit_but_those_of_the_checksum_goes_unnoticed(is_64: bool) -> None:
    data, _ = _sign(build_pe(content=b"content", is_64=is_64))
    good = _read(data)
    unnoticed = set()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        if _read(bytes(changed)) == good:
            unnoticed.add(place)
    assert unnoticed == {152, 153, 154, 155}


def test_a_file_is_read_as_what_a_signature_is_for() -> None:
    signed, digest = _sign(build_pe(), b"message!")
    for data, signatures in ((signed, (b"message!",)), (build_pe(), ())):
        subject = read_subject(io.BytesIO(data))
        assert (subject.type, subject.signatures) == (PE_IMAGE, signatures)
        assert subject.digest("sha256") == digest
        assert subject.content("sha256") == {"": digest}


@pytest.mark.parametrize(
    "data",
    [
        build_pe(directories=5),
        _patched(64 + 24 + 108, "<I", 5),
        build_pe(section=(0, 1 << 31)),  # a section without data is nowhere
        build_pe(section=(511, 512)),
        build_pe(appended=b"data of an installer"),
        build_pe(table=certificate_entry(b"message")),
    ],
)
def test_images_that_can_be_read(data: bytes) -> None:
    image = read_image(io.BytesIO(data))
    assert (image.checksum_offset, image.directory_offset) == (152, 232)
    assert image.content_end + image.table_size == len(data)


def test_the_sizes_of_a_certificate_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def table_size(data: bytes) -> int:
        return read_image(io.BytesIO(data)).table_size

    monkeypatch.setattr("signpath_ci.formats.pe._MAX_TABLE_SIZE", 32)
    assert table_size(build_pe(table=bytes(8))) == 8
    assert table_size(build_pe(table=bytes(32))) == 32
    for size in (7, 33):
        with pytest.raises(FormatError, match=f"its certificate table has an impossible size \\({size} bytes\\)"):
            read_image(io.BytesIO(build_pe(table=bytes(size))))


def test_a_signature_without_padding_and_with_the_most() -> None:
    for size in range(1, 10):
        message = bytes(range(1, 1 + size))
        file = io.BytesIO(build_pe(table=certificate_entry(message)))
        assert read_signatures(file, read_image(file)) == (message.ljust(-(-size // 8) * 8, b"\0"),)


@pytest.mark.parametrize("architecture", sorted(LAUNCHERS))
def test_signing_changes_nothing_that_is_hashed(architecture: str) -> None:
    data = LAUNCHERS[architecture].read_bytes()
    signed, digest = _sign(data)
    assert digest == _digest(data) == _digest(signed)
    assert stored_checksum(signed) == imagehlp_checksum(signed)
    file = io.BytesIO(signed)
    assert read_signatures(file, read_image(file)) == (b"message\0",)
    assert read_signatures(io.BytesIO(data), read_image(io.BytesIO(data))) == ()


@given(size=st.integers(0, 40), is_64=st.booleans(), message=st.binary(min_size=1, max_size=40))
def test_every_size_is_padded_and_summed(size: int, is_64: bool, message: bytes) -> None:
    data = build_pe(content=bytes(range(100, 100 + size)), is_64=is_64)
    signed, digest = _sign(data, message)
    assert len(signed) % 8 == 0
    assert digest == _digest(data) == _digest(signed)
    assert stored_checksum(signed) == imagehlp_checksum(signed)


def test_a_checksum_may_be_summed_in_pieces_of_any_size() -> None:
    data = bytes(range(1, 100))
    whole = _add_to_checksum(0, 0, data)
    assert whole == sum(int.from_bytes(data[n : n + 2], "little") for n in range(0, 99, 2)) % 0xFFFF
    for n in range(100):
        assert _add_to_checksum(_add_to_checksum(0, 0, data[:n]), n, data[n:]) == whole


def test_a_signature_is_replaced() -> None:
    data = build_pe()
    once, _ = _sign(data, b"first, longer message")
    twice, _ = _sign(once, b"second")
    assert twice == _sign(data, b"second")[0]


def test_a_digest_of_a_file_bigger_than_a_chunk_is_the_same_as_at_once() -> None:
    data = build_pe(content=bytes(range(256)) * 12345)
    assert _digest(data) == _reference_digest(data)
    signed, _ = _sign(data)
    assert stored_checksum(signed) == imagehlp_checksum(signed)


ENTRY = certificate_entry(b"message")


def _table_at(offset: int) -> bytes:
    """Build a file without content, so that only the section table, from 328 to 367, is what a table can overlap."""
    data = bytearray(build_pe(content=b"", section=(0, 0), security=(offset, 512 - offset)))
    struct.pack_into("<I", data, 64 + 24 + 60, 0)
    return bytes(data)


def test_a_table_right_behind_the_section_table() -> None:
    assert read_image(io.BytesIO(_table_at(368))).content_end == 368


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", FormatError, "the DOS header ends after the file"),
        (b"MZ", FormatError, "cut off"),
        (b"PK".ljust(200), FormatError, "cut off"),
        (bytes(200), FormatError, "not a PE file"),
        (build_pe()[:400], FormatError, "cut off"),
        (build_pe()[:-1], FormatError, "sections end after the file"),
        (build_pe(section=(1 << 31, 512)), FormatError, "sections end after the file"),
        (build_pe(section=(513, 512)), FormatError, "sections end after the file"),
        (build_pe(section=(512, 513), table=ENTRY), FormatError, "its certificate table overlaps the image"),
        (_patched(64 + 20, "<H", 112 + 39), UnsupportedError, "no security directory"),
        (_patched(64 + 24 + 60, "<I", 1025), FormatError, "sections end after the file"),
        (_patched(64 + 24 + 60, "<I", 1 << 31), FormatError, "sections end after the file"),
        (_patched(64 + 24 + 108, "<I", 4), UnsupportedError, "no security directory"),
        (_table_at(360), FormatError, "its certificate table overlaps the image"),
        (_patched(64 + 6, "<H", 1000), FormatError, "the section table ends after the file"),
        (_patched(64 + 20, "<H", 60000), FormatError, "the optional header ends after the file"),
        (_patched(60, "<I", 60000), FormatError, "the PE header ends after the file"),
        (_patched(0, "<H", 0), FormatError, "it is not a PE file"),
        (_patched(64, "<H", 0), FormatError, "it is not a PE file"),
        (build_pe(directories=4), UnsupportedError, "no security directory"),
        (build_pe().replace(b"\x0b\x02", b"\x07\x01", 1), UnsupportedError, "neither PE32 nor PE32+ (magic 0x107)"),
        (build_pe(table=ENTRY, appended=b"x" * 8), UncoveredError, "data after its certificate table"),
        (build_pe(table=ENTRY)[:-8], FormatError, "the certificate table ends after the file"),
        (build_pe(content=b"x" * 511, table=ENTRY), FormatError, "not aligned to 8 bytes"),
        (build_pe(security=(512, 512)), FormatError, "overlaps the image"),
        (build_pe(security=(0, 1024)), FormatError, "overlaps the image"),
        (build_pe(security=(1024, 0)), FormatError, "a certificate table without a size"),
        (build_pe(table=b"12345"), FormatError, "impossible size (5 bytes)"),
        (build_pe(security=(1024, 0xFFFFFFFF)), FormatError, "ends after the file"),
    ],
)
def test_images_that_can_not_be_read(data: bytes, error: type[FormatError], words: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_image(io.BytesIO(data))
    assert type(caught.value) is error
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("table", "error", "words"),
    [
        (ENTRY * 9, UnsupportedError, "more than 8 entries"),
        (certificate_entry(b"messages") + bytes(8), FormatError, "impossible length (0 bytes)"),
        (certificate_entry(b"messages") + bytes(4), UncoveredError, "padded by more"),
        (certificate_entry(b"message", length=8), FormatError, "impossible length (8 bytes)"),
        (certificate_entry(b"message", length=17), FormatError, "impossible length (17 bytes)"),
        (certificate_entry(b"message", revision=0x100), UnsupportedError, "(0x100, 0x2)"),
        (certificate_entry(b"message", kind=1), UnsupportedError, "(0x200, 0x1)"),
        (certificate_entry(b"messages", length=15), UncoveredError, "padded with data"),
    ],
)
def test_certificate_tables_that_can_not_be_read(table: bytes, error: type[FormatError], words: str) -> None:
    file = io.BytesIO(build_pe(table=table))
    image = read_image(file)
    with pytest.raises(FormatError) as caught:
        read_signatures(file, image)
    assert type(caught.value) is error
    assert words in str(caught.value)


def test_a_file_that_shrinks_while_it_is_read() -> None:
    data = build_pe()
    image = read_image(io.BytesIO(data))
    with pytest.raises(FormatError, match="became shorter"):
        content_digest(io.BytesIO(data[:700]), image, "sha256")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (build_pe(), "pe"),
        (b"PK\x03\x04rest", "zip"),
        (b"PK\x05\x06" + bytes(18), "zip"),
        (b"MZ" + bytes(100), None),
        (b"MZ", None),
        (b"MZ".ljust(60, b"\0") + struct.pack("<I", 0xFFFFFFFF), None),
        (b"", None),
        (b"#!/bin/sh", None),
    ],
)
def test_the_kind_is_told_by_the_bytes(data: bytes, kind: str | None) -> None:
    assert detect(io.BytesIO(data)) == kind
