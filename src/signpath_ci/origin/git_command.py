"""Runs git (2.18 or newer) on a checkout that is data: nothing in it may start a program, ask, or reach the network."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.checkout import checkout_root, is_inside
from signpath_ci.errors import UsageError
from signpath_ci.origin.urls import without_secrets
from signpath_ci.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = 60.0

# What git needs of the environment: its helpers, the user's configuration (safe.directory stands there), the temporary
# folder. GIT_DIR and its kin, set inside a hook, would lead to another repository; the rest may be secrets.
_KEPT = frozenset(
    {"PATH", "LD_LIBRARY_PATH", "GIT_EXEC_PATH", "HOME", "XDG_CONFIG_HOME", "SUDO_UID", "TMPDIR", "TEMP", "TMP"}
    | {"USERPROFILE", "HOMEDRIVE", "HOMEPATH", "PROGRAMDATA", "APPDATA", "SYSTEMROOT", "WINDIR"}
    | {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_COUNT", "GIT_CEILING_DIRECTORIES"}
)
# The user's own configuration, unless the checkout holds it.
_HOMES = frozenset({"HOME", "USERPROFILE", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"})
_KEPT_PREFIXES = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")
_SET = {
    "LC_ALL": "C",  # errors are distinguished by their words
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",  # no refreshed index is written, so no hook of it is started
    # A partial clone must not fetch what it lacks. The second works before git 2.45 too: no transport is allowed.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_GRAFT_FILE": os.devnull,  # history as it was committed
}
_OPTIONS = (
    "--no-pager",
    "--no-replace-objects",
    "-c",
    "core.fsmonitor=false",
    "-c",
    f"core.hooksPath={os.devnull}",
    # A bare repository below the working directory may have come with the checkout.
    "-c",
    "safe.bareRepository=explicit",
)


@dataclass(frozen=True)
class Answer:
    """What a git command said.

    Attributes:
        code: its exit code.
        output: its standard output.
        complaint: its standard error, without secrets in URLs.
    """

    code: int
    output: str
    complaint: str


def run_git(
    env: Mapping[str, str],
    cwd: Path,
    *arguments: str,
    config: Mapping[str, str] | None = None,
    git_dir: str | None = None,
) -> Answer:
    """Run `git` with `arguments` in `cwd`.

    Args:
        env: the environment; what git does not need of it is left out.
        cwd: the working directory.
        arguments: the command and its options.
        config: settings that replace those of the checkout.
        git_dir: the repository; `None`: the one that `cwd` lies in.

    Raises:
        UsageError: there is no git program, it can't be started, or it takes longer than a minute.
    """
    program = _find(env)
    if program is None:
        raise UsageError(
            f"The git program, needed for the checkout in {cwd}, is not on the PATH.",
            hint="Install git.",
            code="git-failed",
        )
    root = checkout_root(cwd)
    kept = {
        name: value
        for name, value in env.items()
        if (name in _KEPT or name.startswith(_KEPT_PREFIXES)) and not (name in _HOMES and is_inside(Path(value), root))
    }
    settings = [word for name, value in (config or {}).items() for word in ("-c", f"{name}={value}")]
    try:
        done = subprocess.run(  # noqa: S603 - a list without a shell, an absolute path, options that start with words of ours
            [program, *_OPTIONS, *settings, *arguments],
            cwd=cwd,
            env=kept | _SET | ({} if git_dir is None else {"GIT_DIR": git_dir}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"git {arguments[0]} in {cwd} took longer than {_SECONDS:.0f} s.", code="git-failed") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"git can not be started in {cwd} ({type(error).__name__}).", code="git-failed") from None
    # surrogateescape: names need not be UTF-8; what is not is refused where it is used.
    output, complaint = (text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr))
    return Answer(done.returncode, output, without_secrets(complaint))


def filters_of_the_user(env: Mapping[str, str], cwd: Path) -> dict[str, str]:
    """Return the settings with which no filter runs that the checkout's own configuration names.

    `git status` runs filters on files whose content it compares. Those of the user and the system, such as Git LFS's,
    stay as they are.

    Raises:
        UsageError: git can't be run, or a filter has a name that can't be replaced.
    """
    found = _filters(run_git(env, cwd, "config", "-z", "--get-regexp", r"^filter\."))
    if not found:
        return {}
    # With a repository that does not exist, git reads the user's and the system's configuration only.
    users = _filters(run_git(env, cwd, "config", "-z", "--get-regexp", r"^filter\.", git_dir=str(cwd / _NO_REPOSITORY)))
    if any("=" in key or "\n" in key for key in found):
        raise UsageError(
            f"The configuration of the checkout in {cwd} has a filter that can't be left out.",
            hint="Remove it from .git/config.",
            code="git-failed",
        )
    return {key: users.get(key, "false" if key.endswith(".required") else "") for key in found}


_NO_REPOSITORY = ".signpath-no-repository"


def _filters(answer: Answer) -> dict[str, str]:
    pairs = (entry.partition("\n") for entry in answer.output.split("\0") if entry)
    return {key: value for key, _, value in pairs}


def _find(env: Mapping[str, str]) -> str | None:
    """Find git on the PATH of `env`; never in the working directory, where a checkout may hold a file of that name."""
    name = "git.exe" if os.name == "nt" else "git"
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(folder.strip('"') if os.name == "nt" else folder, name)  # entries may be quoted there
        if candidate.is_absolute() and candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate)
    return None
