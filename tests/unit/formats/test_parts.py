from __future__ import annotations

import io
import struct
import tempfile
from contextlib import ExitStack

import pytest

from signpath_ci.formats import FormatError
from signpath_ci.formats.cab_members import CabinetArchive
from signpath_ci.formats.containers import open_container
from signpath_ci.formats.parts import Joined, Part
from signpath_ci.formats.zip import Budget
from tests.support.samples import build_cab

_DATA = bytes(range(256)) * 300
_FILES = {"a.txt": b"a" * 40_000, "empty.txt": b"", "b.bin": _DATA, "c.txt": b"c"}


@pytest.mark.parametrize("step", [1, 7, 100, 1 << 20])
@pytest.mark.parametrize("start", [0, 13, 299, 300])
def test_blocks_are_read_as_one_file(step: int, start: int) -> None:
    around = _DATA[:300]
    blocks = [(0, 5), (50, 100), (160, 1), (150, 10), (161, 139)]
    whole = b"".join(around[offset : offset + size] for offset, size in blocks)
    joined = Joined(io.BytesIO(around), blocks)
    joined.seek(start)
    read = b""
    while piece := joined.read(step):
        assert len(piece) == step or joined.tell() == len(whole)
        read += piece
    assert read == whole[start:]


def test_a_part_ends_where_it_ends_and_moves_alone() -> None:
    around = io.BytesIO(b"0123456789")
    left, right = Part(around, 2, 3), Part(around, 5, 4)
    assert (left.read(1), right.read(2), left.read(), right.read(), left.read()) == (b"2", b"56", b"34", b"78", b"")
    assert left.seek(0, io.SEEK_END) == 3
    assert left.seek(9) == 9
    assert left.read() == b""
    with pytest.raises(ValueError, match="before the start"):
        left.seek(-1)
    with pytest.raises(FormatError):
        Part(around, 8, 4).read()


def test_uncompressed_cabinets_are_read_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", None)
    with open_container("cab", io.BytesIO(build_cab(_FILES)), Budget()) as cabinet, ExitStack() as stack:
        files = [stack.enter_context(cabinet.extracted(member)) for member in cabinet.members]
        assert dict(zip(_FILES, [file.read() for file in files], strict=True)) == _FILES
        assert [cabinet.head(member) for member in cabinet.members] == [data[:4096] for data in _FILES.values()]


@pytest.mark.parametrize("change", ["cut", "sizes", "header"])
def test_a_damaged_uncompressed_cabinet_is_refused(change: str) -> None:
    data = bytearray(build_cab(_FILES))
    (first,) = struct.unpack_from("<I", data, 36)
    if change == "cut":
        del data[-1]
    elif change == "sizes":
        struct.pack_into("<H", data, first + 6, 5)
    else:
        del data[first + 4 :]
    archive = CabinetArchive(io.BytesIO(bytes(data)))
    with pytest.raises(FormatError):
        archive.stored(0)
    with pytest.raises(FormatError):
        list(archive.folder(0))


def test_uncompressed_cabinets_use_the_budget() -> None:
    budget = Budget(size=10)
    with open_container("cab", io.BytesIO(build_cab(_FILES)), budget) as cabinet, pytest.raises(FormatError):
        cabinet.head(cabinet.members[0])
