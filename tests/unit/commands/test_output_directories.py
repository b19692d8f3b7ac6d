"""`--output DIR/` is a directory everywhere, and is made."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from signpath_ci.errors import UsageError
from signpath_ci.workflows.inputs import in_directory
from tests.support.pe import LAUNCHERS
from tests.support.program import Program


def test_a_slash_at_the_end_makes_a_directory(program: Program) -> None:
    for name in ("a.exe", "b.exe"):
        shutil.copy(LAUNCHERS["x64"], program.directory / name)

    one = program("sign", "a.exe", "--output", "one/", "--json")
    assert (one.code, one.json["output"]) == (0, "one/a.exe"), one.err
    two = program("sign", "a.exe", "b.exe", "--output", "two")
    assert (two.code, two.out) == (0, "two/a.exe\ntwo/b.exe\n"), two.err
    fetched = program("download", one.json["signing_request_id"], "--unsigned", "a.exe", "--output", "three/")
    assert (fetched.code, fetched.out) == (0, "three/a.exe\n"), fetched.err
    unnamed = program("download", one.json["signing_request_id"], "--output", "four/")
    assert (unnamed.code, unnamed.error_code) == (2, "no-output")


def test_many_files_are_put_into_a_directory_in_linear_time(tmp_path: Path) -> None:
    names = [Path(f"{number}.exe") for number in range(50_000)]
    start = time.process_time()
    assert len(in_directory(tmp_path / "new", names, option="--output")) == len(names)
    assert time.process_time() - start < 5  # comparing each with each takes minutes

    with pytest.raises(UsageError) as caught:
        in_directory(tmp_path, [*names, names[0]], option="--output")
    assert caught.value.code == "same-output"
