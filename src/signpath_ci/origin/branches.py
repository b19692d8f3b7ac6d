"""Is that commit on that branch? Asked of the checkout's history, because a tag build knows no branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signpath_ci.errors import UsageError
from signpath_ci.origin.git_command import Answer, run_git
from signpath_ci.origin.refs import is_ref_name
from signpath_ci.origin.variables import is_commit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FULL_HISTORY = "Fetch the whole history: fetch-depth: 0 (GitHub), GIT_DEPTH: 0 (GitLab), fetchDepth: 0 (Azure)."


def confirm_branch(branch: str, commit: str | None, env: Mapping[str, str], cwd: Path) -> None:
    """Believe that `commit` is on `branch`, local or of any remote, because the checkout in `cwd` shows it.

    Args:
        branch: short name.
        commit: whole id.
        env: the environment; git and its configuration are found by it.
        cwd: a folder of the checkout.

    Raises:
        UsageError: it does not, and why: no such branch, not on it, history cut off, no checkout.
    """
    if not is_ref_name(branch):
        raise UsageError(
            "The origin's branch is not the name of a branch.",
            hint="Give its short name, such as main.",
            code="invalid-origin-branch",
        )
    if commit is None or not is_commit(commit):
        raise UsageError(f"Whether branch {branch} has an unknown commit cannot be known.", code="commit-not-on-branch")
    if _refs(env, cwd, branch, f"--contains={commit}").output:
        return
    known = _refs(env, cwd, branch)
    if known.code != 0:
        raise UsageError(
            f"Whether {commit} is on branch {branch} can't be asked of the checkout in {cwd}: {known.complaint}",
            hint="Run where the repository is checked out, with its whole history.",
            code="commit-not-on-branch",
        )
    shallow = run_git(env, cwd, "rev-parse", "--is-shallow-repository").output.strip() == "true"
    if shallow:
        raise UsageError(
            f"The checkout is shallow, so it can't show {commit} on branch {branch}.",
            hint=_FULL_HISTORY,
            code="commit-not-on-branch",
        )
    if not known.output:
        raise UsageError(
            f"The checkout knows no branch {branch}.",
            hint=f"Fetch it: git fetch origin {branch}",
            code="commit-not-on-branch",
        )
    raise UsageError(
        f"Commit {commit} is not on branch {branch}, as far as the checkout knows it.",
        hint="Name the branch that it was released from, or fetch that branch's latest state.",
        code="commit-not-on-branch",
    )


def _refs(env: Mapping[str, str], cwd: Path, branch: str, *options: str) -> Answer:
    return run_git(
        env, cwd, "for-each-ref", "--format=%(refname)", *options, f"refs/heads/{branch}", f"refs/remotes/*/{branch}"
    )
