"""What is written: new entries, entries of other archives as they are, and nothing that the reader refuses."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from signpath_ci.formats import FormatError
from signpath_ci.formats.zip import DEFLATED, STORED, ArchiveWriter, open_archive
from tests.support.raw_zip import Ending, RawEntry, build, extra, streamed, zip64
from tests.unit.formats.zip.test_profile import ACCEPTED

KEPT = {case: entries for case, entries in ACCEPTED.items() if case != "many zeros"}


def _written(write: Callable[[ArchiveWriter], object], comment: bytes = b"") -> bytes:
    target = io.BytesIO()
    writer = ArchiveWriter(target)
    write(writer)
    writer.finish(comment)
    return target.getvalue()


@pytest.mark.parametrize("case", KEPT)
@pytest.mark.parametrize("is_large", [False, True])
def test_copied_archive_is_the_same_bytes(case: str, is_large: bool) -> None:
    needs_zip64 = case == "ZIP64 sizes in the directory"
    data = build(*KEPT[case], ending=Ending(is_large=is_large or needs_zip64, comment=b"about"))
    with open_archive(io.BytesIO(data)) as archive:
        target = io.BytesIO()
        writer = ArchiveWriter(target)
        for entry in archive.entries:
            writer.copy(archive, entry)
        writer.finish(archive.comment)
        with open_archive(io.BytesIO(target.getvalue())) as copy:
            for entry, copied in zip(archive.entries, copy.entries, strict=True):
                assert b"".join(copy.raw(copied)) == b"".join(archive.raw(entry))
                assert (copied.name, copied.attributes, copied.comment) == (entry.name, entry.attributes, entry.comment)
            assert copy.comment == b"about"
    if not (is_large or needs_zip64 or "ZIP64" in case):
        assert target.getvalue() == data


@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_new_entries(method: int) -> None:
    content = {"a.txt": b"content" * 1000, "dir/ünïcode": b"", "b": b"x"}

    def write(writer: ArchiveWriter) -> None:
        for name, data in content.items():
            assert writer.add(name, [data[:10], data[10:]], size=len(data), method=method) == len(data)

    data = _written(write, b"comment")
    assert data == _written(write, b"comment")
    with open_archive(io.BytesIO(data)) as archive:
        assert {entry.name: archive.open(entry).read() for entry in archive.entries} == content
        assert {entry.mode for entry in archive.entries} == {0o644}
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert {info.filename: file.read(info) for info in file.infolist()} == content
        assert file.comment == b"comment"


@pytest.mark.parametrize("size", [1, 0xFFFFFFFF])
def test_entry_like_another_keeps_what_is_said_of_it(size: int) -> None:
    times = extra(0x5455, b"\1time")
    source = RawEntry(name=b"a", extra=times, comment=b"about", host=0, attributes=0x21)
    with open_archive(io.BytesIO(build(source))) as archive:
        [entry] = archive.entries
        data = _written(lambda writer: writer.add("a", [b"new"], size=size, like=entry))
    with open_archive(io.BytesIO(data)) as archive:
        [new] = archive.entries
        assert archive.open(new).read() == b"new"
    assert (new.extra, new.comment, new.host, new.attributes, new.method) == (times, b"about", 0, 0x21, DEFLATED)
    assert new.record[12:16] == entry.record[12:16]  # the time


def test_entry_that_may_be_large_has_room_for_it() -> None:
    data = _written(lambda writer: writer.add("a", [b"small"], size=1 << 33))
    assert zip64(5, 5) in data
    with open_archive(io.BytesIO(data)) as archive:
        assert archive.open(archive.entries[0]).read() == b"small"


class _Far(io.BytesIO):
    """A file of which only what is written in small pieces is kept, one after the other."""

    def write(self, data: Any) -> int:
        return len(data) if len(data) > 1000 else super().write(data)


@pytest.mark.full
def test_large_sizes_and_offsets_are_written_as_zip64() -> None:
    target, block, count = _Far(), bytes(1 << 26), 65
    writer = ArchiveWriter(target)
    writer.add("large", (block for _ in range(count)), size=count << 26)
    writer.add("behind", [b"x"], size=1)
    writer.finish()
    written = target.getvalue()
    assert zip64(count << 26, count << 26) in written
    assert zip64((count << 26) + 55) in written
    assert b"PK\6\6" in written


@pytest.mark.parametrize("name", ["../a", "a\\b", "a:b", "nul", "a\0", "", "a.txt"])
def test_name_that_would_be_refused_is_not_written(name: str) -> None:
    writer = ArchiveWriter(io.BytesIO())
    writer.add("A.TXT", [b""], size=0)
    with pytest.raises(FormatError):
        writer.add(name, [b""], size=0)


def test_copied_streamed_entry_keeps_its_descriptor() -> None:
    entry = streamed(replace(RawEntry(name=b"a"), method=STORED))
    with open_archive(io.BytesIO(build(entry))) as archive:
        data = _written(lambda writer: writer.copy(archive, archive.entries[0]))
    assert data == build(entry)
