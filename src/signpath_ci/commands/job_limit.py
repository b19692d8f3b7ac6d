"""How long the CI system lets a job run, where it says so: waiting longer is in vain."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from signpath_ci.platforms import detected

_log = logging.getLogger(__name__)


def warn_of_job_limit(seconds: float, environment: Mapping[str, str]) -> None:
    """Warn where the job is ended before `seconds` are over."""
    limit = job_limit(environment)
    if limit is not None and seconds >= limit:
        _log.warning(
            "It is waited for up to %g s, but this job is ended after %g s. Let another job wait: "
            "`signpath-ci submit` here, and `signpath-ci download` with its receipt there.",
            seconds,
            limit,
        )


def job_limit(environment: Mapping[str, str]) -> float | None:
    """Return the seconds after which the CI system ends this job; `None` where that is not known."""
    found = detected(environment)
    return found[0].job_limit(environment) if found else None
