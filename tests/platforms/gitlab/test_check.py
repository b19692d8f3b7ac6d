"""The template `check.yml` in a merge request: what users get wrong fails there, and not at the release."""

from __future__ import annotations

import shutil

import pytest

from tests.platforms.gitlab.conftest import Project
from tests.platforms.gitlab.shell_runner import FinishedJob, ShellRunner
from tests.support.user_errors import USER_ERRORS, UserError


def run(project: Project, case: UserError) -> FinishedJob:
    shutil.rmtree(project.directory / ".signpath", ignore_errors=True)
    case.write(project.directory)
    inputs = {"package": str(project.core), "artifact_path": "app.zip", "artifact_configuration_slug": case.slug}
    known = {**project.known, "CI_PIPELINE_SOURCE": "merge_request_event"}
    return ShellRunner(project.directory, known, ("sh", "-e")).run(*project.job("check", inputs))


@pytest.mark.parametrize("case", USER_ERRORS, ids=lambda case: case.name)
def test_user_error_fails_in_a_merge_request(project: Project, case: UserError) -> None:
    finished = run(project, case)
    assert finished.code == case.code, finished.log
    assert case.remedy in finished.log


def test_build_that_fits_passes_without_a_token(project: Project) -> None:
    finished = run(project, UserError(name="fits", remedy=""))
    assert finished.code == 0, finished.log
    assert "App.exe: authenticode-sign" in finished.log
    assert not (project.directory / ".signpath-ci").exists()
