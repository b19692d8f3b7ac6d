"""Origin, end to end: collected on each platform, vouched for, checked by the policy, recorded, and compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from signpath_ci.sandbox.child import running_sandbox
from tests.support import http
from tests.support.builds import COMMIT, PLATFORMS, REPOSITORIES, on_branch
from tests.support.program import Program, Sandbox, job_environment

ORGANIZATION = "4b1c7f6e-2d2f-4d0a-9c57-0d0f8f6f3a11"
_POLICIES = """
      - {slug: test-signing}
      - {slug: release-signing, allowed_branches: [main, release/*], origin_verification: true}
"""
CONFIGURATION = f"""
organization: {{id: {ORGANIZATION}}}
api_tokens: [{{name: ci, token: api-token-of-ci, may: [submit, read]}}]
trusted_build_systems: [{{name: farm, token: system-token-of-farm}}]
projects:
""" + "".join(
    f"  - slug: {platform}\n    repository_url: {url}\n    signing_policies:{_POLICIES}"
    for platform, url in REPOSITORIES.items()
)

BUILD_URLS = {
    "github": "https://github.example/acme/app/actions/runs/77",
    "gitlab": "https://gitlab.example/acme/app/-/jobs/9",
    "azure": "https://dev.azure.example/acme/app/_build/results?buildId=77",
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose release policy allows only some branches of one repository."""
    directory = tmp_path_factory.mktemp("guarded")
    config = directory / "sandbox.yml"
    config.write_text(CONFIGURATION, encoding="utf-8")
    options = ["--processing-seconds", "0", "--state", str(directory / "state"), "--config", str(config)]
    with running_sandbox(options) as said:
        yield said


def _job(program: Program, guarded: Sandbox, platform: str, branch: str, **more: str) -> Program:
    environment = {
        **job_environment(guarded),
        **on_branch(platform, branch),
        "SIGNPATH_API_TOKEN": "api-token-of-ci",
        "SIGNPATH_PROJECT_SLUG": platform,
        "SIGNPATH_SIGNING_POLICY_SLUG": "release-signing",
        "SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN": "system-token-of-farm",
        **more,
    }
    return replace(program, environment=environment)


def _recorded(guarded: Sandbox, request_id: str) -> Any:
    answer = http.get(
        f"{guarded['api_url']}/v1/{ORGANIZATION}/SigningRequests/{request_id}",
        headers={"Authorization": "Bearer api-token-of-ci"},
        timeout=10,
    )
    answer.raise_for_status()
    return answer.json()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_origin_travels_to_the_request_and_is_verified(
    program: Program, guarded: Sandbox, executable: Path, platform: str
) -> None:
    job = _job(program, guarded, platform, "release/1.0")

    finished = job("sign", executable, "--verify-origin", "--json", "--build-version", "1.0")

    assert finished.code == 0, finished.err
    request = _recorded(guarded, finished.json["signing_request_id"])
    assert request["origin"]["repositoryData"] == {
        "url": REPOSITORIES[platform],
        "branchName": "release/1.0",
        "commitId": COMMIT,
        "sourceControlManagementType": "git",
    }
    assert request["origin"]["buildData"]["url"] == BUILD_URLS[platform]
    assert request["description"] == "1.0 release/1.0@01234567, build 77"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_branch_that_the_policy_does_not_allow_is_refused_by_name(
    program: Program, guarded: Sandbox, executable: Path, platform: str
) -> None:
    finished = _job(program, guarded, platform, "feature/x")("sign", executable)

    assert finished.code == 3
    assert "release-signing" in finished.error
    assert "feature/x" in finished.error
    assert not executable.with_name("app.signed.exe").exists()


def test_another_repository_is_refused(program: Program, guarded: Sandbox, executable: Path) -> None:
    job = _job(program, guarded, "github", "main", GITHUB_REPOSITORY="mallory/app")

    finished = job("sign", executable)

    assert finished.code == 3
    assert "mallory/app" in finished.error


def test_without_a_trusted_build_system_no_origin_is_sent_and_none_can_be_verified(
    program: Program, guarded: Sandbox, executable: Path
) -> None:
    job = _job(
        program,
        guarded,
        "github",
        "main",
        SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN="",
        SIGNPATH_SIGNING_POLICY_SLUG="test-signing",
    )

    assert job("sign", executable, "-o", "a.exe").code == 0
    finished = job("sign", executable, "-o", "b.exe", "--verify-origin")

    assert finished.code == 7
    assert "repository_url, branch, commit, scm, build_url differ" in finished.error
    assert not (program.directory / "b.exe").exists()


def test_a_wrong_trusted_build_system_token_is_refused(program: Program, guarded: Sandbox, executable: Path) -> None:
    job = _job(program, guarded, "github", "main", SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN="wrong-system-token")

    finished = job("sign", executable)

    assert finished.code == 3
    shown = [line for line in finished.err.splitlines() if not line.startswith("::add-mask::")]
    assert "wrong-system-token" not in "".join(shown)


def test_a_fork_is_not_vouched_for(program: Program, guarded: Sandbox, executable: Path) -> None:
    event = program.directory / "event.json"
    repository = {"full_name": "mallory/app", "html_url": "https://github.example/mallory/app", "fork": True}
    base = {"full_name": "acme/app", "html_url": "https://github.example/acme/app", "fork": False}
    event.write_text(
        json.dumps(
            {
                "number": 7,
                "pull_request": {
                    "number": 7,
                    "head": {"ref": "main", "sha": COMMIT, "repo": repository},
                    "base": {"ref": "main", "sha": COMMIT, "repo": base},
                },
            }
        ),
        encoding="utf-8",
    )
    job = _job(
        program,
        guarded,
        "github",
        "main",
        GITHUB_EVENT_NAME="pull_request",
        GITHUB_REF="refs/pull/7/merge",
        GITHUB_HEAD_REF="main",
        GITHUB_BASE_REF="main",
        GITHUB_EVENT_PATH=str(event),
    )

    finished = job("sign", executable)

    assert finished.code == 2
    assert "pull request 7 comes from a fork" in finished.error


def test_the_origin_command_says_where_each_value_comes_from(program: Program, guarded: Sandbox) -> None:
    job = _job(program, guarded, "gitlab", "main")

    table, found = job("origin").out.splitlines(), job("origin", "--json").json

    assert [line.split()[2] for line in table if line.startswith("branch ")] == ["CI_COMMIT_BRANCH"]
    assert (found["platform"], found["branch"], found["commit"]) == ("gitlab", "main", COMMIT)
