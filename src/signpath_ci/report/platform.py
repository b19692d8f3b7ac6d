"""What the reporters of all CI systems have in common: when something is told. How, each says by itself."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import TextIO

from signpath_ci.errors import SignPathError
from signpath_ci.model import Artifact, RequestStatus, Submission
from signpath_ci.report.markdown import summary
from signpath_ci.report.neutral import token, web_url
from signpath_ci.report.record import Record
from signpath_ci.text import one_line

_log = logging.getLogger(__name__)
_WAITS_FOR_APPROVAL = "WaitingForApproval"

REQUEST_ID, WEB_URL, DOWNLOAD_URL, PATH, STATUS = "request id", "web url", "download url", "path", "status"
"""The outputs of every plugin; each CI system has its own names for them."""


class PlatformReporter(Record):
    """Tells a CI system what happened.

    Args:
        stream: of the job's log, where commands to the CI system are written.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._group_is_open = False
        self._approval_asked_for = False

    def artifact_read(self, artifact: Artifact) -> None:
        super().artifact_read(artifact)
        self._group(f"Submit {artifact.path.name}")

    def submitted(self, submission: Submission) -> None:
        super().submitted(submission)
        self._end_group()
        self._outputs({REQUEST_ID: token(submission.signing_request_id), **self._urls(submission)})

    def status_changed(self, status: RequestStatus, waited: float) -> None:
        super().status_changed(status, waited)
        if status.status == _WAITS_FOR_APPROVAL and not self._approval_asked_for:
            self._approval_asked_for = True
            where = f": {web_url(self.web_link)}" if web_url(self.web_link) else "."
            self._annotate(logging.INFO, f"The signing request {status.signing_request_id} waits for approval{where}")

    def downloaded(self, artifact: Artifact) -> None:
        super().downloaded(artifact)
        self._group("The signed artifact")

    def noted(self, level: int, text: str) -> None:
        """Hear of a line of this program's log; `level` as `logging` numbers them."""
        # An error in the log, as a connector's, is told again by what the run fails with: one annotation is enough.
        if level == logging.WARNING:
            self._annotate(level, text)

    def close(self) -> None:
        self._end_group()

    def completed(self, output: Path | None) -> None:
        super().completed(output)
        self._outputs({**self._status(), **({PATH: str(output)} if output else {})})
        self._summarise(summary(self))

    def failed(self, error: SignPathError) -> None:
        self._end_group()
        self._annotate(logging.ERROR, str(error))
        self._outputs(self._status())
        if self.policy or self.unsigned or self.submission:
            self._summarise(summary(self, error=error))

    def _urls(self, submission: Submission) -> dict[str, str]:
        urls = {WEB_URL: web_url(submission.web_link), DOWNLOAD_URL: web_url(submission.signed_artifact_url)}
        return {name: url for name, url in urls.items() if url}

    def _status(self) -> dict[str, str]:
        return {STATUS: token(self.status.status)} if self.status else {}

    def _group(self, title: str) -> None:
        self._end_group()
        self._group_is_open = True
        self._begin(one_line(title, limit=200))

    def _end_group(self) -> None:
        if self._group_is_open:
            self._group_is_open = False
            self._end()

    def _write(self, line: str) -> None:
        with contextlib.suppress(OSError):  # a log that nobody can read any more must not cost the signature
            self._stream.write(line + "\n")
            self._stream.flush()

    def _to_file(self, path: Path, text: str, *, mode: str = "a") -> None:
        """Write a file for the CI system, or nothing of it. A run that has come this far does not fail for it."""
        data = text.encode("utf-8", "replace")
        try:
            (_append if mode == "a" else _replace)(path, data)
        except OSError as error:
            _log.warning("%s can't be written, the CI system will not know the results: %s", path, error.strerror)

    def _begin(self, title: str) -> None:
        """Begin a part of the log that can be folded."""

    def _end(self) -> None:
        """End it."""

    def _annotate(self, level: int, text: str) -> None:
        """Show `text` where people look first; foreign."""

    def _outputs(self, values: Mapping[str, str]) -> None:
        """Hand values, one line or not, to later steps; those that were handed on before stay."""

    def _summarise(self, text: str) -> None:
        """Show a summary in Markdown on the job's page."""


def _append(path: Path, data: bytes) -> None:
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            _write_all(file, data)
        except OSError:
            file.truncate(before)  # half an id is worse than none
            raise


def _replace(path: Path, data: bytes) -> None:
    aside = path.with_name(f"{path.name}.part")
    try:
        with aside.open("wb", buffering=0) as file:
            _write_all(file, data)
        aside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise


def _write_all(file: FileIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
