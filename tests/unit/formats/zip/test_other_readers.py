"""What this project's reader accepts, every other reader sees the same, or refuses."""

from __future__ import annotations

import hashlib
import io
import itertools
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.needs import needs
from tests.support.raw_zip import Ending, build
from tests.support.zip_readers import Seen, differences, others, ours
from tests.support.zip_readers.generate import Generator
from tests.unit.formats.zip.test_profile import ACCEPTED, REFUSED

RECORDED = sorted((Path(__file__).parents[3] / "recorded" / "zip").glob("*.zip"))
_READERS = needs("unzip", "7z", "bsdtar", "java", "tfx")  # npm installs the readers beside tfx


def corpus() -> Iterator[bytes]:
    """Give the archives that mutation starts from."""
    yield from (path.read_bytes() for path in RECORDED)
    yield from (data for data, _ in REFUSED.values() if len(data) < 10_000)
    for case, entries in ACCEPTED.items():
        if case != "many zeros":
            yield from (build(*entries, ending=Ending(is_large=is_large)) for is_large in (False, True))


def accepted(archives: Iterator[bytes], directory: Path, count: int) -> list[Path]:
    """Write the first archives that are accepted into a directory."""
    written: dict[bytes, Path] = {}
    for data in archives:
        path = directory / f"{len(written)}.zip"
        path.write_bytes(data)
        if data not in written and ours(path) is not None:
            written[data] = path
        if len(written) == count:
            break
    return list(written.values())


@_READERS
def test_other_readers_see_the_same(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    is_full = request.config.getoption("full")
    seed = random.randrange(1 << 32) if is_full else 1
    seeds = list(corpus())
    archives = itertools.chain(seeds if is_full else seeds[: len(RECORDED)], Generator(seed, seeds).archives())
    found = differences(accepted(archives, tmp_path, 1200 if is_full else 70))
    assert found == [], f"seed {seed}"


@_READERS
def test_every_reader_reads_a_plain_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(build(*ACCEPTED["files and directories"]))
    seen = {name: files for name, _, files in others([path])}
    expected = ours(path)
    assert expected
    assert {name for name, files in seen.items() if files != expected} == set()
    assert len(seen) >= 11


def _zipfile(data: bytes) -> Seen | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {
                info.filename: hashlib.sha256(archive.read(info)).hexdigest()
                for info in archive.infolist()
                if not info.is_dir()
            }
    except Exception:  # noqa: BLE001 - whatever it is, the archive is refused
        return None


@given(seed=st.integers(min_value=0))
def test_zipfile_sees_the_same(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    path = tmp_path_factory.getbasetemp() / "generated.zip"
    for data in itertools.islice(Generator(seed, list(corpus())).archives(), 60):
        path.write_bytes(data)
        seen = ours(path)
        theirs = _zipfile(data) if seen is not None else None
        assert theirs is None or theirs == seen
