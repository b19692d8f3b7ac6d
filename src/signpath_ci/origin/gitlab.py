"""GitLab CI/CD.

Variables: <https://docs.gitlab.com/ci/variables/predefined_variables/>
Merge request pipelines, merged results and merge trains: <https://docs.gitlab.com/ci/pipelines/merge_request_pipelines/>
Pipelines for pull requests of another host: <https://docs.gitlab.com/ci/ci_cd_for_external_repos/>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signpath_ci.model import Origin, PullRequest

if TYPE_CHECKING:
    from signpath_ci.origin.variables import Variables

TITLE = "GitLab CI/CD"
_MERGE_REQUEST = "CI_MERGE_REQUEST_"
_EXTERNAL = "CI_EXTERNAL_PULL_REQUEST_"


def describe(variables: Variables) -> Origin:
    """Tell the origin from the variables.

    Raises:
        UsageError: a value is missing, malformed, or contradicts another.
    """
    commit = variables.need_commit("CI_COMMIT_SHA")
    tag = variables.ref("CI_COMMIT_TAG")
    branch, branch_source = variables.ref("CI_COMMIT_BRANCH"), "CI_COMMIT_BRANCH"
    pull_request = _merge_request(variables, commit) or _external_pull_request(variables)
    if pull_request is not None:
        if tag is not None:
            variables.broken("CI_COMMIT_TAG", "is set in a pipeline of a merge request, which builds no tag")
        branch = pull_request.source_branch if pull_request.is_fork is False else None
        branch_source = variables.sources.get("pull_request.source_branch", "")
    elif tag is not None and branch is not None:
        variables.broken("CI_COMMIT_TAG", "and CI_COMMIT_BRANCH are both set", hint="A pipeline builds one of them.")
    return Origin(
        platform="gitlab",
        repository_url=variables.note("repository_url", variables.need_url("CI_PROJECT_URL"), "CI_PROJECT_URL"),
        branch=variables.note("branch", branch, branch_source),
        tag=variables.note("tag", tag, "CI_COMMIT_TAG"),
        commit=variables.note("commit", commit, "CI_COMMIT_SHA"),
        build_url=variables.note("build_url", variables.url("CI_JOB_URL"), "CI_JOB_URL"),
        scm=variables.note("scm", "git", TITLE),
        is_pull_request=variables.note(
            "is_pull_request", pull_request is not None, f"{_MERGE_REQUEST}IID", f"{_EXTERNAL}IID"
        ),
        pull_request=pull_request,
        actor=variables.note("actor", variables.prose("GITLAB_USER_LOGIN"), "GITLAB_USER_LOGIN"),
        run_id=variables.note("run_id", variables.digits("CI_PIPELINE_ID"), "CI_PIPELINE_ID"),
        workflow=_workflow(variables),
    )


def _workflow(variables: Variables) -> str | None:
    name = variables.prose("CI_PIPELINE_NAME")
    if name:
        return variables.note("workflow", name, "CI_PIPELINE_NAME")
    return variables.note("workflow", variables.prose("CI_CONFIG_PATH"), "CI_CONFIG_PATH")


def _merge_request(variables: Variables, commit: str) -> PullRequest | None:
    # IID is the number in the project, which people see; ID counts the whole server's.
    number = variables.number(f"{_MERGE_REQUEST}IID")
    if number is None:
        return None

    def note(field: str, value: str | None, name: str) -> str | None:
        return variables.note(f"pull_request.{field}", value, name)

    # Set only where the pipeline runs on the merge of both branches; elsewhere the head is what is built.
    head = variables.commit(f"{_MERGE_REQUEST}SOURCE_BRANCH_SHA")
    return PullRequest(
        number=variables.note("pull_request.number", number, f"{_MERGE_REQUEST}IID"),
        source_branch=note(
            "source_branch",
            variables.ref(f"{_MERGE_REQUEST}SOURCE_BRANCH_NAME"),
            f"{_MERGE_REQUEST}SOURCE_BRANCH_NAME",
        ),
        target_branch=note(
            "target_branch",
            variables.ref(f"{_MERGE_REQUEST}TARGET_BRANCH_NAME"),
            f"{_MERGE_REQUEST}TARGET_BRANCH_NAME",
        ),
        head_commit=note(
            "head_commit", head or commit, f"{_MERGE_REQUEST}SOURCE_BRANCH_SHA" if head else "CI_COMMIT_SHA"
        ),
        is_fork=_is_fork(variables, f"{_MERGE_REQUEST}SOURCE_PROJECT_PATH", f"{_MERGE_REQUEST}PROJECT_PATH"),
        source_repository_url=note(
            "source_repository_url",
            variables.url(f"{_MERGE_REQUEST}SOURCE_PROJECT_URL"),
            f"{_MERGE_REQUEST}SOURCE_PROJECT_URL",
        ),
    )


def _external_pull_request(variables: Variables) -> PullRequest | None:
    number = variables.number(f"{_EXTERNAL}IID")
    if number is None:
        return None

    def note(field: str, value: str | None, name: str) -> str | None:
        return variables.note(f"pull_request.{field}", value, name)

    def ref(field: str, name: str) -> str | None:
        return note(field, variables.ref(f"{_EXTERNAL}{name}"), f"{_EXTERNAL}{name}")

    return PullRequest(
        number=variables.note("pull_request.number", number, f"{_EXTERNAL}IID"),
        source_branch=ref("source_branch", "SOURCE_BRANCH_NAME"),
        target_branch=ref("target_branch", "TARGET_BRANCH_NAME"),
        head_commit=note(
            "head_commit", variables.commit(f"{_EXTERNAL}SOURCE_BRANCH_SHA"), f"{_EXTERNAL}SOURCE_BRANCH_SHA"
        ),
        is_fork=_is_fork(variables, f"{_EXTERNAL}SOURCE_REPOSITORY", f"{_EXTERNAL}TARGET_REPOSITORY"),
    )


def _is_fork(variables: Variables, source_name: str, target_name: str) -> bool | None:
    source, target = variables.get(source_name), variables.get(target_name)
    is_fork = None if source is None or target is None else source.casefold() != target.casefold()
    return variables.note("pull_request.is_fork", is_fork, source_name, target_name)
