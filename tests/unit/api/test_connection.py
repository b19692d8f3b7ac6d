"""Waiting for a connection: a signal ends it, also where the system call under it can't be interrupted."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import pytest
from urllib3.util.wait import wait_for_read

from signpath_ci.api import connection


class _SignalError(Exception):
    pass


@pytest.fixture
def alarm() -> Iterator[Callable[[], None]]:
    """Return what sends this process a signal soon, whose handler raises `_SignalError`."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise _SignalError

    before = signal.signal(signal.SIGALRM, interrupt)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.05) and None
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_signal_ends_the_wait_for_work_that_does_not_end(alarm: Callable[[], None]) -> None:
    never = threading.Event()

    def work() -> None:
        alarm()  # not before: a signal while a thread starts is an error of Python's own
        never.wait()

    with pytest.raises(_SignalError):
        connection._in_slices(work)

    never.set()


def test_an_error_of_the_work_is_raised_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise OSError("no such host")

    with pytest.raises(OSError, match="no such host"):
        connection._in_slices(fail)


def test_a_socket_that_stays_silent_times_out() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(TimeoutError):
        connection._await(wait_for_read, ours, 0.01)


def test_a_socket_that_has_data_is_ready_at_once() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(b"x")
        connection._await(wait_for_read, ours, 0.0)
