"""The lock of a name: one holder at a time, no file left behind, no link followed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from signpath_ci.files import locked
from tests.support.needs import make_fifo


def _never() -> None:
    raise AssertionError("the lock is free")


class TooLongError(Exception):
    pass


def _gives_up() -> None:
    raise TooLongError


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with locked(tmp_path / "r.json", wait=_never) as is_locked:
        assert is_locked
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("second", ["r.json", "R.JSON"])
def test_a_second_holder_waits(tmp_path: Path, second: str) -> None:
    with (
        locked(tmp_path / "r.json", wait=_never),
        pytest.raises(TooLongError),
        locked(tmp_path / second, wait=_gives_up),
    ):
        pass
    with locked(tmp_path / second, wait=_never):
        pass


def test_another_name_has_another_lock(tmp_path: Path) -> None:
    with locked(tmp_path / "a", wait=_never), locked(tmp_path / "b", wait=_never):
        pass


def test_many_holders_come_one_after_the_other(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []
    nothing = threading.Event()

    def pause() -> None:
        nothing.wait(0.001)

    def work() -> None:
        for _ in range(20):
            with locked(tmp_path / "r.json", wait=pause):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1] * 160
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_run_that_was_killed_is_free(tmp_path: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("Windows has no fork")
    child = os.fork()
    if not child:
        with locked(tmp_path / "r.json", wait=_never):
            os._exit(0)
    os.waitpid(child, 0)
    assert len(list(tmp_path.iterdir())) == 1
    with locked(tmp_path / "r.json", wait=_never):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "fifo", "directory"])
def test_what_somebody_has_put_there_is_not_used(tmp_path: Path, kind: str) -> None:
    with locked(tmp_path / "r.json", wait=_never):
        lock = next(tmp_path.iterdir())
    target = tmp_path / "target"
    if kind == "link":
        lock.symlink_to(target)
    elif kind == "fifo":
        make_fifo(lock)
    else:
        lock.mkdir()
    with pytest.raises(OSError, match=r".+"), locked(tmp_path / "r.json", wait=_never):
        pass
    assert not target.exists()
