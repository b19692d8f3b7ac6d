"""This platform, but broken: each error names the platform and the variable, and repeats no value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from signpath_ci.errors import UsageError
from signpath_ci.model import PullRequest
from signpath_ci.platforms.collect import collect_origin
from tests.support.needs import make_fifo

NO_TEXT = "holds control characters or bytes that are no text."
NO_ID = "is not a whole commit id (40 or 64 hex digits)."
SHA = "7c2f1e0b9a4d4c5f8e6a3b2d1c0f9e8d7a6b5c4d"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "octo-org/widget",
    "GITHUB_SHA": SHA,
    "GITHUB_REF": "refs/heads/main",
}
PULL_REQUEST = GITHUB | {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/17/merge"}
GITLAB = {"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.com/acme/widget", "CI_COMMIT_SHA": SHA}
AZURE = {"TF_BUILD": "True", "BUILD_REPOSITORY_URI": "https://host/widget", "BUILD_SOURCEVERSION": SHA}


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (GITHUB | {"GITHUB_SHA": ""}, "GitHub Actions: GITHUB_SHA is missing."),
        (GITHUB | {"GITHUB_SHA": "  "}, "GitHub Actions: GITHUB_SHA is missing."),
        (
            GITHUB | {"GITHUB_SHA": "SECRET"},
            "GitHub Actions: GITHUB_SHA " + NO_ID,
        ),
        (
            GITHUB | {"GITHUB_SHA": SHA[:12]},
            "GitHub Actions: GITHUB_SHA " + NO_ID,
        ),
        (GITHUB | {"GITHUB_REPOSITORY": ""}, "GitHub Actions: GITHUB_REPOSITORY is missing."),
        (GITHUB | {"GITHUB_REPOSITORY": "SECRET"}, "GitHub Actions: GITHUB_REPOSITORY is not of the form owner/name."),
        (
            GITHUB | {"GITHUB_REPOSITORY": "../../x"},
            "GitHub Actions: GITHUB_REPOSITORY is not of the form owner/name.",
        ),
        (GITHUB | {"GITHUB_SERVER_URL": ""}, "GitHub Actions: GITHUB_SERVER_URL is missing."),
        (GITHUB | {"GITHUB_SERVER_URL": "a:SECRET@host"}, "GitHub Actions: GITHUB_SERVER_URL is not a URL."),
        (GITHUB | {"GITHUB_REF_TYPE": "tag"}, "GitHub Actions: GITHUB_REF_TYPE contradicts GITHUB_REF."),
        (
            GITHUB | {"GITHUB_REF": "refs/tags/v1", "GITHUB_REF_TYPE": "branch"},
            "GitHub Actions: GITHUB_REF_TYPE contradicts GITHUB_REF.",
        ),
        (GITHUB | {"GITHUB_RUN_ATTEMPT": "SECRET"}, "GitHub Actions: GITHUB_RUN_ATTEMPT is not a number."),
        (
            GITHUB | {"GITHUB_REF": "refs/heads/a\n::set-output::"},
            "GitHub Actions: GITHUB_REF " + NO_TEXT,
        ),
        (
            GITHUB | {"GITHUB_REF": "refs/heads/\x1b[31mSECRET"},
            "GitHub Actions: GITHUB_REF " + NO_TEXT,
        ),
        (
            GITHUB | {"GITHUB_REF": "refs/heads/\udcff"},
            "GitHub Actions: GITHUB_REF " + NO_TEXT,
        ),
        (
            GITHUB | {"GITHUB_REF": "x" * 5000},
            "GitHub Actions: GITHUB_REF is longer than 4096 characters.",
        ),
        (
            GITHUB | {"GITHUB_REF": "SECRET:a"},
            "GitHub Actions: GITHUB_REF is not the name of a branch or tag.",
        ),
        (GITHUB | {"GITHUB_RUN_ID": "SECRET"}, "GitHub Actions: GITHUB_RUN_ID is not a number."),
        (GITLAB | {"CI_COMMIT_SHA": ""}, "GitLab CI/CD: CI_COMMIT_SHA is missing."),
        (GITLAB | {"CI_PROJECT_URL": ""}, "GitLab CI/CD: CI_PROJECT_URL is missing."),
        (GITLAB | {"CI_PROJECT_URL": "SECRET"}, "GitLab CI/CD: CI_PROJECT_URL is not a URL."),
        (GITLAB | {"CI_MERGE_REQUEST_IID": "!SECRET"}, "GitLab CI/CD: CI_MERGE_REQUEST_IID is not a number."),
        (
            GITLAB | {"CI_COMMIT_TAG": "v1", "CI_COMMIT_BRANCH": "main"},
            "GitLab CI/CD: CI_COMMIT_TAG and CI_COMMIT_BRANCH are both set.",
        ),
        (
            GITLAB | {"CI_COMMIT_TAG": "v1", "CI_MERGE_REQUEST_IID": "7"},
            "GitLab CI/CD: CI_COMMIT_TAG is set in a pipeline of a merge request, which builds no tag.",
        ),
        (
            GITLAB | {"CI_COMMIT_TAG": "v1\r\n"},
            "GitLab CI/CD: CI_COMMIT_TAG " + NO_TEXT,
        ),
        (AZURE | {"BUILD_SOURCEVERSION": ""}, "Azure Pipelines: BUILD_SOURCEVERSION is missing."),
        (AZURE | {"BUILD_SOURCEVERSION": "$(Build.SourceVersion)"}, "Azure Pipelines: BUILD_SOURCEVERSION is missing."),
        (AZURE | {"BUILD_REPOSITORY_URI": ""}, "Azure Pipelines: BUILD_REPOSITORY_URI is missing."),
        (
            AZURE | {"BUILD_REPOSITORY_PROVIDER": "Svn", "BUILD_SOURCEBRANCH": "https://SECRET@host"},
            "Azure Pipelines: BUILD_SOURCEBRANCH is a URL instead of a folder of the repository.",
        ),
        (
            AZURE | {"SYSTEM_TEAMPROJECT": "https://SECRET@host"},
            "Azure Pipelines: SYSTEM_TEAMPROJECT is not the name of a team project.",
        ),
        (AZURE | {"BUILD_BUILDID": "20261124.1"}, "Azure Pipelines: BUILD_BUILDID is not a number."),
        (
            AZURE | {"BUILD_REASON": "PullRequest", "SYSTEM_PULLREQUEST_ISFORK": "perhaps"},
            "Azure Pipelines: SYSTEM_PULLREQUEST_ISFORK is neither True nor False.",
        ),
        (
            AZURE | {"BUILD_REASON": "PullRequest", "BUILD_SOURCEBRANCH": "refs/tags/v1"},
            "Azure Pipelines: BUILD_SOURCEBRANCH is a tag in a build of a pull request, which builds no tag.",
        ),
        (
            AZURE | {"BUILD_REPOSITORY_PROVIDER": "TfsVersionControl"},
            "Azure Pipelines: BUILD_SOURCEVERSION is not the number of a changeset or revision.",
        ),
        (GITHUB | GITLAB, "GITHUB_ACTIONS and GITLAB_CI are set, but a build runs on one platform."),
    ],
)
def test_broken(env: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        collect_origin(env, tmp_path)
    assert caught.value.message == message
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "env",
    [
        {"GITHUB_ACTIONS": "false"},
        {"GITHUB_ACTIONS": ""},
        {"GITLAB_CI": "false"},
        {"GITLAB_CI": ""},
        {"TF_BUILD": "$(TF_BUILD)"},
        {"CI": "true"},
        {},
    ],
)
def test_not_this_platform(env: dict[str, str], tmp_path: Path) -> None:
    assert collect_origin(env, tmp_path).platform == "local"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "names a file that is not JSON"),
        (b'{"number": 17, "pull_re', "names a file that is not JSON"),
        (b"<html>SECRET</html>", "names a file that is not JSON"),
        (b"\xff\xfe\x00", "names a file that is not JSON"),
        (b"[" * 200_000, "names a file that is not JSON"),
        (b"9" * 5_000, "names a file that is not JSON"),
        (b"[1, 2]", "names a file that holds no JSON object"),
        (b"null", "names a file that holds no JSON object"),
        (b'{"number": 18}', "name different pull requests"),
        (
            json.dumps({"pull_request": {"head": {"ref": "a\nb"}}}).encode(),
            "pull_request.head.ref holds control characters or bytes that are no text",
        ),
        (
            json.dumps({"pull_request": {"head": {"ref": "\ud800"}}}).encode(),
            "pull_request.head.ref holds control characters or bytes that are no text",
        ),
    ],
)
def test_broken_event_file(content: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_bytes(content)
    with pytest.raises(UsageError, match=what) as caught:
        collect_origin(PULL_REQUEST | {"GITHUB_EVENT_PATH": str(tmp_path / "event.json")}, tmp_path)
    assert "GITHUB_EVENT_PATH" in caught.value.message
    assert "SECRET" not in str(caught.value)


def test_huge_event_file(tmp_path: Path) -> None:
    with (tmp_path / "event.json").open("wb") as file:
        file.truncate(33 * 2**20)  # sparse
    with pytest.raises(UsageError, match="GITHUB_EVENT_PATH names a file of more than 33554432 bytes"):
        collect_origin(PULL_REQUEST | {"GITHUB_EVENT_PATH": str(tmp_path / "event.json")}, tmp_path)


@pytest.mark.parametrize("name", ["missing.json", ".", "fifo", "nul\0"])
def test_event_file_that_is_none(name: str, tmp_path: Path) -> None:
    make_fifo(tmp_path / "fifo")  # must not be waited on
    with pytest.raises(UsageError, match="GitHub Actions: GITHUB_EVENT_PATH "):
        collect_origin(PULL_REQUEST | {"GITHUB_EVENT_PATH": name}, tmp_path)


def test_the_event_file_of_a_push_is_not_needed(tmp_path: Path) -> None:
    assert collect_origin(GITHUB | {"GITHUB_EVENT_PATH": "missing.json"}, tmp_path).branch == "main"


def test_names_that_only_people_read_are_neutralized(tmp_path: Path) -> None:
    origin = collect_origin(GITHUB | {"GITHUB_ACTOR": "a\x1b[2J\n::error::b", "GITHUB_WORKFLOW": "w" * 300}, tmp_path)
    assert (origin.actor, origin.workflow) == ("a?[2J ::error::b", "w" * 199 + "…")


@pytest.mark.parametrize("number", [True, -1, 10**18, 1.5, "17", None, [17]])
def test_an_event_with_a_number_that_is_none(number: object, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text(json.dumps({"number": number}))
    env = GITHUB | {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": "event.json"}
    assert collect_origin(env, tmp_path).pull_request == PullRequest()


def test_an_event_with_names_that_no_branch_can_have(tmp_path: Path) -> None:
    ends = {"head": {"ref": "https://user:SECRET@host", "sha": "SECRET"}, "base": {"ref": "main"}}
    (tmp_path / "event.json").write_text(json.dumps({"number": 17, "pull_request": ends}))
    origin = collect_origin(PULL_REQUEST | {"GITHUB_EVENT_PATH": "event.json"}, tmp_path)
    assert origin.pull_request == PullRequest(number=17, target_branch="main")
