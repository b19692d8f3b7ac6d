"""Time as an argument: what waits is given a clock, so tests need not wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone

from signpath_ci.values import dataclass

WAIT_SLICE = 0.25
"""Seconds for which the main thread may block: on Windows a signal ends no wait, and its handler runs between two."""


def _sleep(seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, WAIT_SLICE))


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Clock:
    """The three things that a program asks of time.

    Attributes:
        monotonic: seconds from some fixed point; never set back.
        sleep: waits for that many seconds.
        now: the date and time, with time zone UTC.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = _sleep
    now: Callable[[], datetime] = _now
