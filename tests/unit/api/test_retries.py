"""When a call is made again, and when not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.api.retries import AttemptFailedError, Deadline, Movement, persist, retry_after_seconds
from signpath_ci.errors import ServiceUnavailableError
from tests.support.values import FakeTime


def _persist(
    time: FakeTime,
    attempt: Callable[[], str],
    *,
    seconds: float = 600,
    if_in_doubt: str | None = None,
    random: float = 1.0,
) -> str:
    return persist(
        attempt,
        what="GET https://x",
        deadline=Deadline(time.clock, seconds),
        clock=time.clock,
        random=lambda: random,
        if_in_doubt=if_in_doubt,
        give_up_hint="Wait.",
    )


def _failing(*failures: AttemptFailedError) -> Callable[[], str]:
    left = list(failures)

    def attempt() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return attempt


def _always(failure: AttemptFailedError) -> Callable[[], str]:
    def attempt() -> str:
        raise failure

    return attempt


def test_the_delay_doubles_up_to_half_a_minute() -> None:
    time = FakeTime()

    assert _persist(time, _failing(*[AttemptFailedError("failed")] * 8)) == "done"
    assert time.slept == [1, 2, 4, 8, 16, 30, 30, 30]


def test_jitter_takes_any_part_of_the_delay_but_not_all_of_it() -> None:
    time = FakeTime()
    _persist(time, _failing(*[AttemptFailedError("failed")] * 3), random=0.25)
    _persist(time, _failing(AttemptFailedError("failed")), random=0.0)

    assert time.slept == [0.25, 0.5, 1, 0.1]


def test_the_last_attempt_is_at_the_deadline_and_then_it_is_given_up() -> None:
    time = FakeTime()
    with pytest.raises(ServiceUnavailableError) as caught:
        _persist(time, _always(AttemptFailedError("answered 503")), seconds=10)

    assert str(caught.value) == "GET https://x answered 503; given up after 5 attempts in 10 s. Wait."
    assert time.slept == [1, 2, 4, 3]


@pytest.mark.parametrize(
    ("asked", "slept"),
    [(None, [1.0]), (0.0, [1.0]), (20.0, [20.0]), (1e12, [600.0]), (float("inf"), [600.0])],
)
def test_retry_after_is_heeded_within_the_deadline(asked: float | None, slept: list[float]) -> None:
    time = FakeTime()
    _persist(time, _failing(AttemptFailedError("failed", retry_after=asked)))

    assert time.slept == slept


def test_what_must_not_be_repeated_is_repeated_only_where_it_was_not_taken() -> None:
    time = FakeTime()

    assert _persist(time, _failing(AttemptFailedError("x", untaken=True)), if_in_doubt="Look.") == "done"
    with pytest.raises(ServiceUnavailableError) as caught:
        _persist(time, _always(AttemptFailedError("stalled")), if_in_doubt="Look.")

    assert str(caught.value) == "GET https://x stalled, and the server may have taken it all the same. Look."
    assert time.slept == [1]


def test_time_in_which_bytes_move_does_not_count() -> None:
    time = FakeTime()
    deadline = Deadline(time.clock, 10)
    movement = Movement(time.clock, deadline)
    time.seconds = 3
    movement.start()
    for _ in range(100):
        time.seconds += 5
        movement.moved()

    assert deadline.remaining == 7
    time.seconds += 8
    assert deadline.remaining == 0


NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Mon, 01 Jun 2026 12:01:30 GMT", 90.0),
        ("Mon, 01 Jun 2026 12:01:30 -0000", 90.0),
        ("Mon, 01 Jun 2026 14:01:30 +0200", 90.0),
        ("Mon, 01 Jun 2020 12:00:00 GMT", 0.0),
        ("9" * 400, float("inf")),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("\u0665", None),
        ("Mon, 99 Jun 2026 12:00:00 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, FakeTime(NOW).clock) == seconds


@given(header=st.text())
def test_any_retry_after_is_seconds_or_nothing(header: str) -> None:
    seconds = retry_after_seconds(header, FakeTime(NOW).clock)

    assert seconds is None or seconds >= 0
