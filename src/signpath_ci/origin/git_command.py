"""Runs git (2.18 or newer) on a checkout that is data: nothing in it may start a program, ask, or reach the network."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.errors import UsageError
from signpath_ci.origin.urls import without_secrets

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
_KEPT_PREFIXES = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")
_SET = {
    "LC_ALL": "C",  # errors are told apart by their words
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


def run_git(env: Mapping[str, str], cwd: Path, *arguments: str) -> Answer:
    """Run `git` with `arguments` in `cwd`.

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
    kept = {name: value for name, value in env.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
    try:
        done = subprocess.run(  # noqa: S603 - a list without a shell, an absolute path, options that start with words of ours
            [program, *_OPTIONS, *arguments],
            cwd=cwd,
            env=kept | _SET,
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


def _find(env: Mapping[str, str]) -> str | None:
    """Find git on the PATH of `env`; never in the working directory, where a checkout may hold a file of that name."""
    name = "git.exe" if os.name == "nt" else "git"
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(folder.strip('"') if os.name == "nt" else folder, name)  # entries may be quoted there
        if candidate.is_absolute() and candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate)
    return None
