"""A plain git checkout: the whole origin where no platform is known, and what only a checkout knows elsewhere.

Output of `git status`: <https://git-scm.com/docs/git-status#_porcelain_format_version_2>
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from signpath_ci.checkout import checkout_root, objection_to_path
from signpath_ci.errors import UsageError
from signpath_ci.model import Origin
from signpath_ci.origin.git_command import filters_of_the_user, run_git
from signpath_ci.origin.urls import public_url
from signpath_ci.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from signpath_ci.origin.variables import Variables

TITLE = "The git checkout"
_DEEPEST_SUBMODULE = 10
# git's words for "this is no working tree", as against one that it can't read.
_NO_CHECKOUT = (
    "not a git repository (or any",
    "must be run in a work tree",
    "cannot use bare repository",
)
_FOREIGN_OWNER = re.compile(r"dubious ownership in repository at '(.*)'")


@dataclass(frozen=True)
class Head:
    """What is checked out.

    Attributes:
        commit: lower-case hex; `None` before the first commit.
        branch: short name; `None` where `HEAD` is on none.
        dirty: a tracked file differs from the commit.
    """

    commit: str | None
    branch: str | None
    dirty: bool


def read_head(env: Mapping[str, str], cwd: Path, *, depth: int = 0) -> Head | None:
    """Tell what is checked out in `cwd`, or `None` where it lies in no working tree.

    Args:
        env: the environment.
        cwd: the working directory.
        depth: of how many checkouts it is a submodule.

    Raises:
        UsageError: there is a repository, but it can't be read: foreign owner, broken, no git program.
    """
    if cwd.is_dir() and not _has_repository(cwd):
        return None  # without a process: a job that only signs has no checkout
    answer = run_git(
        env,
        cwd,
        "status",
        "--porcelain=v2",
        "-z",
        "--branch",
        "--no-ahead-behind",  # would count commits that nobody asks for
        "--no-renames",  # would read contents, which a partial clone lacks
        "--untracked-files=no",
        "--ignore-submodules=dirty",  # looked into below: their configurations may name other filters
        config=filters_of_the_user(env, cwd),
    )
    if answer.code != 0:
        if any(words in answer.complaint for words in _NO_CHECKOUT):
            return None
        complaint = answer.complaint.strip().partition("\n")[0]
        owner = _FOREIGN_OWNER.search(complaint)
        hint = f"If that is intended: git config --global --add safe.directory {owner[1]}" if owner else ""
        raise UsageError(f"git can not read the checkout in {cwd}: {complaint}.", hint=hint, code="git-failed")
    lines = [line for line in answer.output.split("\0") if line]
    headers = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# "))
    commit, branch = headers.get("branch.oid"), headers.get("branch.head")
    return Head(
        commit=None if commit == "(initial)" else commit,
        branch=None if branch == "(detached)" else branch,
        dirty=any(not line.startswith("# ") for line in lines) or _has_dirty_submodule(env, cwd, depth),
    )


def _has_dirty_submodule(env: Mapping[str, str], cwd: Path, depth: int) -> bool:
    """Tell whether a tracked file of a submodule differs from its commit."""
    top = checkout_root(cwd)
    if not (top / ".gitmodules").is_file():
        return False
    answer = run_git(env, top, "config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
    paths = [entry.partition("\n")[2] for entry in answer.output.split("\0") if entry]
    for path in paths:
        if objection_to_path(path, top) or not (top / path / ".git").exists():
            continue  # it leads elsewhere, or is not checked out
        if depth >= _DEEPEST_SUBMODULE:
            raise UsageError(f"The submodules in {cwd} are nested too deep.", code="git-failed")
        head = read_head(env, top / path, depth=depth + 1)
        if head is not None and head.dirty:
            return True
    return False


def describe_local(variables: Variables, cwd: Path) -> Origin:
    """Tell the origin from the checkout in `cwd`; outside of any, everything is unknown.

    Raises:
        UsageError: the checkout can't be read, or a name in it is not one line of text.
    """
    head = read_head(variables.env, cwd)
    if head is None:
        return Origin(platform="local")
    branch = None if head.branch is None else variables.checked(head.branch, "the branch")
    version, exact_tag = _version(variables, cwd) if head.commit else (None, None)
    # As on a platform, what was checked out decides: a branch is a branch even where a tag stands on its tip.
    tag = variables.note("tag", exact_tag if branch is None else None, "git describe --tags")
    return Origin(
        platform="local",
        repository_url=_repository_url(variables, cwd),
        branch=variables.note("branch", branch, "git status"),
        tag=tag,
        commit=variables.note("commit", head.commit, "git status"),
        scm=variables.note("scm", "git", "git status"),
        detached=variables.note("detached", head.branch is None, "git status"),
        dirty=variables.note("dirty", head.dirty, "git status"),
        shallow=_shallow(variables, cwd),
        version=variables.note("version", version, "git describe --tags"),
    )


def add_checkout(variables: Variables, cwd: Path, head: Head, origin: Origin) -> Origin:
    """Add what the checkout knows to a platform's `origin`, whose commit is the one that `head` shows.

    Raises:
        UsageError: a tag is not one line of text, or git failed.
    """
    version = None if origin.version or origin.tag else _version(variables, cwd)[0]
    return replace(
        origin,
        detached=variables.note("detached", head.branch is None, "git status"),
        dirty=variables.note("dirty", head.dirty, "git status"),
        shallow=_shallow(variables, cwd),
        version=variables.note("version", version, "git describe --tags") or origin.version,
    )


def without_v(tag: str) -> str:
    """Return the version that a tag names: without the `v` before the number."""
    return tag[1:] if tag.startswith("v") and tag[1:2].isdigit() else tag


def _version(variables: Variables, cwd: Path) -> tuple[str | None, str | None]:
    """Return the version by `git describe --tags`, and the tag if `HEAD` is exactly there."""
    answer = run_git(variables.env, cwd, "describe", "--tags", "--long")
    if answer.code != 0:
        return None, None
    described = variables.checked(answer.output.strip("\n"), "the tag")
    tag, distance, _ = described.rsplit("-", 2)
    return (without_v(tag), tag) if distance == "0" else (described, None)


def _shallow(variables: Variables, cwd: Path) -> bool:
    answer = run_git(variables.env, cwd, "rev-parse", "--is-shallow-repository")
    return variables.note("shallow", answer.output.strip() == "true", "git rev-parse --is-shallow-repository")


def _repository_url(variables: Variables, cwd: Path) -> str | None:
    """Return the URL of `origin`, or of the only remote.

    Not `git remote get-url`: that applies `insteadOf`, which is where tokens are injected.
    """
    answer = run_git(variables.env, cwd, "config", "-z", "--get-regexp", r"^remote\..*\.url$")
    urls: dict[str, str] = {}  # by the remote's name
    for entry in answer.output.split("\0"):
        key, _, url = entry.partition("\n")
        if url:
            urls.setdefault(key[len("remote.") : -len(".url")], url)  # of several, git fetches from the first
    name = "origin" if "origin" in urls else next(iter(urls)) if len(urls) == 1 else None
    if name is None:
        return None
    public = public_url(variables.checked(urls[name], f"the URL of remote {name}"))
    return variables.note("repository_url", public, f"git config remote.{name}.url")


def _has_repository(cwd: Path) -> bool:
    # A folder in a repository's own clone, a file in a worktree or submodule.
    try:
        return any((folder / ".git").exists() for folder in (cwd.resolve(), *cwd.resolve().parents))
    except OSError:
        return True  # git says what is wrong
