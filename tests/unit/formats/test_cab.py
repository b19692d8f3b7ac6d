from __future__ import annotations

import hashlib
import io
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.formats import FormatError, UncoveredError, UnsupportedError, cab
from signpath_ci.formats.authenticode import CABINET
from tests.support.samples import build_cab


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
        (_cab(30, "<H", 1), "not listed where|name without an end"),
        (_cab(30, "<H", 4), "reserved bytes|cut off"),
        (build_cab({"a": b"1"})[:-1], "cut off, or something is behind"),
        (build_cab({"a": b"1"}) + b"X", "cut off, or something is behind"),
    ],
)
def test_damaged_cabinets(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        cab.read_subject(io.BytesIO(data))


def _signed_cab(message: bytes = b"message!", **options: int) -> bytes:
    target = io.BytesIO()
    source = io.BytesIO(build_cab({"a": b"content", "b": b"more"}, **options))
    cab.write_signed(source, target, algorithm="sha256", sign=lambda _: message)
    return target.getvalue()


def _read_cab(data: bytes) -> object:
    try:
        subject = cab.read_subject(io.BytesIO(data))
        subject.digest("sha256")
    except FormatError as error:
        return str(error)
    return subject.signatures, subject.digest("sha256"), subject.content("sha256")


@pytest.mark.parametrize("data", [build_cab({}), build_cab({"a": b"content"}), _signed_cab(), _signed_cab(folders=2)])
def test_no_flipped_bit_of_a_cabinet_goes_unnoticed(data: bytes) -> None:
    good = _read_cab(data)
    for place in range(len(data) * 8):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        assert _read_cab(bytes(changed)) != good, place


@pytest.mark.parametrize("folders", [1, 2])
def test_signing_a_cabinet_changes_nothing_that_is_hashed(folders: int) -> None:
    unsigned = cab.read_subject(io.BytesIO(build_cab({"a": b"content", "b": b"more"}, folders=folders)))
    signed = cab.read_subject(io.BytesIO(_signed_cab(folders=folders)))
    assert (unsigned.type, unsigned.signatures) == (CABINET, ())
    assert (signed.type, signed.signatures) == (CABINET, (b"message!",))
    assert signed.digest("sha256") == unsigned.digest("sha256")
    assert signed.content("sha256") == unsigned.content("sha256") == {"": signed.digest("sha256")}
    again = io.BytesIO()
    cab.write_signed(
        io.BytesIO(_signed_cab(b"first one", folders=folders)), again, algorithm="sha256", sign=lambda _: b"message!"
    )
    assert again.getvalue() == _signed_cab(folders=folders)
    for size in range(1, 9):
        padded = bytes(range(1, 1 + size)) + bytes(-size % 8)
        assert cab.read_subject(io.BytesIO(_signed_cab(bytes(range(1, 1 + size))))).signatures == (padded,)


def _patched_cab(offset: int, form: str, value: int) -> bytes:
    data = bytearray(_signed_cab())
    struct.pack_into(form, data, offset, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (_patched_cab(36, "<H", 19), UnsupportedError, "reserved bytes that are not for a signature"),
        (_patched_cab(36, "<H", 60001), FormatError, "impossible numbers"),
        (_patched_cab(38, "<B", 1), FormatError, "not listed where"),
        (_patched_cab(39, "<B", 1), FormatError, "blocks of data are not where"),
        (_patched_cab(40, "<I", 0), UncoveredError, "data in reserved bytes"),
        (_patched_cab(52, "<Q", 1), UncoveredError, "data in reserved bytes"),
        (_patched_cab(48, "<I", 0), FormatError, "gives a signature without a size"),
        (_patched_cab(48, "<I", 16), FormatError, "its size is not what its header says"),
        (_patched_cab(44, "<I", 60), FormatError, "its size is not what its header says"),
        (_signed_cab() + bytes(8), FormatError, "its size is not what its header says"),
        (_cab(12, "<I", 1), FormatError, "not a cabinet"),
        (_cab(20, "<I", 1), FormatError, "not a cabinet"),
        (_cab(32, "<H", 1), None, ""),  # the number of the set may be any
        (_cab(34, "<H", 1), None, ""),  # and its own number in the set
        (_cab(30, "<H", 2), FormatError, "not listed where"),
    ],
)
def test_headers_of_cabinets(data: bytes, error: type[FormatError] | None, words: str) -> None:
    if error is None:
        cab.read_subject(io.BytesIO(data))
        return
    with pytest.raises(FormatError) as caught:
        cab.read_subject(io.BytesIO(data)).digest("sha256")
    assert type(caught.value) is error
    assert words in str(caught.value)


def _with_reserve(
    own: bytes, folder: bytes, block: bytes, padding: int, *, has_pointer: bool, names: bytes = b""
) -> bytes:
    """Build a cabinet whose maker reserved room in the header, in its one folder, and in its one block of data."""
    plain = build_cab({"a": b"content"})
    header, folder_entry, entries = bytearray(plain[:36]), plain[36:44], plain[44 : plain.index(b"content") - 8]
    pointer = bytes(16 if has_pointer else 0)
    reserve = struct.pack("<HH", len(own), len(pointer)) + own + pointer + bytes(padding)
    front = struct.pack("<HBB", len(reserve), len(folder), len(block)) + reserve + names
    files_at = 36 + len(front) + 8 + len(folder)
    data_at = files_at + len(entries)
    data = struct.pack("<IHH", 0, 7, 7) + block + b"content"
    struct.pack_into("<I", header, 8, data_at + len(data))
    struct.pack_into("<I", header, 16, files_at)
    struct.pack_into("<H", header, 30, 4 | (3 if names else 0))
    struct.pack_into("<H", header, 34, 2 if names else 0)
    return bytes(header) + front + struct.pack("<I", data_at) + folder_entry[4:] + folder + entries + data


RESERVES = {
    "room for a signature": _with_reserve(b"", b"", b"", 0, has_pointer=True),
    "padding": _with_reserve(b"", b"", b"", 40, has_pointer=False),
    "a structure of its own": _with_reserve(b"own data", b"", b"", 3, has_pointer=True),
    "folders": _with_reserve(b"", b"folder", b"", 0, has_pointer=True),
    "blocks": _with_reserve(b"", b"", b"block", 0, has_pointer=False),
    "all": _with_reserve(b"own", b"folder", b"block", 9, has_pointer=False),
    "a set": _with_reserve(b"own", b"", b"", 0, has_pointer=True, names=b"a.cab\0one\0b.cab\0two\0"),
}


@pytest.mark.parametrize("case", RESERVES)
def test_cabinets_with_a_reserve(case: str) -> None:
    target = io.BytesIO()
    cab.write_signed(io.BytesIO(RESERVES[case]), target, algorithm="sha256", sign=lambda _: b"message!")
    unsigned, signed = cab.read_subject(io.BytesIO(RESERVES[case])), cab.read_subject(target)
    assert signed.signatures == (b"message!",)
    assert signed.digest("sha256") == unsigned.digest("sha256")
    assert signed.form == unsigned.form
    good = _read_cab(target.getvalue()), signed.form
    for place in range(len(target.getvalue()) * 8):
        changed = bytearray(target.getvalue())
        changed[place // 8] ^= 1 << place % 8
        found = _read_cab(bytes(changed))
        form = b"" if isinstance(found, str) else cab.read_subject(io.BytesIO(bytes(changed))).form
        assert (found, form) != good, place


def test_room_for_a_signature_is_no_signature() -> None:
    data = bytearray(_signed_cab()[:-8])
    struct.pack_into("<II", data, 44, 0, 0)
    subject = cab.read_subject(io.BytesIO(bytes(data)))
    assert subject.signatures == ()
    assert subject.digest("sha256") == cab.read_subject(io.BytesIO(_signed_cab())).digest("sha256")


def test_the_biggest_signature_of_a_cabinet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signpath_ci.formats.cab._MAX_SIGNATURE", 16)
    assert cab.read_subject(io.BytesIO(_signed_cab(b"x" * 16))).signatures == (b"x" * 16,)
    with pytest.raises(FormatError, match=r"its signature has an impossible size \(24 bytes\)"):
        cab.read_subject(io.BytesIO(_signed_cab(b"x" * 17)))


@pytest.mark.parametrize("chunk", [1, 7, 8, 9, 1 << 18])
def test_blocks_are_followed_wherever_a_piece_ends(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signpath_ci.formats.cab._CHUNK", chunk)
    data = build_cab({"a": bytes(range(256)) * 300})
    expected = cab.read_subject(io.BytesIO(data)).digest("sha256")
    assert cab.read_subject(io.BytesIO(_signed(data))).digest("sha256") == expected
    changed = bytearray(_signed(data))
    changed[39] = 1  # another number of bytes is reserved in each block
    with pytest.raises(FormatError, match="blocks of data are not where"):
        cab.read_subject(io.BytesIO(bytes(changed))).digest("sha256")


def _signed(data: bytes) -> bytes:
    target = io.BytesIO()
    cab.write_signed(io.BytesIO(data), target, algorithm="sha256", sign=lambda _: b"message!")
    return target.getvalue()


def test_a_big_cabinet_is_read_in_pieces() -> None:
    files = {"a": bytes(range(256)) * 8200}
    data = build_cab(files)
    read = cab.read_subject(io.BytesIO(data))
    header = data[:4] + struct.pack("<II", len(data) + 24, 0) + struct.pack("<II", 44 + 24, 0) + data[24:30]
    header += struct.pack("<H", 4) + data[32:34] + bytes(4)
    folder = struct.pack("<IHH", int.from_bytes(data[36:40], "little") + 24, *struct.unpack("<HH", data[40:44]))
    assert read.digest("sha256") == hashlib.sha256(header + folder + data[44:]).digest()
    short = io.BytesIO(data)
    subject = cab.read_subject(short)
    short.truncate(len(data) - 1)
    with pytest.raises(FormatError, match="it became shorter while it was read"):
        subject.digest("sha256")


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    with suppress(FormatError):
        cab.read_subject(io.BytesIO(b"MSCF" + bytes(4) + data)).digest("sha256")
