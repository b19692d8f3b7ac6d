"""Runs whole pipelines in `gitlab-ci-local`, which plays GitLab and its shell executor on this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.platforms.processes import OnLine, run_followed
from tests.support.needs import find, needs

_DEADLINE = 120

needs_gitlab_ci_local = needs("gitlab-ci-local", "rsync")


@dataclass(frozen=True)
class FinishedPipeline:
    """A pipeline at its end: the exit code, all that was said, and what lies in the checkout."""

    code: int
    log: str
    directory: Path

    def said(self, job: str) -> list[str]:
        """Return the lines that a job's commands have written."""
        return re.findall(rf"^{re.escape(job)} +> (.*)$", self.log, re.MULTILINE)

    def artifacts(self, job: str) -> Path:
        """Return the directory with what a job has published."""
        return self.directory / ".gitlab-ci-local" / "artifacts" / job


def run_pipeline(
    directory: Path,
    variables: Mapping[str, str],
    path: str,
    home: Path,
    *,
    jobs: Sequence[str] = (),
    on_line: OnLine | None = None,
) -> FinishedPipeline:
    """Run the pipeline of a checkout.

    Args:
        directory: a git checkout with a `.gitlab-ci.yml`.
        variables: those of the project's settings, and the predefined ones.
        path: where jobs look for programs.
        home: an empty directory.
        jobs: these only, with what others have made in an earlier run; without them, all that start by themselves.
        on_line: follows the log.
    """
    given = [f"--variable={name}={text}" for name, text in variables.items()]
    # Without isolation: with it, this runner throws away what a job has made before the job's after_script.
    code, output = run_followed(
        [find("gitlab-ci-local") or "", "--force-shell-executor", "--no-color", *given, *jobs],
        directory=directory,
        environment={"PATH": path, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"},
        deadline=_DEADLINE,
        on_line=on_line,
    )
    return FinishedPipeline(code, output, directory)
