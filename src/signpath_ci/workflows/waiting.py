"""How long a run waits for the signature."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from signpath_ci.model import RequestStatus
from signpath_ci.platforms import detected
from signpath_ci.settings import Waiting
from signpath_ci.values import dataclass
from signpath_ci.workflows.process import Process

_log = logging.getLogger(__name__)


def is_final(status: RequestStatus) -> bool:
    """Tell whether nothing of a request will change any more."""
    return status.is_final


@dataclass(frozen=True, kw_only=True)
class WaitingTime:
    """How long a run waits, in seconds.

    Attributes:
        timeout: after which the request is left alone.
        cancel_after: after which it is canceled instead, no longer than `timeout`; `None`: never.
        until: what the run waits for.
    """

    timeout: float
    cancel_after: float | None = None
    until: Callable[[RequestStatus], bool] = is_final


def waiting_time(settings: Waiting, process: Process) -> WaitingTime:
    """Return how long the run waits; warn where the job ends before."""
    timeout, cancel_after = settings.wait_for_completion_timeout, settings.cancel_after
    warn_of_job_limit(min(timeout, cancel_after or timeout), process.environment)
    return WaitingTime(timeout=timeout, cancel_after=cancel_after)


def warn_of_job_limit(seconds: float, environment: Mapping[str, str]) -> None:
    """Warn where the job is ended before `seconds` are over."""
    limit = job_limit(environment)
    if limit is not None and seconds >= limit:
        _log.warning(
            "The run waits for up to %g s, but this job is ended after %g s. Let another job wait: "
            "`signpath-ci submit` here, and `signpath-ci download` with its receipt there.",
            seconds,
            limit,
        )


def job_limit(environment: Mapping[str, str]) -> float | None:
    """Return the seconds after which the CI system ends this job; `None` where that is not known."""
    found = detected(environment)
    return found[0].job_limit(environment) if found else None
