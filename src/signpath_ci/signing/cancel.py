"""The end of a request that nobody waits for any more: a canceled job, or a time that is over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from signpath_ci.errors import (
    InterruptedRunError,
    RefusedError,
    ServiceUnavailableError,
    UsageError,
    interruption,
)
from signpath_ci.model import RequestStatus, Submission

if TYPE_CHECKING:
    from signpath_ci.api.rest import SignPathApi

_log = logging.getLogger(__name__)

_PATIENCE = 2.5
"""Seconds across retries for each of two calls. GitHub kills a canceled job's processes 7.5 s after SIGINT
(https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation)."""


@contextmanager
def canceled_on_interrupt(api: SignPathApi, *, keep: bool) -> Iterator[Callable[[Submission], None]]:
    """Cancel the requests that this run made where a signal ends it.

    Args:
        api: SignPath.
        keep: leave them alive instead, and say so.

    Yields:
        what is to be called with each request that this run makes.

    Raises:
        InterruptedRunError: the one that came, with what became of the requests.
    """
    made: list[Submission] = []
    try:
        yield made.append
    except Exception as raised:
        error = interruption(raised)
        if error is None:
            raise
        words = [_left(submission) if keep else _ended(api, submission) for submission in made]
        raise InterruptedRunError(error.message, number=error.exit_code - 128, hint=" ".join(words)) from None


def cancel(api: SignPathApi, signing_request_id: str) -> RequestStatus:
    """Cancel a request within seconds; return how it ended, which may be as it was just about to.

    Raises:
        RefusedError, UnexpectedAnswerError, ServiceUnavailableError: it could not be canceled.
    """
    api.cancel(signing_request_id, patience=_PATIENCE)
    return api.status(signing_request_id, patience=_PATIENCE)


def _left(submission: Submission) -> str:
    where = f", see {submission.web_link}" if submission.web_link else ""
    return f"The signing request {submission.signing_request_id} stays alive{where}."


def _ended(api: SignPathApi, submission: Submission) -> str:
    try:
        status = cancel(api, submission.signing_request_id)
    except (RefusedError, ServiceUnavailableError, UsageError) as error:
        _log.warning("The signing request %s could not be canceled: %s", submission.signing_request_id, error)
        return _left(submission)
    return f"The signing request {submission.signing_request_id} is {status.status}."
