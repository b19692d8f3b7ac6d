"""GitHub Actions (Gitea and Forgejo too): workflow commands in the log, and files for outputs and summary.

<https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

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

_NAMES = {
    REQUEST_ID: "signing-request-id",
    WEB_URL: "signing-request-web-url",
    DOWNLOAD_URL: "signed-artifact-download-url",
    PATH: "signed-artifact-path",
    STATUS: "status",
    SIGNED: "signed",
    SHA256: "signed-sha256",
    SHA512: "signed-sha512",
}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})


def _random_delimiter() -> str:
    return f"signpath-{os.urandom(16).hex()}"


class GitHubReporter(PlatformReporter):
    """Talks to GitHub's runner.

    Args:
        stream: of the step's log.
        environment: names the files for outputs and summary.
        delimiter: makes a word that no value holds.
    """

    def __init__(
        self,
        stream: TextIO,
        environment: Mapping[str, str],
        *,
        delimiter: Callable[[], str] = _random_delimiter,
    ) -> None:
        super().__init__(stream)
        self._output_file = environment.get("GITHUB_OUTPUT")
        self._summary_file = environment.get("GITHUB_STEP_SUMMARY")
        self._delimiter = delimiter

    def secret(self, text: str) -> None:
        self._write(f"::add-mask::{text.translate(_DATA)}")

    def _begin(self, title: str) -> None:
        self._write(f"::group::{title.translate(_DATA)}")

    def _end(self) -> None:
        self._write("::endgroup::")

    def _annotate(self, level: int, text: str) -> None:
        kind = "error" if level >= logging.ERROR else "warning" if level >= logging.WARNING else "notice"
        self._write(f"::{kind} title=SignPath::{one_line(text).translate(_DATA)}")

    def _outputs(self, values: Mapping[str, str]) -> None:
        if not self._output_file:
            return
        blocks = []
        for name, value in values.items():
            delimiter = self._delimiter()
            blocks.append(f"{_NAMES[name]}<<{delimiter}\n{value}\n{delimiter}\n")
        self._to_file(Path(self._output_file), "".join(blocks))

    def _summarise(self, text: str) -> None:
        if self._summary_file:
            self._to_file(Path(self._summary_file), text)
