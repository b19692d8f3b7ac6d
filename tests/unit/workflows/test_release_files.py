"""Files beside the signed ones: those of a run beside this one come and go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from signpath_ci.workflows.release_files import Directory, walk


def test_files_that_are_gone_meanwhile_and_temporary_ones_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.txt", "gone.txt", ".signpath-d11c658010ba1d22-8241b06b1f8c07e6.part.exe"):
        (tmp_path / name).write_text("text", encoding="utf-8")
    scandir = os.scandir

    def and_one_goes(path: Path) -> Iterator[os.DirEntry[str]]:
        entries = list(scandir(path))
        (tmp_path / "gone.txt").unlink()
        return iter(entries)

    monkeypatch.setattr(os, "scandir", and_one_goes)

    assert [path.name for path, _ in walk([Directory(path=tmp_path)], [])] == ["a.txt"]
