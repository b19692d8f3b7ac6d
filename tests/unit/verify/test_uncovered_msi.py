"""Data in an installer that belongs to none of its streams: behind the file's end, a JAR runs from there."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.verify import verify_file
from tests.support.samples import build_msi
from tests.support.signing import NOW
from tests.unit.verify.matrix.formats import FORMATS

MSI = next(f for f in FORMATS if f.name == "msi")
CLOCK = Clock(now=lambda: NOW)
SECTOR = 512
END, FREE = 0xFFFFFFFE, 0xFFFFFFFF
PAYLOAD = b"PK\x03\x04payload" * 60


def _table(data: bytes | bytearray, sector: int) -> int:
    """Return where the allocation table has the entry of a sector."""
    return (int(struct.unpack_from("<I", data, 76)[0]) + 1) * SECTOR + 4 * sector


def _directory(data: bytes) -> int:
    return (int(struct.unpack_from("<I", data, 48)[0]) + 1) * SECTOR


def _with_sectors(data: bytes, state: int) -> bytes:
    """Put sectors with a payload behind all others; `state` is what the table says of them."""
    changed = bytearray(data + PAYLOAD.ljust(-(-len(PAYLOAD) // SECTOR) * SECTOR, b"\0"))
    first, last = len(data) // SECTOR - 1, len(changed) // SECTOR - 2
    for sector in range(first, last + 1):
        struct.pack_into("<I", changed, _table(changed, sector), state)
    return bytes(changed)


def _in_the_middle(data: bytes) -> bytes:
    """Put free sectors with a payload in front of a directory of their own."""
    changed = bytearray(_with_sectors(data, FREE))
    old = _directory(data)
    sectors = [int(struct.unpack_from("<I", data, 48)[0])]
    while (following := struct.unpack_from("<I", data, _table(data, sectors[-1]))[0]) != END:
        sectors.append(following)
    first = len(changed) // SECTOR - 1
    for number, sector in enumerate(sectors):
        changed += data[(sector + 1) * SECTOR : (sector + 2) * SECTOR]
        struct.pack_into("<I", changed, _table(changed, sector), FREE)
        changed[(sector + 1) * SECTOR : (sector + 2) * SECTOR] = bytes(SECTOR)
        after = first + number + 1 if number + 1 < len(sectors) else END
        struct.pack_into("<I", changed, _table(changed, first + number), after)
    struct.pack_into("<I", changed, 48, first)
    assert old != _directory(bytes(changed))
    return bytes(changed)


def _mini_slack(data: bytes) -> bytes:
    place = data.index(b"the first file") + len(b"the first file")
    return data[:place] + b"x" + data[place + 1 :]


def _long_chain(data: bytes) -> bytes:
    """Let the chain of a stream go on behind its end."""
    changed = bytearray(_with_sectors(data, END))
    first = len(data) // SECTOR - 1
    for sector in range(first, len(changed) // SECTOR - 2):
        struct.pack_into("<I", changed, _table(changed, sector), sector + 1)
    entry = next(
        place
        for place in range(_directory(data), _directory(data) + 2 * SECTOR, 128)
        if data[place : place + 6] == "two".encode("utf-16-le")
    )
    last = struct.unpack_from("<I", data, entry + 116)[0]
    while (following := struct.unpack_from("<I", data, _table(data, last))[0]) != END:
        last = following
    struct.pack_into("<I", changed, _table(changed, last), first)
    return bytes(changed)


def _header(data: bytes) -> bytes:
    return data[:8] + b"sixteen bytes!!!" + data[24:]


def _entry_of_nothing(data: bytes) -> bytes:
    """Add a stream to the directory that no storage has."""
    changed = bytearray(data)
    for place in range(_directory(data), _directory(data) + 2 * SECTOR, 128):
        if not any(changed[place : place + 64]):
            changed[place : place + 128] = changed[_directory(data) + 128 : _directory(data) + 256]
            return bytes(changed)
    raise AssertionError("no room")


CASES: dict[str, Callable[[bytes], bytes]] = {
    "sectors in use that belong to nothing": lambda data: _with_sectors(data, END),
    "sectors that pass for tables": lambda data: _with_sectors(data, 0xFFFFFFFD),
    "free sectors at the end": lambda data: _with_sectors(data, FREE),
    "free sectors before others": _in_the_middle,
    "behind the end of a mini stream": _mini_slack,
    "a chain that is longer than its stream": _long_chain,
    "fields of the header": _header,
    "an entry of the directory that belongs to nothing": _entry_of_nothing,
}
FILES = {"one": b"the first file", "two": bytes(range(256)) * 40, "three": b"3"}


@pytest.mark.parametrize("is_compared", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_data_that_belongs_to_nothing(tmp_path: Path, case: str, is_compared: bool) -> None:
    good = MSI.signed(files=FILES)
    path, before = tmp_path / "a.msi", tmp_path / "before.msi"
    path.write_bytes(good)
    before.write_bytes(build_msi(FILES))
    assert verify_file(path, unsigned=before, clock=CLOCK)
    path.write_bytes(CASES[case](good))
    with pytest.raises(VerificationError) as caught:
        verify_file(path, unsigned=before if is_compared else None, clock=CLOCK)
    assert caught.value.code == "uncovered-data", caught.value


def test_behind_the_end_of_a_stream(tmp_path: Path) -> None:
    files = {**FILES, "two": FILES["two"] + b"!"}
    path = tmp_path / "a.msi"
    data = MSI.signed(files=files)
    place = data.index(files["two"]) + len(files["two"])
    path.write_bytes(data[:place] + b"data" + data[place + 4 :])
    with pytest.raises(VerificationError) as caught:
        verify_file(path, clock=CLOCK)
    assert caught.value.code == "uncovered-data"


def test_old_data_that_was_submitted_is_let_through(tmp_path: Path) -> None:
    path, before = tmp_path / "a.msi", tmp_path / "before.msi"
    path.write_bytes(_in_the_middle(MSI.signed(files=FILES)))
    before.write_bytes(_in_the_middle(build_msi(FILES)))
    assert verify_file(path, unsigned=before, clock=CLOCK)[0].identity == "same"
    with pytest.raises(VerificationError) as caught:
        verify_file(path, clock=CLOCK)
    assert "--unsigned" in caught.value.hint
