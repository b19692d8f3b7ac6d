"""Where the signed file may go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from signpath_ci.errors import LocalFileError
from signpath_ci.signing.target import check_target, default_target
from tests.support.needs import BOUND_BY_PERMISSIONS, make_fifo, needs_permissions

NAME_ANOTHER = "Name another output, or replace it with --force."


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("app.exe", "app.signed.exe"),
        ("out/app.exe", "out/app.signed.exe"),
        ("/a.b/app", "/a.b/app.signed"),
        ("app-1.2.3.msi", "app-1.2.3.signed.msi"),
        ("app.tar.gz", "app.signed.tar.gz"),
        ("APP.TAR.XZ", "APP.signed.TAR.XZ"),
        (".tar.gz", ".tar.signed.gz"),
        ("app.tar", "app.signed.tar"),
        (".profile", ".profile.signed"),
        (".config.xml", ".config.signed.xml"),
        ("..x", "..x.signed"),
        ("app.", "app..signed"),
        (".", ".signed"),
        ("..", "...signed"),
        ("/", "/.signed"),
    ],
)
def test_the_default(given: str, expected: str) -> None:
    assert default_target(Path(given)) == Path(expected)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "app.exe"
    path.write_bytes(b"MZ")
    return path


def _line(target: Path, *, force: bool, source: Path | None = None) -> str:
    with pytest.raises(LocalFileError) as caught:
        check_target(target, force=force, source=source)
    assert caught.value.exit_code == 8
    return str(caught.value)


def test_a_new_file_and_a_forced_one_are_fine(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old.exe").touch()
    monkeypatch.chdir(tmp_path)

    check_target(tmp_path / "new.exe", force=False, source=source)
    check_target(Path("new.exe"), force=False, source=Path("app.exe"))
    check_target(tmp_path / "old.exe", force=True, source=source)
    check_target(tmp_path / "new.exe", force=False, source=tmp_path / "missing.exe")


def test_an_existing_file(source: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.exe"
    old.touch()

    assert _line(old, force=False, source=source) == f"{old} exists already. {NAME_ANOTHER}"


def test_a_link_to_nothing_exists_and_may_be_replaced(tmp_path: Path) -> None:
    link = tmp_path / "link.exe"
    link.symlink_to("nowhere")

    assert _line(link, force=False) == f"{link} exists already. {NAME_ANOTHER}"
    check_target(link, force=True)


@pytest.mark.parametrize("force", [False, True])
def test_the_input_under_any_name(source: Path, tmp_path: Path, force: bool) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "soft.exe").symlink_to(source)
    os.link(source, tmp_path / "hard.exe")

    for target in (source, tmp_path / "directory" / ".." / "app.exe", tmp_path / "soft.exe", tmp_path / "hard.exe"):
        assert _line(target, force=force, source=source) == (
            f"The output {target} is the input {source} itself. Name another file with --output."
        )


def test_what_is_no_file(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    make_fifo(fifo)

    assert _line(tmp_path, force=True) == f"{tmp_path} is a directory. Name a file in it with --output."
    for path in (fifo, Path("/dev/full")):
        assert _line(path, force=True) == f"{path} is not a regular file. Name another file with --output."


def test_a_directory_that_is_not_there_or_is_none(source: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing"

    assert _line(missing / "out.exe", force=False) == f"The directory {missing} does not exist. Make it first."
    assert _line(source / "out.exe", force=False) == f"{source / 'out.exe'} can't be written: Not a directory. " + (
        NAME_ANOTHER
    )


@needs_permissions()
def test_a_directory_that_may_not_be_written(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    script = (
        "import sys; from pathlib import Path; from signpath_ci.signing.target import check_target\n"
        "from signpath_ci.signing.extract import check_directory\n"
        "for check in (lambda p: check_target(p / 'out.exe', force=False), check_directory):\n"
        "    try: check(Path(sys.argv[1]))\n"
        "    except Exception as error: print(error)"
    )
    finished = subprocess.run(
        [*BOUND_BY_PERMISSIONS, sys.executable, "-c", script, str(locked)], capture_output=True, text=True, check=True
    )

    assert finished.stdout.splitlines() == [
        f"The directory {locked} can't be written. Check its permissions, or name another --output.",
        f"The directory {locked} can't be written. Check its permissions.",
    ]


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    assert _line(Path("a\0b"), force=False) == "a?b can't be the name of a file: embedded null byte."
    long = tmp_path / ("x" * 300)
    assert _line(long, force=False) == f"{long} can't be written: File name too long. {NAME_ANOTHER}"
