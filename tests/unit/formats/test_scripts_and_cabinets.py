"""Damaged scripts, cabinets and manifests: refused with the reason; whatever the bytes, nothing but the one error."""

from __future__ import annotations

import hashlib
import io
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.formats import FormatError, UnsupportedError, cab, powershell
from signpath_ci.formats.jar import Manifest, strongest_digest, write_section
from tests.support.samples import build_cab

BEGIN, END = b"# SIG # Begin signature block", b"# SIG # End signature block"
BLOCK = b"\r\n".join((b"", BEGIN, b"# AAAA", END, b""))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"text" + BLOCK, "text"),
        (b"text" + BLOCK.replace(b"\r\n", b"\n"), "text"),
        (b"text\n" + BLOCK, "text\n"),
        (BLOCK[2:], ""),
        (b"'# SIG # Begin signature block'" + BLOCK, "'# SIG # Begin signature block'"),
    ],
)
def test_a_signature_covers_the_text_before_its_block(data: bytes, text: str) -> None:
    subject = powershell.read_subject(io.BytesIO(data))
    assert subject.signature == bytes(3)
    assert subject.digest("sha256") == hashlib.sha256(text.encode("utf-16-le")).digest()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"text" + BLOCK + b"more", "something behind it"),
        (b"text" + BLOCK + b" ", "something behind it"),
        (b"text" + BLOCK.replace(b"# AAAA", b"AAAA"), "damaged"),
        (b"text" + BLOCK.replace(b"# AAAA", b"# A"), "no Base64"),
        (b"text" + BLOCK.replace(b"# AAAA", b"# AAAA\rWrite-Output"), "damaged"),
        (b"text" + BLOCK * 2, "exactly one signature block"),
        (b"text" + BLOCK.replace(END, b""), "exactly one signature block"),
        (b"text" + BLOCK.replace(b"Begin", b"BEGIN"), "exactly one signature block"),
        (b"text\r\n" + END + BLOCK, "exactly one signature block"),
    ],
)
def test_damaged_blocks(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        powershell.read_subject(io.BytesIO(data))


def test_other_encodings_are_unsupported() -> None:
    with pytest.raises(UnsupportedError, match="neither UTF-8 nor UTF-16"):
        powershell.read_subject(io.BytesIO("grüße".encode("latin-1")))


def _cab(offset: int, form: str, value: int) -> bytes:
    data = bytearray(build_cab({"a": b"content"}))
    struct.pack_into(form, data, offset, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"MSCF", "cut off"),
        (_cab(4, "<I", 1), "not a cabinet"),
        (_cab(8, "<I", 1), "not what its header says"),
        (_cab(16, "<I", 1), "not listed where"),
        (_cab(26, "<H", 0xFFFF), "not listed where"),
        (_cab(30, "<H", 1), "one of a set"),
        (_cab(34, "<H", 1), "one of a set"),
        (_cab(30, "<H", 4), "reserved bytes"),
        (build_cab({"a": b"1"})[:-1], "cut off, or something is behind"),
        (build_cab({"a": b"1"}) + b"X", "cut off, or something is behind"),
    ],
)
def test_damaged_cabinets(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        cab.read_subject(io.BytesIO(data))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff: x", "not UTF-8"),
        (b"no attribute", "no attribute"),
        (b"A: 1\nA: 2", "one twice"),
        (b"A: 1\n\nB: 2", "without a name"),
        (b"A: 1\n\nName: x\n\nName: x", "without a name of its own"),
    ],
)
def test_damaged_manifests(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        Manifest.read(data, "it")


@given(st.dictionaries(st.sampled_from(["a", "b-digest", "c"]), st.text("ü x\u20ac", min_size=1, max_size=200)))
def test_long_lines_are_folded_within_72_bytes(section: dict[str, str]) -> None:
    data = write_section({"Version": "1", **section})
    assert all(len(line) <= 70 for line in data.split(b"\r\n"))
    assert Manifest.read(data, "it").main == {"version": "1", **section}


def test_the_strongest_digest_counts_and_broken_ones_never_do() -> None:
    assert strongest_digest({"sha-256-digest": "AA==", "sha-512-digest": "AQ=="}, "x") == ("sha512", b"\1")
    for section, error, words in (
        ({}, FormatError, "no digest of x"),
        ({"sha-256-digest": "?"}, FormatError, "no Base64"),
        ({"sha1-digest": "AA=="}, UnsupportedError, "SHA1, which is broken"),
    ):
        with pytest.raises(error, match=words):
            strongest_digest(section, "x")


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for start, read in ((b"", powershell.read_subject), (b"MSCF" + bytes(4), cab.read_subject)):
        with suppress(FormatError):
            read(io.BytesIO(start + data)).digest("sha256")
    with suppress(FormatError):
        Manifest.read(data, "it")
