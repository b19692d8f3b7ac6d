"""Runs workflows with `act`, which plays GitHub without GitHub and without containers.

What it does otherwise than GitHub: it hands `INPUT_*` to the scripts of composite actions. `poisoned` says how the
tests find out whether anything is taken from there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.platforms.processes import OnLine, run_followed
from tests.support.needs import ROOT, find

OURS = "signpath-ci/signpath-ci"
REF = "v0.1.0"
TOKEN = "github-token-1d0f7c55"
_DEADLINE = 120
_STUBS = {
    f"actions/{name}": Path(__file__).parent / name
    for name in ("cache", "download-artifact", "setup-python", "upload-artifact")
}


def pinned(action: str) -> str:
    """Return the reference at which our files use somebody's action: everywhere the same."""
    files = [
        *ROOT.glob("actions/*/action.yml"),
        *ROOT.glob(".github/workflows/*.yml"),
        *ROOT.glob("examples/github/*.yml"),
    ]
    found = {
        used[1] for file in files for used in re.finditer(rf"uses: {action}(?:/[\w-]+)?@(\S+)", file.read_text("utf-8"))
    }
    assert len(found) == 1, f"{action} is used at {found}"
    return found.pop()


@dataclass(frozen=True)
class Result:
    """A run at its end.

    Attributes:
        code: of the process: 0 where every job succeeded.
        raw: all that it wrote, one JSON object a line.
        record: the directory into which the workflow wrote what the test wants to know.
    """

    code: int
    raw: str
    record: Path

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What the runner says, entry by entry."""
        return [json.loads(line) for line in self.raw.splitlines() if line.startswith("{")]

    @property
    def log(self) -> str:
        """What a reader of the log sees."""
        return "\n".join(str(entry["msg"]).rstrip("\n") for entry in self.entries)

    def commands(self, name: str) -> list[dict[str, Any]]:
        """Return the entries of the commands that the runner has obeyed, e.g. `error`, `set-output`, `summary`."""
        return [entry for entry in self.entries if entry.get("command") == name]

    @property
    def errors(self) -> list[str]:
        """The texts of the annotations that are errors."""
        return [str(entry["arg"]) for entry in self.commands("error")]

    @property
    def summary(self) -> str:
        """What the steps wrote into their summaries."""
        return "\n".join(str(entry["content"]) for entry in self.commands("summary"))

    def json(self, name: str) -> Any:
        """Return the JSON that the workflow has recorded."""
        return json.loads((self.record / f"{name}.json").read_text("utf-8"))


@dataclass(frozen=True)
class Repository:
    """A repository on GitHub whose workflows are run.

    Attributes:
        directory: its checkout.
        release: the release of our actions that its workflows use.
        home: of the runner; what lies there is kept from run to run.
        known: environment variables of the runner.
    """

    directory: Path
    release: Path
    home: Path
    known: Mapping[str, str]

    def run(
        self,
        workflow: Mapping[str, Any] | str,
        *,
        event: str = "push",
        secrets: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        matrix: Mapping[str, str] | None = None,
        ref: str = "main",
        first_on_path: Path | None = None,
        same_commit: bool = False,
        inputs: Mapping[str, str] | None = None,
        on_line: OnLine | None = None,
    ) -> Result:
        """Run a workflow in a fresh commit of the repository.

        Args:
            workflow: its content, as text or as the mapping that it stands for.
            event: what has started it.
            secrets: the repository's secrets.
            variables: the repository's variables.
            environment: more environment variables of the runner.
            matrix: which of a matrix' jobs are run; all where it is not given.
            ref: the branch or `tags/NAME` that is checked out.
            first_on_path: a directory with programs that are found before any other.
            same_commit: run it in the commit of the run before.
            inputs: what whoever starts it by hand is asked for.
            on_line: follows the log.
        """
        text = workflow if isinstance(workflow, str) else yaml.safe_dump(workflow, sort_keys=False)
        file = self.directory / ".github" / "workflows" / "test.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        self._commit(ref, is_fresh=not same_commit)
        record = self.directory.parent / "record"
        shutil.rmtree(record, ignore_errors=True)
        record.mkdir()
        act = find("act")
        assert act is not None
        local = {f"{OURS}@{REF}": self.release}
        for action, stub in _STUBS.items():
            local[f"{action}@{pinned(action)}"] = stub
        given = {"GITHUB_TOKEN": TOKEN, **(secrets or {})}
        secret_file = self.directory.parent / "secrets"  # a command line is for everyone to see
        secret_file.write_text("".join(f"{name}={value}\n" for name, value in given.items()), "utf-8")
        command: list[str | Path] = [act, event, "--json", "--workflows", file, "--secret-file", secret_file]
        command += ["--no-cache-server", "--platform", "ubuntu-latest=-self-hosted"]
        if api := self.known.get("ARTIFACT_API"):
            command += ["--env", f"GITHUB_API_URL={api}"]
        for name, value in (variables or {}).items():
            command += ["--var", f"{name}={value}"]
        for name, value in (matrix or {}).items():
            command += ["--matrix", f"{name}:{value}"]
        for name, value in (inputs or {}).items():
            command += ["--input", f"{name}={value}"]
        for name, path in local.items():
            command += ["--local-repository", f"{name}={path}"]
        programs = [*([first_on_path] if first_on_path else []), Path(sys.executable).parent]
        search = os.pathsep.join([*map(str, programs), os.environ["PATH"]])
        # What GitHub keeps of this repository: artifacts and caches.
        kept = {"RECORD": str(record), "KEPT": str(self.directory.parent / "kept"), "PATH": search}
        code, output = run_followed(
            command,
            directory=self.directory,
            environment={"HOME": str(self.home), "LANG": "C.UTF-8", **self.known, **kept, **(environment or {})},
            deadline=_DEADLINE,
            on_line=on_line,
        )
        return Result(code, output, record)

    def _commit(self, ref: str, *, is_fresh: bool) -> None:
        def git(*arguments: str) -> None:
            subprocess.run(
                ["git", "-c", "user.name=Dev", "-c", "user.email=dev@example.com", *arguments],
                cwd=self.directory,
                env={"PATH": os.environ["PATH"], "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1"},
                check=True,
                capture_output=True,
            )

        if not (self.directory / ".git").exists():
            git("init", "-b", "main")
            git("remote", "add", "origin", "https://github.com/acme/app")
        if is_fresh:
            git("add", "--all", "--force")
            git("commit", "--allow-empty", "-m", "A commit")
        kind, _, name = ref.rpartition("/")
        if kind == "tags":
            git("tag", "--force", name)
            git("checkout", "--detach", name)
        else:
            git("checkout", "-B", ref)
