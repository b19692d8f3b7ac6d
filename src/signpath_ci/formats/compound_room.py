"""Room in a compound file: sectors, and parts of sectors, whose content belongs to no stream and no table.

Every sector is accounted for. One that the allocation table calls used, and that nothing refers to, is refused, as is
one that two things refer to. Free sectors, and what is behind the end of a stream in its last sector, hold what was
there before: programs that write compound files leave old data there. What is found there, other than zeros, is
returned, so that it can be compared with the submitted file.

Source: [MS-CFB] sections 2.1 to 2.6.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from signpath_ci.formats import FormatError, UncoveredError

BLOCK = 64
"""Bytes that are compared at once: a mini sector, into which everything in the file is aligned."""
_END, _FREE = 0xFFFFFFFE, 0xFFFFFFFF
_MAX_BLOCKS = 1 << 14  # of data that belongs to nothing: 1 MiB
_CHUNK = 1 << 18
_OLD = "it has more than 1 MiB of data in free sectors, which no signature covers"


@dataclass
class Room:
    """What is known of the sectors of a compound file.

    Attributes:
        file: the file.
        sector_size: in bytes.
        fat: the allocation table.
        blocks: what was found where nothing should be: blocks of `BLOCK` bytes.
    """

    file: BinaryIO
    sector_size: int
    fat: array[int]
    blocks: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._owned = bytearray(len(self.fat))

    def own(self, sectors: Iterable[int], size: int | None = None) -> None:
        """Note that sectors belong to something.

        Args:
            sectors: their numbers, in order.
            size: how much of them it needs, in bytes; `None`: all.

        Raises:
            FormatError: one belongs to something else already.
        """
        left = size
        for sector in sectors:
            if sector >= len(self._owned) or self._owned[sector]:
                raise FormatError("two things in it use the same sector")
            self._owned[sector] = 1
            if left is not None:
                self.add(self._place(sector) + min(left, self.sector_size), self._place(sector + 1))
                left -= min(left, self.sector_size)

    def finish(self) -> frozenset[bytes]:
        """Account for all other sectors.

        Raises:
            UncoveredError: one is in use, but belongs to nothing.
        """
        for sector, owned in enumerate(self._owned):
            if not owned and self.fat[sector] != _FREE:
                raise UncoveredError("it has sectors in use that belong to nothing in it, so no signature covers them")
        start = None
        for sector in range(len(self.fat) + 1):
            is_free = sector < len(self.fat) and not self._owned[sector]
            if is_free and start is None:
                start = sector
            elif not is_free and start is not None:
                self.add(self._place(start), self._place(sector))
                start = None
        return frozenset(self.blocks)

    def add(self, start: int, end: int) -> None:
        """Look for data from one place in the file to another.

        Raises:
            UncoveredError: there is too much of it.
        """
        while start < end:
            self.file.seek(start)
            data = self.file.read(min(_CHUNK, end - start))
            if not data:
                return
            if data.count(0) != len(data):
                self._keep(start, data)
            start += len(data)

    def _keep(self, start: int, data: bytes) -> None:
        for block in range(start // BLOCK * BLOCK, start + len(data), BLOCK):
            part = data[max(0, block - start) : max(0, block + BLOCK - start)]
            if part.count(0) != len(part):
                self.file.seek(block)
                self.blocks.add(self.file.read(BLOCK))
        if len(self.blocks) > _MAX_BLOCKS:
            raise UncoveredError(_OLD)

    def _place(self, sector: int) -> int:
        return (sector + 1) * self.sector_size


def known_blocks(file: BinaryIO, blocks: frozenset[bytes]) -> frozenset[bytes]:
    """Return those of `blocks` that another file has at a place into which `BLOCK` aligns."""
    found: set[bytes] = set()
    file.seek(0)
    while data := file.read(_CHUNK):
        found.update(b for n in range(0, len(data), BLOCK) if (b := data[n : n + BLOCK]) in blocks)
    return frozenset(found)


def own_mini_sectors(chains: Iterator[Iterator[int]], table: array[int], count: int) -> bytearray:
    """Return which mini sectors belong to a stream.

    Args:
        chains: the numbers of the mini sectors of each stream.
        table: the mini allocation table.
        count: of the mini sectors that the mini stream has.

    Raises:
        FormatError: one belongs to two streams.
        UncoveredError: one is in use, but belongs to none.
    """
    owned = bytearray(count)
    for chain in chains:
        for mini in chain:
            if mini >= count or owned[mini]:
                raise FormatError("two things in it use the same sector")
            owned[mini] = 1
    # osslsigncode writes an end of chain behind the last one that there is.
    unused = [entry for entry, is_owned in zip(table, owned, strict=False) if not is_owned]
    if any(entry != _FREE for entry in unused) or any(entry not in {_FREE, _END} for entry in table[count:]):
        raise UncoveredError("it has sectors in use that belong to nothing in it, so no signature covers them")
    return owned
