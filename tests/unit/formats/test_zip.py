from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from signpath_ci.formats import FormatError
from signpath_ci.formats.zip import Budget, open_archive
from tests.support.archives import build_zip, release
from tests.support.pe import build_pe

END_SIZE = 22


def _with_zip64(data: bytes, *, directory_size: int | None = None, offset: int | None = None) -> bytes:
    """Give an archive without a comment the ZIP64 records that big ones have (APPNOTE.TXT 4.3.14, 4.3.15)."""
    end = data[-END_SIZE:]
    _, _, _, count, _, size, start, _ = struct.unpack("<4s4H2LH", end)
    place = len(data) - END_SIZE
    size_64 = size if directory_size is None else directory_size
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size_64, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, place if offset is None else offset, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:-END_SIZE] + record + locator + end


def _names(data: bytes, budget: Budget | None = None) -> list[str]:
    with open_archive(io.BytesIO(data), budget) as archive:
        return [info.filename for info in archive.entries]


def test_zip64() -> None:
    data = build_zip({"a": b"1", "b": b"2"}, comment=b"")
    assert _names(_with_zip64(data)) == _names(data) == ["a", "b"]


@pytest.mark.parametrize(
    ("directory_size", "offset"), [(1 << 30, None), (1 << 30, 0), ((1 << 64) - 1, None), (1 << 30, (1 << 64) - 1)]
)
def test_a_zip64_directory_that_would_fill_the_memory(directory_size: int, offset: int | None) -> None:
    data = _with_zip64(build_zip({"a": b"1"}, comment=b""), directory_size=directory_size, offset=offset)
    with pytest.raises(FormatError, match="too many entries"):
        _names(data)


@pytest.mark.parametrize("offset", [0, 40, 1 << 40])
def test_a_zip64_record_is_told_by_its_signature(offset: int) -> None:
    name = "a" * 200  # whatever else is there, taken for a record, would give an enormous directory
    assert _names(_with_zip64(build_zip({name: b"1"}, comment=b""), offset=offset)) == [name]


def test_an_empty_zip64_archive() -> None:
    data = build_zip({}, comment=b"")
    assert _names(_with_zip64(data)) == []
    with pytest.raises(FormatError, match="too many entries"):
        _names(_with_zip64(data, directory_size=1 << 30))


def test_a_comment_with_a_signature_in_it() -> None:
    with pytest.raises(FormatError):
        _names(build_zip({"a": b"1"}, comment=b"PK\x05\x06"))


def test_a_budget_is_shared_with_inner_archives() -> None:
    data = build_zip({"a": b"123", "inner.zip": build_zip({"b": b"4"})})
    budget = Budget(entries=3, size=10_000, depth=2)
    with open_archive(io.BytesIO(data), budget) as archive, archive.extracted(archive.entries[1]) as inner:
        with open_archive(inner, budget) as opened:
            assert (budget.entries, budget.depth, len(opened.entries)) == (0, 0, 1)
        assert budget.depth == 1
    for small in (Budget(entries=1), Budget(size=2)):
        with pytest.raises(FormatError, match="too many entries, or they are too big"):
            _names(data, small)


def test_the_most_that_a_budget_allows() -> None:
    data = build_zip({"a": b"123", "b": b"4"})
    assert _names(data, Budget(entries=2, size=4, depth=1)) == ["a", "b"]
    for small in (Budget(entries=1), Budget(size=3), Budget(depth=0)):
        with pytest.raises(FormatError, match="the archive has too many"):
            _names(data, small)


def test_a_budget_is_given_back_its_depth_whatever_happens() -> None:
    budget = Budget(depth=1)
    with pytest.raises(FormatError, match="the archive is damaged"), open_archive(io.BytesIO(build_zip({})), budget):
        raise ValueError
    assert budget.depth == 1


def _with_size(file_size: int) -> bytes:
    """Build an archive that gives this size of its one entry; compressed it has 5 bytes."""
    data = bytearray(build_zip({"a": b"12345"}, compression=0))
    for start, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<I", data, data.index(start) + offset, file_size)
    return bytes(data)


def test_a_bomb_is_a_thousand_times_its_size_beyond_16_mib() -> None:
    assert _names(_with_size((16 << 20) + 5000)) == ["a"]
    with pytest.raises(FormatError, match=f"the archive's entry a is a bomb: {(16 << 20) + 5001} bytes unpacked"):
        _names(_with_size((16 << 20) + 5001))


def _with_directory_size(size: int) -> bytes:
    data = bytearray(build_zip({"a": b"1"}, comment=b""))
    struct.pack_into("<I", data, len(data) - 10, size)
    return bytes(data)


def test_the_biggest_directory() -> None:
    with pytest.raises(FormatError, match="the archive is damaged"):  # read, and found not to be so big
        _names(_with_directory_size(8 << 20))
    with pytest.raises(FormatError, match="the archive has too many entries"):
        _names(_with_directory_size((8 << 20) + 1))


@pytest.mark.parametrize("size", [0, 1, 100, 0xFFFF])
def test_a_comment_of_any_size(size: int) -> None:
    data = build_zip({"a": b"1"}, comment=b"x" * size)
    assert _names(data) == ["a"]
    for other in (data + b"x", data[:-1]):
        with pytest.raises(FormatError, match="the archive is cut off"):
            _names(other)


def test_an_archive_by_another_name_is_data() -> None:
    inner = build_zip({"a": b"1"})
    script = b"exit 0\r\n# SIG # End signature block"
    entries = {"a.zip": inner, "A.JAR": inner, "a.docx": inner, "a.txt": script, "a.ps1": script, "dir/": build_pe()}
    with open_archive(io.BytesIO(build_zip(entries))) as archive:
        assert [archive.kind(info) for info in archive.entries] == ["zip", "zip", None, None, "powershell", None]


def test_an_entry_is_extracted_whole() -> None:
    data = bytes(range(256)) * 5000
    with (
        open_archive(io.BytesIO(build_zip({"a": data}))) as archive,
        archive.extracted(archive.entries[0]) as file,
    ):
        assert (file.tell(), file.read()) == (0, data)


def test_kinds_of_entries() -> None:
    with open_archive(io.BytesIO(build_zip(release()))) as archive:
        assert {info.filename: archive.kind(info) for info in archive.entries} == {
            "README.txt": None,
            "bin/": None,
            "bin/app.exe": "pe",
            "bin/name with blanks and ünïcode.dll": "pe",
            "inner.zip": "zip",
            "plain.zip": "zip",
            "app.jar": "zip",
            "empty": None,
        }


def test_errors_of_the_disk_are_no_errors_of_the_archive(tmp_path: Path) -> None:
    data = build_zip({"a.exe": build_pe()})
    with (
        pytest.raises(FileNotFoundError),
        open_archive(io.BytesIO(data)) as archive,
        archive.extracted(archive.entries[0], tmp_path / "missing"),
    ):
        pytest.fail("there is no such directory")
