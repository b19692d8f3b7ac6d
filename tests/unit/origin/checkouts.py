"""Real git checkouts for tests, made by git itself; nothing of the developer's configuration gets in."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.needs import find, reason

SECRET = "SECRET0in0the0url"  # a marker, not a password

_CONFIGURATION = """
[user]
    name = Ann
    email = ann@example.com
[init]
    defaultBranch = main
[advice]
    detachedHead = false
[protocol "file"]
    allow = always
[uploadpack]
    allowFilter = true
"""


@dataclass(frozen=True)
class Checkout:
    """A working tree, and the environment that a build in it has."""

    path: Path
    env: dict[str, str]

    def git(self, *arguments: str) -> str:
        if find("git") is None:
            pytest.skip(reason("git"))
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=self.env, check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout.strip()

    def commit(self, message: str = "change", *, name: str = "file.txt") -> str:
        """Commit a tracked file with new content; return the commit's id."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{message}\n", encoding="utf-8")
        self.git("add", name)
        self.git("commit", "-m", message)
        return self.head()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def at(self, path: Path) -> Checkout:
        return Checkout(path, self.env)

    def clone(self, path: Path, *options: str) -> Checkout:
        self.git("clone", "--quiet", *options, self.path.as_uri(), str(path))
        return self.at(path)


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which git finds itself, a name and fixed dates, but nothing of the machine's."""
    home.mkdir(parents=True, exist_ok=True)
    (home / ".gitconfig").write_text(_CONFIGURATION, encoding="utf-8")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": "2026-11-24T10:00:00Z",
        "GIT_COMMITTER_DATE": "2026-11-24T10:00:00Z",
    }


def new_checkout(folder: Path, *options: str) -> Checkout:
    """Initialize a repository in `folder`/repo, on branch main, without a commit."""
    checkout = Checkout(folder / "repo", environment(folder / "home"))
    checkout.path.mkdir(parents=True)
    checkout.git("init", "--quiet", *options)
    return checkout
