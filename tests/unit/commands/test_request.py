from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest

from signpath_ci.errors import UsageError
from signpath_ci.model import Origin, SigningRequestFields
from signpath_ci.settings import SignSettings, load
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.submission import origin_for, request_fields
from tests.support.builds import COMMIT, PLATFORMS

GITHUB = PLATFORMS["github"]
JOB = {
    "SIGNPATH_ARTIFACT": "app.exe",
    "SIGNPATH_API_TOKEN": "api-token",
    "SIGNPATH_ORGANIZATION_ID": "12345678-90ab-cdef-1234-567890abcdef",
    "SIGNPATH_PROJECT_SLUG": "demo",
    "SIGNPATH_SIGNING_POLICY_SLUG": "release-signing",
}
TRUSTED = {"SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN": "system-token"}


def _fields(tmp_path: Path, platform: dict[str, str], **variables: str) -> SigningRequestFields:
    settings = load(SignSettings, {}, {**JOB, **variables})
    process = Process(
        environment={"PATH": "/usr/bin:/bin", **platform},
        directory=tmp_path,
        stdout=io.StringIO(),
        stderr=io.StringIO(),
    )
    return request_fields(settings, process, origin_for(settings, process))


def test_metadata_goes_along_by_itself(tmp_path: Path) -> None:
    assert _fields(tmp_path, GITHUB, SIGNPATH_BUILD_VERSION="1.2.3") == SigningRequestFields(
        project_slug="demo",
        signing_policy_slug="release-signing",
        description="1.2.3 main@01234567, build 77",
    )


def test_description_and_parameters_hold_placeholders(tmp_path: Path) -> None:
    fields = _fields(
        tmp_path,
        GITHUB,
        SIGNPATH_DESCRIPTION="{version:-0.0.0} of {branch}",
        SIGNPATH_PARAMETER="commit={short_commit}\nplain=a=b",
        SIGNPATH_PARAMETERS='url: "{build_url}"\nplain: "loses"',
    )

    assert fields.description == "0.0.0 of main"
    assert fields.parameters == {
        "commit": "01234567",
        "plain": "a=b",
        "url": "https://github.example/acme/app/actions/runs/77",
    }


def test_the_origin_is_sent_only_by_a_trusted_build_system(tmp_path: Path) -> None:
    assert _fields(tmp_path, GITHUB).origin == {}
    assert _fields(tmp_path, GITHUB, **TRUSTED).origin == {
        "origin.repositoryData.sourceControlManagementType": "git",
        "origin.repositoryData.url": "https://github.example/acme/app",
        "origin.repositoryData.branchName": "main",
        "origin.repositoryData.commitId": COMMIT,
        "origin.buildData.url": "https://github.example/acme/app/actions/runs/77",
    }


def test_what_can_not_be_vouched_for_is_refused_with_each_reason(tmp_path: Path) -> None:
    foreign = {**GITHUB, "GITHUB_EVENT_NAME": "workflow_run"}

    with pytest.raises(UsageError) as caught:
        _fields(tmp_path, foreign, **TRUSTED)

    assert str(caught.value).startswith(
        "This build's origin can't be vouched for: the run was started by workflow_run: "
    )
    assert "--allow-untrusted-origin" in str(caught.value)
    assert _fields(tmp_path, foreign).origin == {}


def test_an_override_is_told_to_the_approvers(tmp_path: Path) -> None:
    foreign = {**GITHUB, "GITHUB_EVENT_NAME": "workflow_run"}

    fields = _fields(tmp_path, foreign, **TRUSTED, SIGNPATH_ALLOW_UNTRUSTED_ORIGIN="true")

    assert fields.description is not None
    assert fields.description.startswith("[untrusted origin: the run was started by workflow_run: ")
    assert fields.description.endswith(" main@01234567, build 77")
    assert fields.origin["origin.repositoryData.commitId"] == COMMIT


def test_a_tag_s_branch_is_believed_only_where_the_history_shows_it(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.invalid"]
    for command in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "1"], ["branch", "other"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "2"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    tag = {**GITHUB, "GITHUB_REF": "refs/tags/v1.0", "GITHUB_SHA": commit}

    with pytest.raises(UsageError, match="branch is unknown"):
        _fields(tmp_path, tag, **TRUSTED)
    with pytest.raises(UsageError, match="other"):
        _fields(tmp_path, tag, **TRUSTED, SIGNPATH_ORIGIN_BRANCH="other")
    fields = _fields(tmp_path, tag, **TRUSTED, SIGNPATH_ORIGIN_BRANCH="main")
    assert fields.origin["origin.repositoryData.branchName"] == "main"
    assert fields.description == f"1.0 v1.0@{commit[:8]}, build 77"


def test_a_broken_environment_only_matters_where_the_origin_does(tmp_path: Path) -> None:
    broken = {"GITHUB_ACTIONS": "true"}

    assert _fields(tmp_path, broken).description is None
    with pytest.raises(UsageError, match="GITHUB_"):
        _fields(tmp_path, broken, **TRUSTED)
    with pytest.raises(UsageError, match="version"):
        _fields(tmp_path, broken, SIGNPATH_DESCRIPTION="{version}")


def test_an_unknown_origin_still_has_the_given_version(tmp_path: Path) -> None:
    settings = load(SignSettings, {}, {**JOB, "SIGNPATH_BUILD_VERSION": "9"})
    process = Process(
        environment={"GITHUB_ACTIONS": "true"}, directory=tmp_path, stdout=io.StringIO(), stderr=io.StringIO()
    )

    assert origin_for(settings, process) == Origin(platform="local", version="9")
