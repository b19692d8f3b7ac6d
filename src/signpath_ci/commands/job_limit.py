"""How long the CI system lets a job run, where it says so: waiting longer is in vain."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

_log = logging.getLogger(__name__)

_GITHUB_HOSTED = 6 * 3600.0


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
    """Return the seconds after which the CI system ends this job; `None` where that is not known.

    GitHub ends jobs on its own runners after 6 hours (a shorter `timeout-minutes` is not in the environment):
    <https://docs.github.com/en/actions/reference/limits>. GitLab says it in seconds:
    <https://docs.gitlab.com/ci/variables/predefined_variables/> (`CI_JOB_TIMEOUT`). Azure says it in minutes:
    <https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables> (`System.JobTimeout`).
    """
    if environment.get("GITHUB_ACTIONS") == "true":
        return _GITHUB_HOSTED if environment.get("RUNNER_ENVIRONMENT") == "github-hosted" else None
    for name, unit in (("CI_JOB_TIMEOUT", 1.0), ("SYSTEM_JOBTIMEOUT", 60.0)):
        text = environment.get(name, "")
        if re.fullmatch(r"\d{1,9}", text, re.ASCII) and int(text):
            return int(text) * unit
    return None
