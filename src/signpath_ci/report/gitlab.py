"""GitLab CI: sections in the log, and a dotenv report that later jobs get as variables.

<https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections>,
<https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv>
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from signpath_ci.clock import Clock
from signpath_ci.report.platform import (
    DOWNLOAD_URL,
    PATH,
    REQUEST_ID,
    SHA256,
    SHA512,
    SIGNED,
    STATUS,
    WEB_URL,
    PlatformReporter,
)
from signpath_ci.text import one_line

_log = logging.getLogger(__name__)
_NAMES = {
    REQUEST_ID: "SIGNPATH_SIGNING_REQUEST_ID",
    WEB_URL: "SIGNPATH_SIGNING_REQUEST_WEB_URL",
    DOWNLOAD_URL: "SIGNPATH_SIGNED_ARTIFACT_DOWNLOAD_URL",
    PATH: "SIGNPATH_SIGNED_ARTIFACT_PATH",
    STATUS: "SIGNPATH_SIGNING_REQUEST_STATUS",
    SIGNED: "SIGNPATH_SIGNED",
    SHA256: "SIGNPATH_SIGNED_SHA256",
    SHA512: "SIGNPATH_SIGNED_SHA512",
}
_CLEAR_LINE, _BOLD, _PLAIN = "\x1b[0K", "\x1b[1m", "\x1b[0m"


class GitLabReporter(PlatformReporter):
    """Talks to GitLab's runner. Errors and warnings stand in the log anyway: GitLab has no other place for them.

    Args:
        stream: of the job's log.
        environment: names the job, and with `SIGNPATH_DOTENV` the file for the report.
        directory: what a relative name of that file is relative to.
        clock: for the times that GitLab wants with sections.
    """

    _has_lists = False  # a dotenv report has one line a value

    def __init__(self, stream: TextIO, environment: Mapping[str, str], directory: Path, clock: Clock) -> None:
        super().__init__(stream)
        self._clock = clock
        self._dotenv = directory / (environment.get("SIGNPATH_DOTENV") or "signpath.env")
        self._prefix = prefix(environment.get("CI_JOB_NAME", ""))
        self._values: dict[str, str] = {}
        self._sections = 0

    def _begin(self, title: str) -> None:
        self._sections += 1
        self._write(self._section("start", "[collapsed=true]") + title)

    def _end(self) -> None:
        self._write(self._section("end"))

    def _section(self, edge: str, options: str = "") -> str:
        seconds = int(self._clock.now().timestamp())
        return f"{_CLEAR_LINE}section_{edge}:{seconds}:signpath_{self._sections}{options}\r{_CLEAR_LINE}"

    def _annotate(self, level: int, text: str) -> None:
        if level < logging.WARNING:
            self._write(f"{_BOLD}{one_line(text)}{_PLAIN}")

    def _outputs(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            # One line a value, no quotes: what can't be written so is better missing than something else.
            if value != value.strip() or not value.isprintable():
                _log.warning("%s%s is not handed on: its value is not one plain line.", self._prefix, _NAMES[name])
                continue
            self._values[self._prefix + _NAMES[name]] = value
        if self._values:
            self._to_file(self._dotenv, "".join(f"{k}={v}\n" for k, v in self._values.items()), mode="w")


def prefix(job_name: str) -> str:
    """Return what a job's variables begin with: its name in capitals, with underscores for what can't be in one."""
    name = re.sub(r"[^A-Z0-9]+", "_", job_name.upper()).strip("_")
    return f"{'_' if name[:1].isdigit() else ''}{name}_" if name else ""
