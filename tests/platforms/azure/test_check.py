"""The template `check.yml` in a pull request: what users get wrong fails there, and not at the release."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tools.azure_tasks import AZURE

from tests.platforms.azure.agent import Agent, Ran
from tests.platforms.azure.expander import expand_pipeline
from tests.support.user_errors import USER_ERRORS, UserError


def run(agent: Agent, core: Path, case: UserError) -> Ran:
    shutil.rmtree(agent.directory / ".signpath", ignore_errors=True)
    case.write(agent.directory)
    agent.variables["Build.Reason"] = "PullRequest"
    steps = expand_pipeline(
        AZURE / "templates" / "check.yml",
        variables={},
        repositories={},
        package=str(core),
        artifactPath="app.zip",
        artifactConfigurationSlug=case.slug,
    )["steps"]
    return [agent.run(step) for step in steps][-1]


@pytest.mark.parametrize("case", USER_ERRORS, ids=lambda case: case.name)
def test_user_error_fails_in_a_pull_request(agent: Agent, core: Path, case: UserError) -> None:
    ran = run(agent, core, case)
    assert not ran.succeeded
    assert any(kind == "error" and case.remedy in text for kind, text in ran.issues), ran.output


def test_build_that_fits_passes_without_a_token(agent: Agent, core: Path) -> None:
    ran = run(agent, core, UserError(name="fits", remedy=""))
    assert ran.succeeded, ran.output
    assert "App.exe: authenticode-sign" in ran.output
