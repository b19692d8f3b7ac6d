"""The real command, in this process or in one of its own, with the environment of a job that signs in a sandbox."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.in_process import run_in_process
from tests.support.needs import BOUND_BY_PERMISSIONS

Sandbox = dict[str, Any]
RequestsOf = Callable[[str], list[dict[str, Any]]]
_DEADLINE = 60  # seconds after which a process hangs, by the judgement of these tests


@dataclass(frozen=True)
class Finished:
    """A run of the command at its end."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on standard output."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one line that says what is wrong; what a connector logs about it stands apart."""
        lines = [line for line in self.err.splitlines() if re.match("error: (?!connector: )", line)]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0].removeprefix("error: ").removesuffix(f" [{self.error_code}]")

    @property
    def error_code(self) -> str:
        """The code of the one error (docs/errors.md)."""
        codes = re.findall(r"(?m)^error: (?!connector: ).*\[([a-z0-9-]+)\]$", self.err)
        assert len(codes) == 1, self.err
        return str(codes[0])


@dataclass(frozen=True)
class Program:
    """`signpath-ci`, with the environment of a job that signs in the sandbox, and nothing else."""

    directory: Path
    environment: Mapping[str, str]
    prefix: tuple[str, ...] = ()

    @property
    def bound_by_permissions(self) -> Program:
        """The same program, which permissions of files bind even where the tests run as root."""
        return replace(self, prefix=BOUND_BY_PERMISSIONS)

    def start(self, *arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
        """Start the command and return the process; a variable set to `""` is not given."""
        return subprocess.Popen(
            [*self.prefix, sys.executable, "-m", "signpath_ci", *map(str, arguments)],
            cwd=self.directory,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def process(self, *arguments: str | Path, **environment: str) -> Finished:
        """Run the command to its end in a process of its own."""
        with self.start(*arguments, **environment) as process:
            return finish(process)

    def __call__(self, *arguments: str | Path, **environment: str) -> Finished:
        """Run the command to its end: in this process, unless a prefix makes it one of its own."""
        if self.prefix:
            return self.process(*arguments, **environment)
        words = [str(argument) for argument in arguments]
        return Finished(*run_in_process(words, self.directory, {**self.environment, **environment}))


def finish(process: subprocess.Popen[str]) -> Finished:
    """Wait for a process and return all that it said."""
    try:
        out, err = process.communicate(timeout=_DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Finished(process.returncode, out, err)


def sandbox_root(sandbox: Sandbox) -> str:
    """Return the base of the sandbox's own routes."""
    root: str = sandbox["api_url"].removesuffix("/Api")
    return root


def job_environment(sandbox: Sandbox) -> dict[str, str]:
    """Return what a job needs to sign in the sandbox; from this process only what any process needs."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "COVERAGE_PROCESS_START") if name in os.environ}
    inherited |= {name: text for name, text in os.environ.items() if name.startswith("COVERAGE_")}
    return {
        **inherited,
        "TMPDIR": tempfile.gettempdir(),
        "SIGNPATH_API_URL": sandbox["api_url"],
        "SIGNPATH_API_TOKEN": sandbox["api_token"],
        "SIGNPATH_ORGANIZATION_ID": sandbox["organization_id"],
        "SIGNPATH_PROJECT_SLUG": sandbox["project_slug"],
        "SIGNPATH_SIGNING_POLICY_SLUG": sandbox["signing_policy_slug"],
        "SIGNPATH_TRUST_ROOT": sandbox["trust_root"],
    }


def tree(directory: Path) -> dict[str, bytes | None]:
    """Return every path below a directory with its content, to compare before and after."""
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
        for path in sorted(directory.rglob("*"))
    }
