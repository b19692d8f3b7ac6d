"""GitHub Actions, and Gitea's and Forgejo's, which speak the same variables.

Variables: <https://docs.github.com/actions/reference/workflows-and-actions/variables>
Events and what `GITHUB_SHA` and `GITHUB_REF` are on each:
<https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows>
Forgejo: <https://forgejo.org/docs/latest/user/actions/reference/#environment-variables>
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from signpath_ci.model import Origin, PullRequest
from signpath_ci.origin.event import read_event
from signpath_ci.origin.refs import branch_of, pull_request_of, tag_of
from signpath_ci.origin.urls import joined
from signpath_ci.origin.variables import is_commit

if TYPE_CHECKING:
    from pathlib import Path

    from signpath_ci.origin.variables import Variables

TITLE = "GitHub Actions"
_PULL_REQUEST_EVENTS = frozenset(
    {"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"}
)
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")


def describe(variables: Variables, cwd: Path) -> Origin:
    """Tell the origin from the variables and, on a pull request, from the event file.

    Raises:
        UsageError: a value is missing, malformed, or contradicts another.
    """
    server = variables.need_url("GITHUB_SERVER_URL")
    repository = variables.need("GITHUB_REPOSITORY")
    if not _REPOSITORY.fullmatch(repository):
        variables.broken("GITHUB_REPOSITORY", "is not of the form owner/name")
    ref = variables.ref("GITHUB_REF")
    _check_ref_type(variables, ref)
    is_pull_request = variables.get("GITHUB_EVENT_NAME") in _PULL_REQUEST_EVENTS or pull_request_of(ref) is not None
    pull_request = _pull_request(variables, cwd, server, ref) if is_pull_request else None
    if pull_request is None:
        # Without `refs/` only the type tells a tag from a branch.
        is_tag = tag_of(ref) is not None or variables.get("GITHUB_REF_TYPE") == "tag"
        tag = variables.note("tag", (tag_of(ref) or ref) if is_tag else None, "GITHUB_REF")
        branch = variables.note("branch", None if is_tag else branch_of(ref), "GITHUB_REF")
    else:
        tag = None
        branch = pull_request.source_branch if pull_request.is_fork is False else None
        variables.note("branch", branch, variables.sources.get("pull_request.source_branch", ""))
    return Origin(
        platform="github",
        repository_url=variables.note(
            "repository_url", f"{server.rstrip('/')}/{repository}", "GITHUB_SERVER_URL", "GITHUB_REPOSITORY"
        ),
        branch=branch,
        tag=tag,
        commit=variables.note("commit", variables.need_commit("GITHUB_SHA"), "GITHUB_SHA"),
        build_url=_build_url(variables, server, repository),
        scm=variables.note("scm", "git", TITLE),
        is_pull_request=variables.note("is_pull_request", is_pull_request, "GITHUB_EVENT_NAME", "GITHUB_REF"),
        pull_request=pull_request,
        actor=variables.note("actor", variables.prose("GITHUB_ACTOR"), "GITHUB_ACTOR"),
        run_id=variables.note("run_id", variables.digits("GITHUB_RUN_ID"), "GITHUB_RUN_ID"),
        run_attempt=variables.note("run_attempt", variables.number("GITHUB_RUN_ATTEMPT"), "GITHUB_RUN_ATTEMPT"),
        workflow=variables.note("workflow", variables.prose("GITHUB_WORKFLOW"), "GITHUB_WORKFLOW"),
    )


def _check_ref_type(variables: Variables, ref: str | None) -> None:
    """On pull requests the type says `branch` too, so only a branch and a tag can contradict it."""
    if ref is None or not ref.startswith("refs/"):
        return
    if variables.get("GITHUB_REF_TYPE") == ("tag" if tag_of(ref) is None else "branch"):
        variables.broken("GITHUB_REF_TYPE", "contradicts GITHUB_REF", hint="Do not set either of them yourself.")


def _build_url(variables: Variables, server: str, repository: str) -> str | None:
    # Forgejo's pages of runs go by number, not by id: <https://codeberg.org/forgejo/forgejo/issues/611>
    name = "GITHUB_RUN_NUMBER" if variables.get("FORGEJO_ACTIONS") == "true" else "GITHUB_RUN_ID"
    run = variables.digits(name)
    url = None if run is None else joined(f"{server.rstrip('/')}/{repository}", "actions", "runs", run)
    return variables.note("build_url", url, "GITHUB_SERVER_URL", "GITHUB_REPOSITORY", name)


def _pull_request(variables: Variables, cwd: Path, server: str, ref: str | None) -> PullRequest:
    event = read_event(variables, cwd)

    def note(field: str, *found: tuple[str | None, str]) -> str | None:
        value, source = next(((value, source) for value, source in found if value), (None, ""))
        return variables.note(f"pull_request.{field}", value, source)

    from_ref, from_event = pull_request_of(ref), event.number("pull_request.number") or event.number("number")
    if from_ref is not None and from_event is not None and from_ref != from_event:
        variables.broken("GITHUB_REF", "and the file of GITHUB_EVENT_PATH name different pull requests")
    number = from_event if from_ref is None else from_ref
    head, base = event.text("pull_request.head.repo.full_name"), event.text("pull_request.base.repo.full_name")
    is_fork = None
    if head and base:
        is_fork = head.casefold() != base.casefold()
    elif event.is_null("pull_request.head.repo"):
        is_fork = True  # a fork that was deleted meanwhile
    head_commit = (event.text("pull_request.head.sha") or "").lower()
    return PullRequest(
        number=variables.note("pull_request.number", number, "GITHUB_REF" if from_ref else "event number"),
        source_branch=note(
            "source_branch",
            (variables.ref("GITHUB_HEAD_REF"), "GITHUB_HEAD_REF"),
            (event.ref("pull_request.head.ref"), "event pull_request.head.ref"),
        ),
        target_branch=note(
            "target_branch",
            (variables.ref("GITHUB_BASE_REF"), "GITHUB_BASE_REF"),
            (event.ref("pull_request.base.ref"), "event pull_request.base.ref"),
        ),
        head_commit=note(
            "head_commit", (head_commit if is_commit(head_commit) else None, "event pull_request.head.sha")
        ),
        is_fork=variables.note("pull_request.is_fork", is_fork, "event pull_request.head.repo, pull_request.base.repo"),
        source_repository_url=note(
            "source_repository_url",
            (
                f"{server.rstrip('/')}/{head}" if head and _REPOSITORY.fullmatch(head) else None,
                "GITHUB_SERVER_URL, event pull_request.head.repo.full_name",
            ),
        ),
    )
