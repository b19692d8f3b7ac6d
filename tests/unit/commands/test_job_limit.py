from __future__ import annotations

import pytest

from signpath_ci.workflows.waiting import job_limit, warn_of_job_limit


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "github-hosted"}, 21600.0),
        ({"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "self-hosted"}, None),
        ({"GITLAB_CI": "true", "CI_JOB_TIMEOUT": "3600"}, 3600.0),
        ({"GITLAB_CI": "true", "CI_JOB_TIMEOUT": "1h"}, None),
        ({"TF_BUILD": "True", "SYSTEM_JOBTIMEOUT": "60"}, 3600.0),
        ({"TF_BUILD": "True", "SYSTEM_JOBTIMEOUT": "0"}, None),  # none
    ],
)
def test_the_limit_of_the_job(environment: dict[str, str], seconds: float | None) -> None:
    assert job_limit(environment) == seconds


def test_only_a_wait_that_is_too_long_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_job_limit(3599, {"GITLAB_CI": "true", "CI_JOB_TIMEOUT": "3600"})
    assert caplog.messages == []
    warn_of_job_limit(3600, {"GITLAB_CI": "true", "CI_JOB_TIMEOUT": "3600"})
    assert ["this job is ended after 3600 s" in message for message in caplog.messages] == [True]
