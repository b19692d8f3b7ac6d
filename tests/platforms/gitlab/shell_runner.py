"""Runs one job as GitLab's shell executor does: its script in one shell that stops at the first error, then the
after_script in another shell, then what it leaves as artifacts and dotenv variables.

<https://docs.gitlab.com/runner/shells/>
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.platforms.gitlab.semantics import expand_variables

_DEADLINE = 60  # seconds after which a job hangs, by the judgement of these tests


@dataclass(frozen=True)
class FinishedJob:
    """A job at its end: exit code of its script, all that it said, and the dotenv report."""

    code: int
    log: str
    dotenv: dict[str, str]


@dataclass
class ShellRunner:
    """A runner.

    Attributes:
        directory: the project's checkout.
        known: the predefined variables, and those of the project's settings.
        shell: the program that runs scripts.
    """

    directory: Path
    known: Mapping[str, str]
    shell: tuple[str, ...] = ("bash", "-eo", "pipefail")
    _environment: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, job: Mapping[str, Any]) -> subprocess.Popen[str]:
        """Start a job's script."""
        slug = "".join(c if c.isalnum() else "-" for c in name.lower())
        predefined = {**self.known, "CI_JOB_NAME": name, "CI_JOB_NAME_SLUG": slug}
        self._environment = expand_variables(job, predefined)
        return self._start("\n".join(job["script"]) + "\nexit 0\n", {"CI_JOB_STATUS": "running"})

    def finish(self, process: subprocess.Popen[str], job: Mapping[str, Any], *, status: str = "") -> FinishedJob:
        """Wait for the script, run the after_script, and return what is left; `status` overrides the script's own."""
        log, _ = _communicate(process)
        own = "success" if process.returncode == 0 else "failed"
        after = self._start("\n".join(job["after_script"]) + "\n", {"CI_JOB_STATUS": status or own})
        log += _communicate(after)[0]
        assert after.returncode == 0, log
        return FinishedJob(process.returncode, log, self._dotenv(job))

    def run(self, name: str, job: Mapping[str, Any]) -> FinishedJob:
        """Run a job to its end."""
        return self.finish(self.start(name, job), job)

    def _start(self, script: str, more: Mapping[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.shell, "-c", script],
            cwd=self.directory,
            env={**self._environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _dotenv(self, job: Mapping[str, Any]) -> dict[str, str]:
        if "artifacts" not in job:
            return {}
        report = self.directory / job["artifacts"]["reports"]["dotenv"]
        lines = report.read_text("utf-8").splitlines() if report.exists() else []
        return dict(line.split("=", 1) for line in lines)


def _communicate(process: subprocess.Popen[str]) -> tuple[str, str]:
    try:
        return process.communicate(timeout=_DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
