"""Azure Pipelines: logging commands of the agent.

<https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
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

_log = logging.getLogger(__name__)
_NAMES = {
    REQUEST_ID: "SigningRequestId",
    WEB_URL: "SigningRequestWebUrl",
    DOWNLOAD_URL: "SignedArtifactDownloadUrl",
    PATH: "SignedArtifactPath",
    STATUS: "Status",
    SIGNED: "Signed",
    SHA256: "SignedSha256",
    SHA512: "SignedSha512",
}
_DATA = str.maketrans({"%": "%AZP25", "\r": "%0D", "\n": "%0A"})
_STEP = 10


class AzureReporter(PlatformReporter):
    """Talks to Azure's agent.

    Args:
        stream: of the step's log.
        environment: names a directory that lives as long as the job.
    """

    def __init__(self, stream: TextIO, environment: Mapping[str, str]) -> None:
        super().__init__(stream)
        self._directory = environment.get("AGENT_TEMPDIRECTORY")
        self._percent = -1

    def secret(self, text: str) -> None:
        self._command("task.setsecret", text)

    def uploading(self, done: int, total: int) -> None:
        self._progress("Uploading", done, total)

    def downloading(self, done: int, total: int) -> None:
        self._progress("Downloading", done, total)

    def _progress(self, what: str, done: int, total: int) -> None:
        percent = done * 100 // total // _STEP * _STEP if total else 0
        if percent != self._percent:
            self._percent = percent
            self._command(f"task.setprogress value={percent}", what)

    def _begin(self, title: str) -> None:
        self._write(f"##[group]{title}")

    def _end(self) -> None:
        self._write("##[endgroup]")

    def _annotate(self, level: int, text: str) -> None:
        # There are no notices: a warning is the least that is shown on the run's page.
        self._command(f"task.logissue type={'error' if level >= logging.ERROR else 'warning'}", one_line(text))

    def _outputs(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            if "$(" in value:
                # The agent would expand it where the variable is used.
                _log.warning("%s is not set: its value holds a macro.", _NAMES[name])
                continue
            self._command(f"task.setvariable variable={_NAMES[name]};isOutput=true", value)

    def _summarise(self, text: str) -> None:
        try:
            directory = Path(self._directory or tempfile.mkdtemp(prefix="signpath-"))
        except OSError as error:
            _log.warning("There is no place for the summary: %s", error.strerror)
            return
        name = self.submission.signing_request_id if self.submission else ""
        path = directory / f"signpath-{''.join(c for c in name if c.isalnum() or c == '-')[:64] or 'request'}.md"
        self._to_file(path, text, mode="w")
        self._command("task.uploadsummary", str(path))

    def _command(self, command: str, data: str) -> None:
        self._write(f"##vso[{command}{';' if ' ' in command else ''}]{data.translate(_DATA)}")
