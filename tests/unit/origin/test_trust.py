from __future__ import annotations

from dataclasses import replace

import pytest

from signpath_ci.model import Origin, PullRequest
from signpath_ci.origin.trust import origin_objections

SOUND = Origin(
    platform="github", repository_url="https://github.com/acme/widget", branch="main", commit="a" * 40, scm="git"
)


def pull_request(is_fork: bool | None, number: int | None = 17) -> Origin:
    branch = "fix" if is_fork is False else None
    details = PullRequest(number=number, is_fork=is_fork)
    return replace(SOUND, branch=branch, is_pull_request=True, pull_request=details)


NO_BRANCH = "the branch is unknown"
TARGET = "the run was started by pull_request_target: the commit is the target branch's, the code perhaps a fork's"
DIRTY = "the tree is dirty: tracked files of the checkout differ from the commit"


@pytest.mark.parametrize(
    ("origin", "event", "objections"),
    [
        (SOUND, "push", []),
        (replace(SOUND, dirty=False, shallow=True, detached=True), "schedule", []),
        (pull_request(is_fork=False), "pull_request", []),
        (pull_request(is_fork=True), "pull_request", ["pull request 17 comes from a fork", NO_BRANCH]),
        (
            pull_request(is_fork=None, number=None),
            "pull_request",
            ["it is unknown whether the pull request comes from a fork", NO_BRANCH],
        ),
        (
            pull_request(is_fork=True),
            "pull_request_target",
            [
                TARGET,
                "pull request 17 comes from a fork",
                NO_BRANCH,
            ],
        ),
        (
            SOUND,
            "workflow_run",
            [
                "the run was started by workflow_run: the commit is the default branch's tip, not the artifact's",
            ],
        ),
        (replace(SOUND, platform="gitlab"), "workflow_run", []),
        (
            replace(SOUND, dirty=True),
            "push",
            ["the tree is dirty: tracked files of the checkout differ from the commit"],
        ),
        (
            Origin(platform="local"),
            "",
            ["the repository is unknown", "the commit is unknown", NO_BRANCH],
        ),
        (
            replace(SOUND, branch=None, tag="v1"),
            "push",
            ["the branch is unknown (a tag build has none; --origin-branch names one)"],
        ),
    ],
)
def test_every_reason_is_named(origin: Origin, event: str, objections: list[str]) -> None:
    assert origin_objections(origin, {"GITHUB_EVENT_NAME": event}) == objections


def test_a_confirmed_branch_answers_only_for_the_branch() -> None:
    assert origin_objections(replace(SOUND, branch=None, tag="v1"), {}, branch="main") == []
    assert origin_objections(pull_request(is_fork=True), {}, branch="main") == ["pull request 17 comes from a fork"]
