"""Limits of archives, and what reading them costs."""

from __future__ import annotations

import io
import struct
import time

import pytest

from signpath_ci.formats import FormatError
from signpath_ci.formats.zip import MAX_DIRECTORY_SIZE, MAX_ENTRIES, Budget, open_archive
from tests.support.archives import build_zip
from tests.support.raw_zip import STORED, Ending, RawEntry, build


def _code(data: bytes, budget: Budget | None = None) -> str:
    with pytest.raises(FormatError) as caught, open_archive(io.BytesIO(data), budget):
        pytest.fail("it was opened")
    return caught.value.code


def many(count: int, name: str = "{:x}") -> bytes:
    """Write an archive with many empty entries, quickly."""
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, len(name.format(1 << 20)), 0)
    central = struct.pack("<4s6H3I5H", b"PK\1\2", 788, 20, 0, 0, 0, 33, 0, 0, 0, len(name.format(1 << 20)), 0, 0, 0, 0)
    names = [name.format((1 << 20) + number).encode() for number in range(count)]
    size = len(local) + len(names[0])
    body = b"".join(local + one for one in names)
    records = b"".join(central + struct.pack("<II", 0o100644 << 16, n * size) + one for n, one in enumerate(names))
    ending = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(records), len(body))
    ending += struct.pack("<4sLQL", b"PK\6\7", 0, len(body) + len(records), 1)
    return body + records + ending + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, *(0xFFFF,) * 2, *(0xFFFFFFFF,) * 2, 0)


def test_most_entries() -> None:
    with open_archive(io.BytesIO(many(MAX_ENTRIES))) as archive:
        assert len(archive.entries) == MAX_ENTRIES
    assert _code(many(MAX_ENTRIES + 1)) == "zip-too-many-entries"


def test_largest_directory() -> None:
    fill = RawEntry(name=b"", content=b"", method=STORED)
    count = MAX_DIRECTORY_SIZE // (46 + 20 + 0xFFFF)
    entries = [RawEntry(name=b"%020d" % n, content=b"", method=STORED, comment=bytes(0xFFFF)) for n in range(count)]
    rest = MAX_DIRECTORY_SIZE - count * (46 + 20 + 0xFFFF) - 46 - 4
    for more, is_good in ((0, True), (1, False)):
        last = RawEntry(**{**fill.__dict__, "name": b"last", "comment": bytes(rest + more)})
        data = build(*entries, last)
        if is_good:
            with open_archive(io.BytesIO(data)) as archive:
                assert len(archive.entries) == count + 1
        else:
            assert _code(data) == "zip-directory-size"


def test_message_names_the_limit_and_what_was_found() -> None:
    with (
        pytest.raises(FormatError, match=rf"{MAX_ENTRIES + 1} entries; the limit is {MAX_ENTRIES}"),
        open_archive(io.BytesIO(many(MAX_ENTRIES + 1))),
    ):
        pytest.fail("it was opened")


def test_budget_is_shared_with_inner_archives() -> None:
    data = build_zip({"a": b"123", "inner.zip": build_zip({"b": b"4"})})
    budget = Budget(entries=3, size=10_000, depth=2)
    with open_archive(io.BytesIO(data), budget) as archive, archive.extracted(archive.entries[1]) as inner:
        with open_archive(inner, budget) as opened:
            assert (budget.entries, budget.depth, len(opened.entries)) == (0, 0, 1)
        assert budget.depth == 1
    assert budget.depth == 2


def test_most_that_a_budget_allows() -> None:
    data = build_zip({"a": b"123", "b": b"4"})
    with open_archive(io.BytesIO(data), Budget(entries=2, size=4, depth=1)) as archive:
        assert len(archive.entries) == 2
    assert _code(data, Budget(entries=1)) == "zip-too-many-entries"
    assert _code(data, Budget(size=3)) == "zip-content-size"
    assert _code(data, Budget(depth=0)) == "zip-too-deep"


def test_size_of_all_content_is_known_before_anything_is_read() -> None:
    data = bytes(4 << 20)
    entries = [RawEntry(name=b"%d" % n, method=8, data=data, size=(1 << 32) - 2, crc=0) for n in range(17)]
    assert _code(build(*entries)) == "zip-content-size"


@pytest.mark.parametrize(
    "make",
    [
        lambda n: many(n * 500),
        lambda n: many(n * 100, "a/" * 100 + "{:x}"),  # each part is looked at
        lambda n: many(n * 100, "x" * 400 + "{:x}"),
        lambda n: build(RawEntry(name=b"a", method=STORED, extra=b"\xca\xfe\0\0" * (n * 300))),
        lambda n: build(RawEntry(name=b"a", method=STORED, content=b"PK\7\x08" * (n * 20_000), descriptor=b"")),
        lambda n: build(ending=Ending(comment=b"PK" * (n * 1000))),
    ],
    ids=["entries", "parts of names", "long names", "extra fields", "signatures", "comment"],
)
def test_cost_is_linear(make: object) -> None:
    def cost(size: int) -> float:
        data = io.BytesIO(make(size))  # type: ignore[operator]
        best = 1e9
        for _ in range(3):
            start = time.process_time()
            try:
                with open_archive(data) as archive:
                    for entry in archive.entries:
                        archive.check(entry)
            except FormatError:
                pass
            best = min(best, time.process_time() - start)
        return best

    small, large = cost(2), cost(16)
    assert large < 0.05 or large < small * 8 * 4
