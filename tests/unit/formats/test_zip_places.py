from __future__ import annotations

import io
import struct
import zipfile
from typing import IO

import pytest

from signpath_ci.formats import FormatError
from signpath_ci.formats.zip import open_archive
from tests.support.archives import build_zip


class _Stream(io.RawIOBase):
    """A file that can't be gone back in, as a pipe: sizes stand behind each entry in it."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += bytes(data)  # type: ignore[call-overload]  # a buffer, whichever
        return len(data)  # type: ignore[arg-type]


def _names(data: bytes) -> list[str]:
    with open_archive(io.BytesIO(data)) as archive:
        return [info.filename for info in archive.entries]


def _write(target: IO[bytes], *, is_large: bool = False, compression: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name in ("a", "dir/ünïcode"):
            with archive.open(name, "w", force_zip64=is_large) as entry:
                entry.write(b"content" * 100)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("is_large", [False, True])
def test_sizes_in_front_of_an_entry_and_behind_it(is_large: bool, compression: int) -> None:
    stream, file = _Stream(), io.BytesIO()
    _write(stream, is_large=is_large, compression=compression)  # type: ignore[arg-type]  # what a ZipFile writes to
    _write(file, is_large=is_large, compression=compression)
    assert stream.data != file.getvalue()
    assert _names(stream.data) == _names(file.getvalue()) == ["a", "dir/ünïcode"]


@pytest.mark.parametrize("sizes", [[0], [4], [40_000], [0, 4, 9]])
def test_sizes_behind_other_extra_fields(sizes: list[int]) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo("a")
        # Filled with what may be taken for sizes, if it were not skipped.
        wrong = struct.pack("<HHQQ", 1, 16, 9, 9) * 2000
        info.extra = b"".join(struct.pack("<HH", 0x5455, size) + wrong[:size] for size in sizes)
        with archive.open(info, "w", force_zip64=True) as entry:
            entry.write(b"content")
    content = bytearray(file.getvalue())
    struct.pack_into("<II", content, 18, 0xFFFFFFFF, 0xFFFFFFFF)  # zipfile before 3.11.4 writes the sizes here, too
    assert _names(bytes(content)) == ["a"]


def _with_extra(extra: bytes, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo("a")
        info.extra = extra
        archive.writestr(info, content)
    return file.getvalue()


def test_extra_fields_that_do_not_matter() -> None:
    assert _names(_with_extra(b"odd", b"content")) == ["a"]
    assert _names(_with_extra(struct.pack("<HHQQ", 1, 16, 9, 9), b"content")) == ["a"]  # sizes that nobody asks for
    assert _names(_with_extra(struct.pack("<HH40x", 0x5455, 40), bytes(20) + b"PK\x03\x04" + bytes(20))) == ["a"]


def test_a_name_in_the_old_code_page() -> None:
    data = build_zip({"aXb": b"1"}).replace(b"aXb", b"a\x81b")
    assert _names(data) == ["a\u00fcb"]


def test_what_may_be_an_entry_may_not_lie_between_entries_only() -> None:
    with pytest.raises(FormatError, match="data between its entries that may be taken for one"):
        _names(_spread(b"PK\x03\x04", is_behind=False))


def _spread(gap: bytes, *, comment: bytes = b"", is_behind: bool = True) -> bytes:
    """Build an archive with `gap` behind its first entry, and behind its last one."""
    data = build_zip({"a": b"1", "b": b"2"}, compression=0, comment=comment)
    first, second, directory = 0, data.index(b"PK\x03\x04", 1), data.index(b"PK\x01\x02")
    moved = bytearray(data[first:second] + gap + data[second:directory] + gap * is_behind + data[directory:])
    place = moved.index(b"PK\x01\x02")
    struct.pack_into("<I", moved, moved.index(b"PK\x01\x02", place + 1) + 42, second + len(gap))
    struct.pack_into("<I", moved, moved.index(b"PK\x05\x06") + 16, place)
    return bytes(moved)


@pytest.mark.parametrize("gap", [b"", b"\0", bytes(300_000), b"PK\x03", b"K\x03\x04", b"PK\x01\x02"[:3] * 9])
def test_what_is_no_entry_may_lie_between_entries(gap: bytes) -> None:
    assert _names(_spread(gap)) == ["a", "b"]


@pytest.mark.parametrize("before", [0, 1, (1 << 18) - 5, (1 << 18) - 4, (1 << 18) - 3, (1 << 18) - 1, 1 << 18])
@pytest.mark.parametrize("behind", [0, 7])
def test_what_may_be_an_entry_may_not(before: int, behind: int) -> None:
    with pytest.raises(FormatError, match="data between its entries that may be taken for one"):
        _names(_spread(bytes(before) + b"PK\x03\x04" + bytes(behind)))


def _changed(offset: int, form: str, value: int, *, flags: int = 0) -> bytes:
    """Change what stands in front of the first entry."""
    data = bytearray(build_zip({"abc": b"1" * 1000, "b": b"2"}))
    data[6] |= flags
    struct.pack_into(form, data, offset, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("offset", "form", "value"),
    [
        (0, "<I", 0),  # the signature
        (6, "<H", 1),  # encrypted
        (8, "<H", 0),  # the compression
        (14, "<I", 0),  # the checksum
        (18, "<I", 0),  # the packed size
        (22, "<I", 999),  # the size
        (22, "<I", 0xFFFFFFFF),
        (26, "<H", 2),  # the name's length
        (30, "<B", ord("x")),
    ],
)
def test_an_entry_is_described_in_one_way(offset: int, form: str, value: int) -> None:
    with pytest.raises(FormatError, match=r"the archive's entry abc is described in two ways|is damaged"):
        _names(_changed(offset, form, value))
    if value:  # 0 says there that it stands behind the entry
        with pytest.raises(FormatError, match=r"the archive's entry abc is described in two ways|is damaged"):
            _names(_changed(offset, form, value, flags=8))


def test_only_sizes_behind_an_entry_may_be_missing_in_front_of_it() -> None:
    data = bytearray(_changed(14, "<I", 0, flags=8))
    struct.pack_into("<II", data, 18, 0, 0)
    assert _names(bytes(data)) == ["abc", "b"]
    data[6] = 0
    with pytest.raises(FormatError, match="described in two ways"):
        _names(bytes(data))


def test_sizes_may_be_known_before_the_rest_is() -> None:
    data = bytearray(_changed(14, "<I", 0, flags=8))
    struct.pack_into("<I", data, 18, 0)  # as Info-ZIP writes it to a pipe
    assert _names(bytes(data)) == ["abc", "b"]


@pytest.mark.parametrize(("content", "is_good"), [(b"PK\x07", True), (b"..PK\x07\x08..", False)])
def test_an_entry_whose_end_is_looked_for(content: bytes, is_good: bool) -> None:
    stream = _Stream()
    with zipfile.ZipFile(stream, "w") as archive, archive.open("a", "w") as entry:
        entry.write(content)
    if is_good:
        assert _names(stream.data) == ["a"]
    else:
        with pytest.raises(FormatError, match="the archive's entry a has an end that readers differ in"):
            _names(stream.data)
    assert _names(build_zip({"a": content}, compression=0)) == ["a"]


def test_what_is_not_compared() -> None:
    assert _names(_changed(4, "<H", 63)) == ["abc", "b"]  # the version that is needed
    assert _names(_changed(10, "<I", 0x12345678)) == ["abc", "b"]  # the time


def test_entries_in_each_other() -> None:
    data = bytearray(build_zip({"a": build_zip({"b": b"1"}, comment=b""), "b": b"1"}, compression=0, comment=b""))
    inner, directory = data.index(b"PK\x03\x04", 1), data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, directory + 42, inner)
    with pytest.raises(FormatError, match="the archive's entry b lies in another one"):
        _names(bytes(data))
    reaching = bytearray(build_zip({"a": b"1"}, compression=0, comment=b""))
    for place, offset in ((0, 18), (reaching.index(b"PK\x01\x02"), 20)):
        struct.pack_into("<I", reaching, place + offset, 9)
    with pytest.raises(FormatError, match="the archive's entries reach into its directory"):
        _names(bytes(reaching))
