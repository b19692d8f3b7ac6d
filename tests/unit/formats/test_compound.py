from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping

import pytest

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.compound import CompoundFile, Entry
from tests.support.samples import build_msi, installer_streams

_SECTOR = 512


def _streams(storage: Entry, compound: CompoundFile, path: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in storage.children:
        if entry.is_stream:
            yield path + entry.path, b"".join(compound.read(entry))
        else:
            yield from _streams(entry, compound, f"{path}{entry.path}/")


@pytest.mark.parametrize("version", [3, 4])
def test_all_streams_are_read_in_the_order_of_their_names(version: int) -> None:
    compound = CompoundFile(io.BytesIO(build_msi(installer_streams(), version=version)))
    found = dict(_streams(compound.root, compound))
    streams = installer_streams()
    storage = streams.pop("Storage")
    assert isinstance(storage, dict)
    assert found == {**streams, **{f"Storage/{name}": data for name, data in storage.items()}}
    names = [e.name + b"\0\0" for e in compound.root.children]
    assert names == sorted(names)


def _distinct(size: int) -> bytes:
    return b"".join(n.to_bytes(4, "big") for n in range(-(-size // 4)))[:size]


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 4095, 4096, 4097, 50_000, 3_000_000])
def test_streams_of_any_size(size: int, version: int) -> None:
    data = build_msi({"before": _distinct(100), "it": _distinct(size), "behind": _distinct(5000)}, version=version)
    compound = CompoundFile(io.BytesIO(data))
    assert dict(_streams(compound.root, compound)) == {
        "before": _distinct(100),
        "it": _distinct(size),
        "behind": _distinct(5000),
    }


def _scattered(order: list[int]) -> bytes:
    """Build a file whose one stream of 5000 bytes, in ten sectors, has them in this order."""
    data = bytearray(build_msi({"it": _distinct(5000)}))
    fat = (int.from_bytes(data[76:80], "little") + 1) * _SECTOR
    sectors = [bytes(data[(n + 1) * _SECTOR :][:_SECTOR]) for n in range(10)]
    for number, place in enumerate(order):
        data[(place + 1) * _SECTOR : (place + 2) * _SECTOR] = sectors[number]
        struct.pack_into("<I", data, fat + 4 * place, order[number + 1] if number < 9 else 0xFFFFFFFE)
    struct.pack_into("<I", data, _directory(bytes(data)) + 128 + 116, order[0])
    return bytes(data)


@pytest.mark.parametrize(
    "order",
    [
        [*range(10)],
        [*range(9, -1, -1)],
        [0, 2, 1, 3, 4, 5, 7, 6, 8, 9],
        [1, 0, 2, 3, 5, 4, 9, 8, 7, 6],
        [5, 6, 7, 8, 9, 0, 1, 2, 3, 4],
    ],
)
@pytest.mark.parametrize("chunk", [1, 512, 1024, 1536, 1 << 20])
def test_sectors_in_any_order(order: list[int], chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signpath_ci.formats.compound._CHUNK", chunk)
    compound = CompoundFile(io.BytesIO(_scattered(order)))
    pieces = list(compound.read(compound.root.children[0]))
    assert b"".join(pieces) == _distinct(5000)
    assert max(len(piece) for piece in pieces) <= max(chunk, _SECTOR)  # memory is bounded


def _with_fat(data: bytes, changes: dict[int, int]) -> bytes:
    changed = bytearray(data)
    fat = (int.from_bytes(data[76:80], "little") + 1) * _SECTOR
    for sector, following in changes.items():
        struct.pack_into("<I", changed, fat + 4 * sector, following)
    return bytes(changed)


def test_the_last_sector_may_be_short() -> None:
    data = build_msi({"it": _distinct(5000)})
    last = len(data) // _SECTOR - 1  # behind all others
    moved = _with_fat(data, {8: last, last: 0xFFFFFFFE}) + _distinct(5000)[9 * _SECTOR :]
    assert _all(moved) == {"it": _distinct(5000)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({8: 100, 100: 0xFFFFFFFE}, "it is cut off: a sector lies behind its end"),
        ({8: 128}, "its allocation table is damaged"),
        ({8: 0xFFFFFFFE}, "its stream 'it' is cut off"),
        ({8: 0xFFFFFFFF}, "its allocation table is damaged"),
        ({10: 0xFFFFFFFF}, "its allocation table is damaged"),  # the directory's
        ({10: 0xFFFFFFFD}, "its allocation table is damaged"),
    ],
)
def test_chains_that_end_too_early(changes: dict[int, int], words: str) -> None:
    with pytest.raises(FormatError, match=words):
        _all(_with_fat(build_msi({"it": _distinct(5000)}), changes))


def test_no_mini_streams() -> None:
    data = bytearray(build_msi({"it": _distinct(5000)}))
    for nothing in (0xFFFFFFFE, 0xFFFFFFFF):
        struct.pack_into("<I", data, 60, nothing)
        struct.pack_into("<I", data, _directory(bytes(data)) + 116, nothing)
        assert _all(bytes(data)) == {"it": _distinct(5000)}


@pytest.mark.parametrize("count", [2, 109, 110])
def test_allocation_tables_of_many_sectors(count: int) -> None:
    # Of more than 109 the header can't list the rest: they are in a sector of their own.
    data = bytearray(build_msi({"it": _distinct(5000)}))
    sectors = len(data) // _SECTOR - 1
    first_fat = int.from_bytes(data[76:80], "little")
    fat = list(struct.unpack_from("<128I", data, (first_fat + 1) * _SECTOR))
    places = [first_fat, *range(sectors, sectors + count - 1)]
    fat[sectors : sectors + count] = [0xFFFFFFFD] * (count - 1) + [0xFFFFFFFC]
    fat += [0xFFFFFFFF] * (count * 128 - len(fat))
    table = struct.pack(f"<{len(fat)}I", *fat)
    data[(first_fat + 1) * _SECTOR : (first_fat + 2) * _SECTOR] = table[:_SECTOR]
    data += table[_SECTOR:]
    if count > 109:
        data += struct.pack("<128I", places[109], *[0xFFFFFFFF] * 126, 0xFFFFFFFE)
        struct.pack_into("<II", data, 68, sectors + count - 1, 1)
    struct.pack_into("<I", data, 44, count)
    struct.pack_into("<109I", data, 76, *(places[:109] + [0xFFFFFFFF] * (109 - len(places[:109]))))
    assert _all(bytes(data)) == {"it": _distinct(5000)}
    struct.pack_into("<I", data, 44, 237)  # more than both list
    with pytest.raises(FormatError, match="its allocation table can't be as big as its header says"):
        _all(bytes(data))


def test_a_full_allocation_table() -> None:
    # As many sectors as one sector of the table can list: with that one itself, the directory, and the mini stream.
    for sectors in (124, 125, 126):
        data = build_msi({"it": _distinct(sectors * _SECTOR)})
        compound = CompoundFile(io.BytesIO(data))
        assert dict(_streams(compound.root, compound)) == {"it": _distinct(sectors * _SECTOR)}
        with pytest.raises(FormatError, match="there is data behind its last sector, which no signature covers"):
            CompoundFile(io.BytesIO(data + bytes(_SECTOR - 1) + b"x"))
        CompoundFile(io.BytesIO(data + bytes(_SECTOR)))


def _directory(data: bytes) -> int:
    return (int.from_bytes(data[48:52], "little") + 1) * _SECTOR


def _changed(offset: int, value: int, *, in_directory: bool = False) -> bytes:
    data = bytearray(build_msi({"one": bytes(5000), "two": bytes(5000), "three": b"mini" * 40}))
    struct.pack_into("<I", data, offset + (_directory(bytes(data)) if in_directory else 0), value)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no compound file"),
        (build_msi({"a": b"b"})[:511], "no compound file"),
        (_changed(44, 0xFFFF), "its allocation table can't be"),
        (_changed(48, 0xFFFFFF), "its allocation table is damaged"),
        (_changed(48, 0xFFFFFFFE), "it has no root storage"),
        (_changed(68, 1), "its allocation table can't be"),
        (_changed(76, 0xFFFFFF), "its allocation table lies behind its end"),
        (_changed(76, 0x12), "damaged|cut off|behind"),
        (_changed(76, 0, in_directory=True), "an entry of an unknown kind"),
        (_changed(128 + 68, 1, in_directory=True), "its directory is damaged"),
        (_changed(76, 4, in_directory=True), "its directory is damaged"),
        (_changed(128 + 64, 0x01020001, in_directory=True), "name of an impossible length"),
        (_changed(128 + 64, 0x01020042, in_directory=True), "name of an impossible length"),
        (_changed(128 + 64, 0x0102FFFF, in_directory=True), "name of an impossible length"),
        (_changed(128 + 64, 0x01070008, in_directory=True), "unknown kind"),
        (_changed(128 + 120, 0x7FFFFFFF, in_directory=True), "its streams overlap"),
        (_changed(128 + 116, 0x00FFFFFF, in_directory=True), "its allocation table is damaged|cut off"),
    ],
)
def test_damaged_files(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        _all(data)


def test_a_mini_stream_is_as_long_as_its_chain() -> None:
    assert len(_all(_changed(128 * 3 + 120, 192, in_directory=True))["three"]) == 192
    with pytest.raises(FormatError, match="its stream 'three' is cut off"):
        _all(_changed(128 * 3 + 120, 193, in_directory=True))


def test_storages_inside_each_other() -> None:
    def nested(depth: int) -> CompoundFile:
        tree: dict[str, bytes | Mapping[str, bytes]] = {"it": b"data"}
        for _ in range(depth):
            tree = {"in": tree}  # type: ignore[dict-item]  # `build_msi` takes any depth
        return CompoundFile(io.BytesIO(build_msi(tree)))

    compound = nested(15)
    assert dict(_streams(compound.root, compound)) == {"in/" * 15 + "it": b"data"}
    with pytest.raises(FormatError, match="its storages are too deep inside each other"):
        nested(16)


def test_names_of_any_length_and_their_order() -> None:
    names = ["", "x" * 31, "a", "a\0b", "ab", "\u0100"]
    compound = CompoundFile(io.BytesIO(build_msi({name: name.encode() for name in names})))
    found = dict(_streams(compound.root, compound))
    assert found == {name: name.encode() for name in names}
    # By their bytes, the terminating zero included; where that is equal the longer one comes first.
    assert list(found) == ["", "\u0100", "a\0b", "a", "ab", "x" * 31]


def test_the_most_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signpath_ci.formats.compound._MAX_ENTRIES", 4)  # as many as a sector holds, with the root
    assert len(_all(build_msi({"a": b"1", "b": b"2", "c": b"3"}))) == 3
    with pytest.raises(FormatError, match="it has too many streams"):
        _all(build_msi({"a": b"1", "b": b"2", "c": b"3", "d": b"4"}))


def test_the_biggest_file(monkeypatch: pytest.MonkeyPatch) -> None:
    data = build_msi({"a": b"1"})
    monkeypatch.setattr("signpath_ci.formats.compound._MAX_SIZE", len(data))
    assert _all(data) == {"a": b"1"}
    monkeypatch.setattr("signpath_ci.formats.compound._MAX_SIZE", len(data) - 1)
    with pytest.raises(UnsupportedError, match="it is too big"):
        _all(data)


def test_a_stream_has_no_children_whatever_it_says() -> None:
    good, changed = (_all(data) for data in (_changed(68, 0xFFFFFFFE), _changed(128 + 76, 2, in_directory=True)))
    assert good == changed


def _all(data: bytes) -> dict[str, bytes]:
    compound = CompoundFile(io.BytesIO(data))
    return dict(_streams(compound.root, compound))


def test_a_mini_stream_that_is_too_short() -> None:
    # It has one sector with eight mini sectors, of which the stream's first would be the ninth.
    with pytest.raises(FormatError, match="its mini stream is cut off"):
        _all(_changed(128 * 3 + 116, 8, in_directory=True))


def test_a_chain_that_runs_in_a_circle() -> None:
    data = bytearray(build_msi({"one": bytes(5000)}))
    fat = (int.from_bytes(data[76:80], "little") + 1) * _SECTOR
    struct.pack_into("<I", data, fat, 0)  # the first sector of the stream follows itself
    compound = CompoundFile(io.BytesIO(bytes(data)))
    assert sum(len(piece) for piece in compound.read(compound.root.children[0])) == 5000  # bounded by its size
    directory = (_directory(bytes(data)) // _SECTOR - 1) * 4 + fat
    struct.pack_into("<I", data, directory, (directory - fat) // 4)
    with pytest.raises(FormatError):
        CompoundFile(io.BytesIO(bytes(data)))


def test_what_is_not_supported() -> None:
    with pytest.raises(UnsupportedError, match="unknown version"):
        CompoundFile(io.BytesIO(_changed(26, 0xFFFE0005)))


def test_two_streams_of_one_name() -> None:
    data = build_msi({"aa": b"1", "ab": b"2"})
    with pytest.raises(FormatError, match="two streams of the same name"):
        CompoundFile(io.BytesIO(data.replace("ab".encode("utf-16-le"), "aa".encode("utf-16-le"))))
