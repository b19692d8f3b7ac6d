"""How a call is repeated: one deadline across all attempts, exponential back-off with full jitter, `Retry-After`.

Full jitter: <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>; `Retry-After`: RFC 9110,
section 10.2.3.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TypeVar

from signpath_ci.clock import Clock
from signpath_ci.errors import ServiceUnavailableError

_log = logging.getLogger(__name__)

_FIRST_DELAY = 1.0
_LONGEST_DELAY = 30.0
_SHORTEST_DELAY = 0.1  # however small the jitter: the next attempt is not made in the same instant
_MAX_DOUBLINGS = 5

T = TypeVar("T")


class AttemptFailedError(Exception):
    """One attempt of a call failed in a way that another may not.

    Args:
        words: what happened, to follow a URL: "answered 503 Service Unavailable".
        untaken: the server can not have taken the request, so that it is safe to repeat in any case.
        retry_after: seconds that the server asks to wait.
    """

    def __init__(self, words: str, *, untaken: bool = False, retry_after: float | None = None) -> None:
        self.words, self.untaken, self.retry_after = words, untaken, retry_after
        super().__init__(words)


class Deadline:
    """The time that a call has, across all its attempts.

    Time in which bytes of a large body moved does not count: the service was available then.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self.seconds = seconds
        self._at = clock.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds that are left; never negative."""
        return max(self._at - self._clock.monotonic(), 0.0)

    def extend(self, seconds: float) -> None:
        """Don't count these seconds."""
        self._at += seconds


class Movement:
    """Watches the pieces of a large body, and takes the time in which they moved off a deadline's account."""

    def __init__(self, clock: Clock, deadline: Deadline) -> None:
        self._clock, self._deadline = clock, deadline
        self._last = clock.monotonic()

    def start(self) -> None:
        """Bytes move from now on."""
        self._last = self._clock.monotonic()

    @property
    def idle(self) -> float:
        """Seconds in which nothing has moved."""
        return self._clock.monotonic() - self._last

    def moved(self) -> None:
        """A piece has moved."""
        now = self._clock.monotonic()
        self._deadline.extend(now - self._last)
        self._last = now


def persist(
    attempt: Callable[[], T],
    *,
    what: str,
    deadline: Deadline,
    clock: Clock,
    random: Callable[[], float],
    if_in_doubt: str | None,
    give_up_hint: str,
) -> T:
    """Call `attempt` until it succeeds, raises something of its own, or the time is over.

    Args:
        attempt: raises `AttemptFailedError` for what may be repeated.
        what: the call, for messages: "POST https://...".
        deadline: after which there is no further attempt; the last one is made exactly then.
        clock: waits between attempts.
        random: returns a number from 0 to 1 for the jitter.
        if_in_doubt: `None` where the call may be repeated in any case; else it is repeated only where the server can
            not have taken it, and this is what to do after any other failure.
        give_up_hint: what to do when the time is over.

    Raises:
        ServiceUnavailableError: the time is over, or the server may have taken a call that must not be repeated.
    """
    attempts = 0
    while True:
        attempts += 1
        try:
            return attempt()
        except AttemptFailedError as error:
            failure = error
        if if_in_doubt is not None and not failure.untaken:
            raise ServiceUnavailableError(
                f"{what} {failure.words}, and the server may have taken it all the same.", hint=if_in_doubt
            )
        remaining = deadline.remaining
        if remaining <= 0:
            raise ServiceUnavailableError(
                f"{what} {failure.words}; given up after {attempts} attempts in {deadline.seconds:g} s.",
                hint=give_up_hint,
            )
        backoff = random() * min(_FIRST_DELAY * 2 ** min(attempts - 1, _MAX_DOUBLINGS), _LONGEST_DELAY)
        delay = min(max(backoff, failure.retry_after or 0.0, _SHORTEST_DELAY), remaining)
        _log.warning("%s %s; trying again in %.1f s.", what, failure.words, delay)
        clock.sleep(delay)


def retry_after_seconds(header: str | None, clock: Clock) -> float | None:
    """Return the seconds of a `Retry-After` header, given as a number or a date; `None` for what is neither."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:  # "-0000": UTC of an unknown place
            date = date.replace(tzinfo=timezone.utc)
        return max((date - clock.now()).total_seconds(), 0.0)
    except (ValueError, OverflowError, TypeError):
        return None
