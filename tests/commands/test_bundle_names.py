"""Bundles of files whose names macOS gives in Unicode's form NFD: in the ZIP they are in NFC, in place they stay."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from tests.support.program import Program

_NFC = unicodedata.normalize("NFC", "Ärger é.exe")
_NFD = unicodedata.normalize("NFD", _NFC)


@pytest.fixture
def file(executable: Path) -> Path:
    path = executable.parent / "dist" / _NFD
    path.parent.mkdir()
    return executable.rename(path)


def test_a_bundle_replaces_the_very_file_that_was_named(program: Program, file: Path) -> None:
    before = file.stat().st_size

    finished = program("sign", "--bundle", "dist", "--in-place", "--json")

    assert finished.code == 0, finished.err
    assert [path.name for path in file.parent.iterdir()] == [_NFD]
    assert file.stat().st_size > before


@pytest.mark.parametrize("options", [[], ["--output", "signed"]])
def test_a_bundle_from_elsewhere_comes_back_under_normalised_names(
    program: Program, file: Path, options: list[str]
) -> None:
    (program.directory / "signed").mkdir()

    finished = program("sign", "--bundle", "dist", "--json", *options)

    assert finished.code == 0, finished.err
    assert json.loads(finished.out)["status"] == "Completed"
    signed = [path.name for path in program.directory.rglob("*.exe") if path != file]
    assert len(signed) == 1
    expected = _NFD.replace(".exe", ".signed.exe") if not options else _NFC
    assert signed[0] == expected
