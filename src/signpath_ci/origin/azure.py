"""Azure Pipelines, in the cloud (`dev.azure.com`, `visualstudio.com`) and on an Azure DevOps Server.

Variables: <https://learn.microsoft.com/azure/devops/pipelines/build/variables>
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from signpath_ci.model import Origin, PullRequest
from signpath_ci.origin.refs import branch_of, pull_request_of, tag_of
from signpath_ci.origin.urls import joined

if TYPE_CHECKING:
    from signpath_ci.origin.variables import Variables

TITLE = "Azure Pipelines"
_PULL_REQUEST = "SYSTEM_PULLREQUEST_"
# BUILD_REPOSITORY_PROVIDER; every other one (TfsGit, Git, GitHub, GitHubEnterprise, Bitbucket) is git.
_SCM_OF_PROVIDER = {"tfsversioncontrol": "tfvc", "svn": "svn"}
# <https://learn.microsoft.com/azure/devops/organizations/settings/naming-restrictions>
_NOT_IN_A_PROJECT = re.compile(r"[\\/:*?\"<>|;#@]")
_REVISION = re.compile(r"[A-Za-z]?[0-9]{1,18}")


def describe(variables: Variables) -> Origin:
    """Tell the origin from the variables.

    Raises:
        UsageError: a value is missing, malformed, or contradicts another.
    """
    scm = _SCM_OF_PROVIDER.get((variables.get("BUILD_REPOSITORY_PROVIDER") or "").lower(), "git")
    # Never BUILD_SOURCEBRANCHNAME, which is only the last segment.
    ref = variables.ref("BUILD_SOURCEBRANCH") if scm == "git" else _path(variables, "BUILD_SOURCEBRANCH")
    is_pull_request = _is_pull_request(variables, ref)
    pull_request = _pull_request(variables, ref) if is_pull_request else None
    branch, branch_source = _branch(ref, scm), "BUILD_SOURCEBRANCH"
    if pull_request is not None:
        branch = pull_request.source_branch if pull_request.is_fork is False else None
        branch_source = variables.sources.get("pull_request.source_branch", "")
    attempt = "SYSTEM_JOBATTEMPT"
    return Origin(
        platform="azure",
        repository_url=variables.note(
            "repository_url", variables.need_url("BUILD_REPOSITORY_URI"), "BUILD_REPOSITORY_URI"
        ),
        branch=variables.note("branch", branch, branch_source),
        tag=variables.note("tag", tag_of(ref), "BUILD_SOURCEBRANCH"),
        commit=variables.note("commit", _commit(variables, scm), "BUILD_SOURCEVERSION"),
        build_url=_build_url(variables),
        scm=variables.note("scm", scm, "BUILD_REPOSITORY_PROVIDER"),
        is_pull_request=variables.note("is_pull_request", is_pull_request, "BUILD_REASON", "BUILD_SOURCEBRANCH"),
        pull_request=pull_request,
        actor=variables.note("actor", variables.prose("BUILD_REQUESTEDFOR"), "BUILD_REQUESTEDFOR"),
        run_id=variables.note("run_id", variables.digits("BUILD_BUILDID"), "BUILD_BUILDID"),
        run_attempt=variables.note("run_attempt", variables.number(attempt), attempt),
        workflow=variables.note("workflow", variables.prose("BUILD_DEFINITIONNAME"), "BUILD_DEFINITIONNAME"),
    )


def _is_pull_request(variables: Variables, ref: str | None) -> bool:
    by_id = variables.get(f"{_PULL_REQUEST}PULLREQUESTID") is not None
    started = by_id or variables.get("BUILD_REASON") == "PullRequest"
    if started and tag_of(ref) is not None:
        variables.broken("BUILD_SOURCEBRANCH", "is a tag in a build of a pull request, which builds no tag")
    return started or pull_request_of(ref) is not None


def _branch(ref: str | None, scm: str) -> str | None:
    # TFVC: `$/project/folder` is a branch; `name;user` is a shelveset, which is on none.
    return None if ref is not None and scm == "tfvc" and not ref.startswith("$/") else branch_of(ref)


def _path(variables: Variables, name: str) -> str | None:
    """Return a branch where branches are folders, and may have blanks and other characters that git forbids."""
    value = variables.get(name)
    if value is not None and "://" in value:
        variables.broken(name, "is a URL instead of a folder of the repository")
    return value


def _commit(variables: Variables, scm: str) -> str:
    name = "BUILD_SOURCEVERSION"
    if scm == "git":
        return variables.need_commit(name)
    revision = variables.need(name)
    if not _REVISION.fullmatch(revision):
        variables.broken(name, "is not the number of a changeset or revision")
    return revision


def _build_url(variables: Variables) -> str | None:
    name = "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"
    collection, project = variables.url(name), variables.get("SYSTEM_TEAMPROJECT")
    if project is not None and _NOT_IN_A_PROJECT.search(project):
        variables.broken("SYSTEM_TEAMPROJECT", "is not the name of a team project")
    build = variables.digits("BUILD_BUILDID")
    url = None
    if collection is not None and project is not None and build is not None:
        url = f"{joined(collection, project, '_build', 'results')}?buildId={build}"
    return variables.note("build_url", url, name, "SYSTEM_TEAMPROJECT", "BUILD_BUILDID")


def _pull_request(variables: Variables, ref: str | None) -> PullRequest:
    def note(field: str, value: str | None, name: str) -> str | None:
        return variables.note(f"pull_request.{field}", value, name)

    # GitHub's pull requests have a number beside the id; only the number is what people see.
    numbers = {
        name: variables.number(name) for name in (f"{_PULL_REQUEST}PULLREQUESTNUMBER", f"{_PULL_REQUEST}PULLREQUESTID")
    } | {"BUILD_SOURCEBRANCH": pull_request_of(ref)}
    source, number = next(((name, found) for name, found in numbers.items() if found is not None), ("", None))
    return PullRequest(
        number=variables.note("pull_request.number", number, source),
        source_branch=note(
            "source_branch",
            branch_of(variables.ref(f"{_PULL_REQUEST}SOURCEBRANCH")),
            f"{_PULL_REQUEST}SOURCEBRANCH",
        ),
        target_branch=note(
            "target_branch",
            branch_of(variables.ref(f"{_PULL_REQUEST}TARGETBRANCH")),
            f"{_PULL_REQUEST}TARGETBRANCH",
        ),
        head_commit=note(
            "head_commit", variables.commit(f"{_PULL_REQUEST}SOURCECOMMITID"), f"{_PULL_REQUEST}SOURCECOMMITID"
        ),
        is_fork=_is_fork(variables),
        source_repository_url=note(
            "source_repository_url",
            variables.url(f"{_PULL_REQUEST}SOURCEREPOSITORYURI"),
            f"{_PULL_REQUEST}SOURCEREPOSITORYURI",
        ),
    )


def _is_fork(variables: Variables) -> bool | None:
    name = f"{_PULL_REQUEST}ISFORK"
    value = (variables.get(name) or "").lower()
    if value not in {"", "true", "false", "0", "1"}:
        variables.broken(name, "is neither True nor False")
    return variables.note("pull_request.is_fork", value in {"true", "1"} if value else None, name)
