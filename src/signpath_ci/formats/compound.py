"""Compound files: storages with streams in one file, as MSI files are; read in bounded memory, whatever it says.

Source: Microsoft, [MS-CFB] "Compound File Binary File Format".
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from signpath_ci.formats import FormatError, UncoveredError, UnsupportedError
from signpath_ci.formats.compound_room import Room, own_mini_sectors
from signpath_ci.formats.registry import COMPOUND, HEADER_SIZE, SECTOR_SHIFTS

_HEADER = struct.Struct("<8s16x5H6xIIIIIIIII")
_ENTRY = struct.Struct("<64sHBBIII16s4s8s8sIQ")
_IN_HEADER = 109  # FAT sectors that the header lists itself
_MAX_SECTOR = 0xFFFFFFFA
_END = 0xFFFFFFFE
_FREE = _NONE = 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_MINI_SECTOR = 64
_MINI_CUTOFF = 4096
_MAX_SIZE = 1 << 31  # of the file, beyond which version 3 does not go
_MAX_ENTRIES = 1 << 16
_MAX_DEPTH = 16
_SIZE_MASK = 0xFFFFFFFF
_TERMINATOR = b"\0\0"
_LONGEST_NAME = 64  # bytes, with the terminating zero
_CHUNK = 1 << 18


@dataclass(frozen=True)
class Entry:
    """A storage or a stream.

    Attributes:
        name: UTF-16LE, as it is compared and hashed.
        class_id: of a storage.
        state: state bits, as they are encoded.
        times: of creation and change, likewise.
        start: first sector.
        size: in bytes.
        children: of a storage, in the order of their names' bytes, of two equal beginnings the longer first.
    """

    name: bytes
    is_stream: bool
    class_id: bytes
    state: bytes
    times: bytes
    start: int
    size: int
    children: tuple[Entry, ...] = ()

    @property
    def path(self) -> str:
        """The name for messages."""
        return self.name.decode("utf-16-le", errors="replace")


@dataclass
class _Layout:
    file: BinaryIO
    sector_size: int
    file_size: int
    fat: array[int] = field(default_factory=lambda: array("I"))
    mini_fat: array[int] = field(default_factory=lambda: array("I"))

    def sectors(self, start: int) -> Iterator[int]:
        """Follow a chain in the FAT."""
        yield from _chain(self.fat, start)

    def read(self, sector: int, count: int = 1) -> bytes:
        self.file.seek((sector + 1) * self.sector_size)
        data = self.file.read(count * self.sector_size)
        if not data:
            raise FormatError("it is cut off: a sector lies behind its end")
        return data.ljust(count * self.sector_size, b"\0")  # the last sector of a file may be short


class CompoundFile:
    """An open compound file.

    Attributes:
        root: the tree of its entries.

    Raises:
        FormatError: it is none, is cut off, or its structure runs in circles.
        UnsupportedError: it is too big.
    """

    def __init__(self, file: BinaryIO) -> None:
        file_size = file.seek(0, 2)
        if file_size > _MAX_SIZE:
            raise UnsupportedError("it is too big")
        file.seek(0)
        header = file.read(HEADER_SIZE)
        if len(header) < HEADER_SIZE or not header.startswith(COMPOUND):
            raise FormatError("it is no compound file, or is cut off")
        _, _, major, order, shift, mini_shift, _, fats, first_directory, _, cutoff, first_mini, _, first_difat, _ = (
            _HEADER.unpack_from(header)
        )
        if SECTOR_SHIFTS.get(major) != shift or (order, mini_shift, cutoff) != (0xFFFE, 6, _MINI_CUTOFF):
            raise UnsupportedError("it is a compound file of an unknown version")
        self._layout = _Layout(file, 1 << shift, file_size)
        self._load_fat(array("I", header[-4 * _IN_HEADER :]), fats, first_difat)
        self._layout.mini_fat = self._table(first_mini)
        entries = self._entries(first_directory)
        self.root = _tree(entries, 0, 0, set())
        self._mini_sectors = array("I", self._layout.sectors(self.root.start)) if self.root.size else array("I")
        self._check_end()
        self._first = first_directory, first_mini
        self._header = header
        self._used_entries = sum(1 for entry in entries if entry[2])

    def read(self, entry: Entry) -> Iterator[bytes]:
        """Yield a stream's bytes."""
        left = entry.size
        if not left:
            return
        pieces = self._mini_pieces(entry) if entry.size < _MINI_CUTOFF else self._pieces(entry)
        for piece in pieces:
            yield piece[:left]
            left -= min(left, len(piece))
            if not left:
                return
        raise FormatError(f"its stream {entry.path!r} is cut off")

    def _pieces(self, entry: Entry) -> Iterator[bytes]:
        """Read neighbouring sectors at once: a file that was written in one go is one run."""
        start = count = 0
        for sector in self._layout.sectors(entry.start):
            if count and sector == start + count and count * self._layout.sector_size < _CHUNK:
                count += 1
                continue
            if count:
                yield self._layout.read(start, count)
            start, count = sector, 1
        if count:
            yield self._layout.read(start, count)

    def _mini_pieces(self, entry: Entry) -> Iterator[bytes]:
        per_sector = self._layout.sector_size // _MINI_SECTOR
        for mini in _chain(self._layout.mini_fat, entry.start):
            if mini // per_sector >= len(self._mini_sectors):
                raise FormatError("its mini stream is cut off")
            sector = self._layout.read(self._mini_sectors[mini // per_sector])
            offset = mini % per_sector * _MINI_SECTOR
            yield sector[offset : offset + _MINI_SECTOR]

    def leftovers(self) -> frozenset[bytes]:
        """Account for every sector, every mini sector and every directory entry.

        Returns:
            Blocks of 64 bytes with data that belongs to nothing (`compound_room`).

        Raises:
            UncoveredError: something in use belongs to nothing.
            FormatError: two things use the same place.
        """
        layout = self._layout
        room = Room(layout.file, layout.sector_size, layout.fat)
        if any(self._header[8:24]) or any(self._header[34:40]):
            raise UncoveredError("it has data in reserved fields of its header, which no signature covers")
        room.add(HEADER_SIZE, layout.sector_size)
        room.own(self._tables)
        for first in self._first:
            if first < _MAX_SECTOR:
                room.own(layout.sectors(first))
        streams = list(_streams(self.root))
        if self._used_entries != 1 + _count(self.root):
            raise UncoveredError("its directory has entries that belong to no storage, so no signature covers them")
        room.own(self._mini_sectors, self.root.size)
        for entry in streams:
            if entry.size >= _MINI_CUTOFF:
                room.own(layout.sectors(entry.start), entry.size)
        self._account_mini(room, [e for e in streams if 0 < e.size < _MINI_CUTOFF])
        return room.finish()

    def _account_mini(self, room: Room, streams: list[Entry]) -> None:
        layout = self._layout
        per_sector = layout.sector_size // _MINI_SECTOR
        ends: dict[int, int] = {}

        def chains() -> Iterator[Iterator[int]]:
            for entry in streams:
                chain = list(_chain(layout.mini_fat, entry.start))
                yield iter(chain)
                needed = -(-entry.size // _MINI_SECTOR)
                if len(chain) < needed:
                    raise FormatError(f"its stream {entry.path!r} is cut off")
                ends.update((mini, 0) for mini in chain[needed:])
                if entry.size % _MINI_SECTOR:
                    ends[chain[needed - 1]] = entry.size % _MINI_SECTOR

        owned = own_mini_sectors(chains(), layout.mini_fat, self.root.size // _MINI_SECTOR)
        ends.update((mini, 0) for mini, is_owned in enumerate(owned) if not is_owned)
        for mini, size in ends.items():
            start = (self._mini_sectors[mini // per_sector] + 1) * layout.sector_size + mini % per_sector * _MINI_SECTOR
            room.add(start + size, start + _MINI_SECTOR)

    def _load_fat(self, places: array[int], count: int, first_difat: int) -> None:
        layout = self._layout
        most = layout.file_size // layout.sector_size
        difat, seen = first_difat, 0
        self._tables = array("I")
        while difat < _MAX_SECTOR and seen <= most:
            self._tables.append(difat)
            sector = array("I", layout.read(difat))
            difat = sector.pop()
            places.extend(sector)
            seen += 1
        if count > most or seen > most or len(places) < count:
            raise FormatError("its allocation table can't be as big as its header says")
        for place in places[:count]:
            if place >= most:
                raise FormatError("it is cut off: its allocation table lies behind its end")
            layout.fat.frombytes(layout.read(place))
        self._tables.extend(places[:count])
        if any(place != _FREE for place in places[count:]):
            raise UncoveredError("its list of allocation tables has more than there are, which no signature covers")

    def _table(self, first: int) -> array[int]:
        table = array("I")
        if first < _MAX_SECTOR:
            for sector in self._layout.sectors(first):
                table.frombytes(self._layout.read(sector))
        return table

    def _entries(self, first: int) -> list[tuple[Any, ...]]:
        entries: list[tuple[Any, ...]] = []
        for sector in self._layout.sectors(first):
            entries += _ENTRY.iter_unpack(self._layout.read(sector))
            if len(entries) > _MAX_ENTRIES:
                raise FormatError("it has too many streams")
        if not entries or entries[0][2] != _ROOT:
            raise FormatError("it has no root storage")
        if sum(entry[12] & _SIZE_MASK for entry in entries if entry[2] == _STREAM) > self._layout.file_size:
            raise FormatError("its streams overlap: together they are bigger than the file")
        return entries

    def _check_end(self) -> None:
        """Require that nothing but zeros is behind the last sector in use, which no signature would cover."""
        layout = self._layout
        last = len(layout.fat) - 1
        while last >= 0 and layout.fat[last] == _FREE:
            last -= 1
        layout.file.seek((last + 2) * layout.sector_size)
        while data := layout.file.read(_CHUNK):
            if data.count(0) != len(data):
                raise UncoveredError("there is data behind its last sector, which no signature covers")


def _streams(storage: Entry) -> Iterator[Entry]:
    for entry in storage.children:
        if entry.is_stream:
            yield entry
        else:
            yield from _streams(entry)


def _count(storage: Entry) -> int:
    return sum(1 if entry.is_stream else 1 + _count(entry) for entry in storage.children)


def _chain(table: array[int], start: int) -> Iterator[int]:
    sector, seen = start, 0
    while sector < _MAX_SECTOR:
        if sector >= len(table) or seen > len(table):
            raise FormatError("its allocation table is damaged")
        yield sector
        sector = table[sector]
        seen += 1
    if sector != _END:
        raise FormatError("its allocation table is damaged")


def _tree(entries: list[tuple[Any, ...]], number: int, depth: int, seen: set[int]) -> Entry:
    """Make an `Entry` of a directory entry, with all below it."""
    name, name_size, kind, _, _, _, child, class_id, state, created, changed, start, size = entries[number]
    if depth > _MAX_DEPTH:
        raise FormatError("its storages are too deep inside each other")
    children = []
    left = [child] if kind != _STREAM else []
    while left:
        index = left.pop()
        if index == _NONE:
            continue
        if index >= len(entries) or index in seen:
            raise FormatError("its directory is damaged")
        seen.add(index)
        if entries[index][2] not in {_STORAGE, _STREAM}:
            raise FormatError("its directory has an entry of an unknown kind")
        left += [entries[index][4], entries[index][5]]
        children.append(_tree(entries, index, depth + 1, seen))
    if not len(_TERMINATOR) <= name_size <= len(name):
        raise FormatError("its directory has a name of an impossible length")
    names = {c.name for c in children}
    if len(names) != len(children):
        raise FormatError("it has two streams of the same name")
    # Compared are the names with their terminating zero; a longer name comes before its own beginning.
    children.sort(key=lambda c: (c.name + _TERMINATOR).ljust(_LONGEST_NAME, b"\xff"))
    return Entry(
        name=name[: name_size - len(_TERMINATOR)],
        is_stream=kind == _STREAM,
        class_id=class_id,
        state=state,
        times=created + changed,
        start=start,
        size=size & _SIZE_MASK,  # version 3 leaves the upper half undefined
        children=tuple(children),
    )
