"""Reading the file to sign: its hash, or the whole line that says what is wrong with it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from signpath_ci.errors import LocalFileError
from signpath_ci.model import Artifact
from signpath_ci.signing.artifact import read_artifact
from tests.support.needs import BOUND_BY_PERMISSIONS, make_fifo, needs_permissions


@pytest.mark.parametrize("size", [1, 256 * 1024, 256 * 1024 + 1])
def test_size_and_hash(tmp_path: Path, size: int) -> None:
    path = tmp_path / "app.exe"
    path.write_bytes(content := os.urandom(size))

    assert read_artifact(path) == Artifact(path=path, size=size, sha256=hashlib.sha256(content).hexdigest())


def _line(path: Path) -> str:
    with pytest.raises(LocalFileError) as caught:
        read_artifact(path)
    assert caught.value.exit_code == 8
    return str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "none.exe"

    assert _line(path) == f"{path} does not exist. Check the path; a relative one starts at the current directory."


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.exe"
    path.touch()

    assert _line(path) == f"{path} is empty. Check that the step that builds it has succeeded."


def test_a_directory(tmp_path: Path) -> None:
    assert _line(tmp_path) == f"{tmp_path} is a directory. Name a file; pack a directory into a ZIP first."


def test_a_fifo_and_a_device_do_not_hang(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    make_fifo(fifo)

    for path in (fifo, Path(os.devnull)):
        assert _line(path) == f"{path} is not a regular file. Write what is to be signed into a file first."


def test_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "app.exe"

    assert _line(path) == f"{path} can't be read: Not a directory. Check its permissions."


def test_a_name_that_no_file_can_have() -> None:
    assert _line(Path("a\0b")) == "a?b can't be the name of a file: embedded null byte."


def test_a_name_that_would_be_a_command_of_a_ci_runner(tmp_path: Path) -> None:
    assert "##vso[" not in _line(tmp_path / "##vso[task.complete]\nx")


@needs_permissions()
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "app.exe"
    path.write_bytes(b"MZ")
    path.chmod(0)
    script = (
        "import sys; from pathlib import Path; from signpath_ci.signing.artifact import read_artifact\n"
        "try: read_artifact(Path(sys.argv[1]))\n"
        "except Exception as error: print(error)"
    )
    finished = subprocess.run(
        [*BOUND_BY_PERMISSIONS, sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )

    assert finished.stdout == f"{path} can't be read: Permission denied. Check its permissions.\n"
