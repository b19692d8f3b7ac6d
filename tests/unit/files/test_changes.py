"""Renaming and removing while another program holds the file, as Windows reports it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.files import changes, delete, link, move, replace

LONGEST = len(changes._PAUSES)


class Held:
    """A method of `Path` that fails as on Windows for the first calls."""

    def __init__(self, real: Callable[..., object], times: int, code: int) -> None:
        self.real, self.left, self.code = real, times, code

    def __get__(self, instance: Path, _owner: object) -> Callable[..., object]:
        return lambda *arguments: self(instance, *arguments)

    def __call__(self, *arguments: object) -> object:
        if self.left:
            self.left -= 1
            error = PermissionError(errno.EACCES, "The file is in use", str(arguments[0]))
            error.winerror = self.code  # type: ignore[attr-defined,unused-ignore]
            raise error
        return self.real(*arguments)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr(changes, "CLOCK", Clock(sleep=made.append))
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"new")
    (tmp_path / "target").write_bytes(b"old")
    return tmp_path / "file"


CHANGES = [
    pytest.param("replace", lambda file: replace(file, file.with_name("target")), id="replace"),
    pytest.param("rename", lambda file: move(file, file.with_name("other")), id="move"),
    pytest.param("unlink", delete, id="delete"),
]


@pytest.mark.parametrize("code", [5, 32, 33])
@pytest.mark.parametrize(("method", "change"), CHANGES)
def test_a_file_that_is_held_for_a_while_is_changed_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
    pauses: list[float],
    file: Path,
    method: str,
    change: Callable[[Path], None],
    code: int,
) -> None:
    monkeypatch.setattr(Path, method, Held(getattr(Path, method), 3, code))
    change(file)
    assert not file.exists()
    assert len(pauses) == 3
    assert pauses == sorted(pauses)


@pytest.mark.parametrize(("method", "change"), CHANGES)
def test_a_file_that_stays_held_is_an_error_that_says_who_may_hold_it(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], file: Path, method: str, change: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(Path, method, Held(getattr(Path, method), LONGEST + 1, 32))
    with pytest.raises(PermissionError, match="virus scanner"):
        change(file)
    assert file.exists()
    assert 3 < sum(pauses) < 15


def test_a_second_name_is_waited_for_as_well(monkeypatch: pytest.MonkeyPatch, pauses: list[float], file: Path) -> None:
    held = Held(os.link, 2, 32)
    monkeypatch.setattr(os, "link", held)
    link(file, file.with_name("second"))
    assert file.with_name("second").read_bytes() == b"new"
    assert len(pauses) == 2


@pytest.mark.parametrize("code", [2, 112, 183])
def test_other_errors_are_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float], file: Path, code: int
) -> None:
    monkeypatch.setattr(Path, "replace", Held(Path.replace, 1, code))
    with pytest.raises(PermissionError):
        replace(file, file.with_name("target"))
    assert pauses == []


def test_a_read_only_file_is_replaced_and_removed_on_windows(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(changes, "IS_WINDOWS", True)
    target = file.with_name("target")
    target.chmod(0o444)
    modes: list[int] = []
    real = Path.replace

    def look(path: Path, to: Path) -> Path:
        modes.append(to.stat().st_mode & 0o777)
        return real(path, to)

    monkeypatch.setattr(Path, "replace", look)
    replace(file, target)
    assert modes == [0o644]
    assert target.read_bytes() == b"new"
    target.chmod(0o444)
    delete(target)
    assert not target.exists()


def test_the_attribute_is_put_back_where_the_file_was_not_replaced(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(changes, "IS_WINDOWS", True)
    target = file.with_name("target")
    target.chmod(0o444)
    monkeypatch.setattr(Path, "replace", Held(Path.replace, 1, 112))
    with pytest.raises(PermissionError):
        replace(file, target)
    assert target.stat().st_mode & 0o777 == 0o444


def test_what_is_not_there_is_an_error_unless_that_is_fine(tmp_path: Path) -> None:
    delete(tmp_path / "none", missing_ok=True)
    with pytest.raises(FileNotFoundError):
        delete(tmp_path / "none")
