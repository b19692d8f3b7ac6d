from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from signpath_ci.formats import FormatError
from signpath_ci.formats.zip import Budget, open_archive, package_marker
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
        assert package_marker(archive) is None


def test_errors_of_the_disk_are_no_errors_of_the_archive(tmp_path: Path) -> None:
    data = build_zip({"a.exe": build_pe()})
    with (
        pytest.raises(FileNotFoundError),
        open_archive(io.BytesIO(data)) as archive,
        archive.extracted(archive.entries[0], tmp_path / "missing"),
    ):
        pytest.fail("there is no such directory")
