"""A download that drips is given up; one over a slow network is not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import requests

from signpath_ci.api import streams
from signpath_ci.api.retries import AttemptFailedError, Deadline, Movement
from signpath_ci.api.streams import Download
from signpath_ci.settings import SignSettings, options
from tests.support.values import FakeTime


def _receive(monkeypatch: pytest.MonkeyPatch, *, rate: float, piece: int, every: float) -> tuple[int, float]:
    """Receive an endless body; return the bytes and seconds after which it was given up, or a day."""
    time = FakeTime()

    def pieces(_response: requests.Response) -> Iterator[bytes]:
        while time.clock.monotonic() < 86400:
            time.clock.sleep(every)
            yield bytes(piece)

    monkeypatch.setattr(streams, "_pieces", pieces)
    movement = Movement(time.clock, Deadline(time.clock, 600))
    received = 0
    with contextlib.suppress(AttemptFailedError):
        for part in Download(requests.Response(), movement, 60, rate):
            received += len(part)
    return received, time.clock.monotonic()


DEFAULT = float(next(row for row in options(SignSettings) if row.name == "least_rate").parse("1K"))  # type: ignore[arg-type]


@pytest.mark.parametrize(("piece", "every"), [(1, 1), (1, 0.01), (500, 1), (10_000, 30), (16_384, 59)])
def test_a_drip_is_given_up_within_two_windows(monkeypatch: pytest.MonkeyPatch, piece: int, every: float) -> None:
    _, seconds = _receive(monkeypatch, rate=DEFAULT, piece=piece, every=every)
    assert seconds <= 180


@pytest.mark.parametrize(("piece", "every"), [(1500, 1), (65_536, 50), (3000, 2.5)])
def test_a_slow_network_may_take_a_day(monkeypatch: pytest.MonkeyPatch, piece: int, every: float) -> None:
    assert _receive(monkeypatch, rate=DEFAULT, piece=piece, every=every)[1] >= 86400


def test_zero_allows_nearly_any_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _receive(monkeypatch, rate=0, piece=100, every=5)[1] >= 86400
