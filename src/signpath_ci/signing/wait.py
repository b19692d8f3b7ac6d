"""From a signing request to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from signpath_ci.clock import Clock
from signpath_ci.errors import NotSignedError, StillPendingError
from signpath_ci.model import RequestStatus

_SHARE = 0.05
"""Of the time waited so far, after which it is asked again: a result is seen at most that much late."""
_FIRST, _SHORTEST, _LONGEST = 0.25, 1.0, 30.0
"""Seconds: small files are signed at once, so the first pauses are shorter; each is twice as long as the one before."""
_POLL_PATIENCE = 30.0
"""Seconds across retries that a poll has at least: near the deadline, one failed connection must not end it all."""

_NEXT_STEPS = {
    "Denied": "Ask the approvers of the signing policy why.",
    "Canceled": "Somebody canceled it, or a time limit did.",
    "Failed": "The page of the request names the cause.",
}


class AsksStatus(Protocol):
    """Whoever can tell where a request stands: SignPath's REST API, or a connector."""

    def status(self, signing_request_id: str, *, patience: float | None = None) -> RequestStatus:
        """Return where a request stands; `patience` bounds the seconds across retries."""
        ...


def wait(
    api: AsksStatus,
    signing_request_id: str,
    *,
    timeout: float,
    clock: Clock,
    on_status: Callable[[RequestStatus, float], None],
    on_poll: Callable[[float], None],
    until: Callable[[RequestStatus], bool] = lambda status: status.is_final,
) -> RequestStatus:
    """Ask for a request's status until it is final; statuses that are not known are waited on like others.

    Args:
        api: who is asked.
        signing_request_id: of the request.
        timeout: seconds; it is asked a last time when they are over.
        clock: waits between polls.
        on_status: is called with each new status, and the seconds waited so far.
        on_poll: is called with the seconds waited so far, at each poll.
        until: when to stop waiting; a final status always does.

    Returns:
        The status: `Completed`, or the one that `until` accepts.

    Raises:
        NotSignedError: it is final, but not `Completed`.
        StillPendingError: the time is over.
    """
    start = clock.monotonic()
    deadline = start + timeout
    last = None
    shortest = _FIRST
    while True:
        left = deadline - clock.monotonic()
        status = api.status(signing_request_id, patience=max(left, _POLL_PATIENCE))
        now = clock.monotonic()
        if (status.status, status.workflow_status) != last:
            on_status(status, now - start)
            last = (status.status, status.workflow_status)
        on_poll(now - start)
        if status.is_final and not status.is_completed:
            raise _not_signed(status)
        if status.is_final or until(status):
            return status
        if left <= 0:
            raise _still_pending(status, timeout)
        pause = min(max((now - start) * _SHARE, shortest), _LONGEST)
        shortest = min(2 * shortest, _SHORTEST)
        clock.sleep(max(min(pause, deadline - now), 0.0))


_CODES = {"Failed": "request-failed", "Denied": "request-denied", "Canceled": "request-canceled"}


def is_artifact_fetched(status: RequestStatus) -> bool:
    """Tell whether a connector's job may end: the token that SignPath fetches the artifact with dies with it."""
    return status.is_artifact_fetched is True


def _not_signed(status: RequestStatus) -> NotSignedError:
    hints = (_NEXT_STEPS.get(status.status, ""), f"See {status.web_link}" if status.web_link else "")
    return NotSignedError(
        f"The signing request {status.signing_request_id} ended as {_shown(status)}.",
        hint=" ".join(hint for hint in hints if hint),
        code=_CODES.get(status.status),
    )


def _still_pending(status: RequestStatus, timeout: float) -> StillPendingError:
    follow = f"follow it at {status.web_link} and " if status.web_link else ""
    return StillPendingError(
        f"The signing request {status.signing_request_id} is still {_shown(status)} after {timeout:g} s.",
        hint=f"It stays alive: {follow}resume with: signpath-ci download {status.signing_request_id}",
    )


def _shown(status: RequestStatus) -> str:
    finer = status.workflow_status
    return status.status if finer in {None, status.status} else f"{status.status} ({finer})"
