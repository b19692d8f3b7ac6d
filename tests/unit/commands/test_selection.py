"""Which files `sign DIRECTORY` and `verify DIRECTORY` stand for, and that nothing is left out in silence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.pe import LAUNCHERS
from tests.support.program import Program


@pytest.fixture
def dist(program: Program) -> Path:
    directory = program.directory / "dist"
    directory.mkdir()
    shutil.copy(LAUNCHERS["x64"], directory / "app.exe")
    return directory


def test_what_a_directory_leaves_out_is_logged(program: Program, dist: Path) -> None:
    (dist / "readme.txt").write_text("text", encoding="utf-8")
    (dist / "app.exe.rejected").write_bytes(b"x")
    (dist / ".tools").mkdir()
    shutil.copy(LAUNCHERS["x64"], dist / ".tools" / "helper.exe")

    finished = program("sign", "dist")

    assert (finished.code, finished.out) == (0, "dist/app.signed.exe\n"), finished.err
    for name in ("readme.txt", "app.exe.rejected"):
        assert f"dist/{name}" in finished.err
    [warning] = [line for line in finished.err.splitlines() if "helper.exe" in line]
    assert warning.startswith("warning: ")


@pytest.mark.parametrize("bundle", [(), ("--bundle",)])
def test_a_file_that_must_be_signed_but_is_damaged_is_refused_before_the_submit(
    program: Program, dist: Path, bundle: tuple[str, ...]
) -> None:
    (dist / "cut.exe").write_bytes(b"MZ")
    refused = program("sign", "dist", *bundle)
    assert (refused.code, refused.error_code) == (2, "unverifiable-format")
    assert "cut.exe" in refused.error

    excluded = program("sign", "dist", "--exclude", "cut.exe", *bundle)
    assert (excluded.code, excluded.out) == (0, "dist/app.signed.exe\n"), excluded.err
    assert "dist/cut.exe" in excluded.err


def test_a_directory_is_verified(program: Program, dist: Path) -> None:
    (dist / "page.xml").write_text("<a/>", encoding="utf-8")
    assert program("sign", "dist", "--in-place", "--exclude", "*.xml").code == 0

    verified = program("verify", "dist", "--json")
    assert verified.code == 0, verified.err
    assert [(one["input"], len(one["verdicts"])) for one in verified.json["results"]] == [("dist/app.exe", 1)]

    shutil.copy(LAUNCHERS["x64"], dist / "unsigned.exe")
    failed = program("verify", "dist", "--json")
    assert failed.code == 7
    assert [(one["input"], bool(one["error"])) for one in failed.json["results"]] == [
        ("dist/app.exe", False),
        ("dist/unsigned.exe", True),
    ]
    assert program("verify", "dist", "--exclude", "unsigned*").code == 0


@pytest.mark.usefixtures("dist")
def test_several_files_have_no_one_submitted_file(program: Program) -> None:
    refused = program("verify", "dist", "--unsigned", "dist/app.exe")
    assert (refused.code, refused.error_code) == (2, "conflicting-options")
