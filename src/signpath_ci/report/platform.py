"""What the reporters of all CI systems have in common: when something is reported. How, each says by itself."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from signpath_ci.errors import SignPathError
from signpath_ci.files import append, write_atomically
from signpath_ci.model import Artifact, RequestStatus, SignedFileDigests, Submission
from signpath_ci.report.markdown import summary
from signpath_ci.report.neutral import token, web_url
from signpath_ci.report.record import FileOutcome, Record
from signpath_ci.text import one_line

_log = logging.getLogger(__name__)
_WAITS_FOR_APPROVAL = "WaitingForApproval"
_MOST_DIGESTS = 1000

REQUEST_ID, WEB_URL, DOWNLOAD_URL, PATH, STATUS, SIGNED, SHA256, SHA512 = (
    "request id", "web url", "download url", "path", "status", "signed", "sha256", "sha512"
)  # fmt: skip
"""The outputs of every plugin; each CI system has its own names for them."""


class PlatformReporter(Record):
    """Tells a CI system what happened.

    Args:
        stream: of the job's log, where commands to the CI system are written.
    """

    _has_lists = True
    """Whether a value may have several lines."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._group_is_open = False
        self._approvals_asked_for: set[str] = set()

    def artifact_read(self, artifact: Artifact) -> None:
        super().artifact_read(artifact)
        self._group(f"Submit {artifact.path.name}")

    def submitted(self, submission: Submission) -> None:
        super().submitted(submission)
        self._end_group()
        self._outputs({REQUEST_ID: token(submission.signing_request_id), **self._urls(submission)})

    def status_changed(self, status: RequestStatus, waited: float) -> None:
        super().status_changed(status, waited)
        self.ask_for_approval(status, self.web_link)

    def ask_for_approval(self, status: RequestStatus, web_link: str | None) -> None:
        """Tell once where people look first that a request waits for them, if it does."""
        request_id = status.signing_request_id
        if status.status == _WAITS_FOR_APPROVAL and request_id not in self._approvals_asked_for:
            self._approvals_asked_for.add(request_id)
            where = f": {web_url(web_link)}" if web_url(web_link) else "."
            self._annotate(logging.INFO, f"The signing request {request_id} waits for approval{where}")

    def downloaded(self, artifact: Artifact) -> None:
        super().downloaded(artifact)
        self._group("The signed artifact")

    def noted(self, level: int, text: str) -> None:
        """Hear of a line of this program's log; `level` as `logging` numbers them."""
        # An error in the log, as a connector's, is reported again by what the run fails with: one annotation is enough.
        if level == logging.WARNING:
            self._annotate(level, text)

    def close(self) -> None:
        self._end_group()

    def several(self, outcomes: tuple[FileOutcome, ...]) -> None:
        super().several(outcomes)
        submissions = [outcome.record.submission for outcome in outcomes if outcome.record.submission]
        lists = {
            REQUEST_ID: [token(submission.signing_request_id) for submission in submissions],
            WEB_URL: [web_url(submission.web_link) or "" for submission in submissions],
            DOWNLOAD_URL: [web_url(submission.signed_artifact_url) or "" for submission in submissions],
        }
        lines = {name: self._lines(values) for name, values in lists.items()}
        self._outputs({name: value for name, value in lines.items() if value})

    def described(self, files: tuple[SignedFileDigests, ...]) -> None:
        super().described(files)
        if len(files) > _MOST_DIGESTS:  # the CI systems bound what a step hands on
            return
        values = {
            SHA256: self._lines([f"{file.sha256}  {file.path.name}" for file in files]),
            SHA512: self._lines([f"{file.sha512}  {file.path.name}" for file in files]),
        }
        self._outputs({name: value for name, value in values.items() if value})

    def completed(self, outputs: tuple[Path, ...]) -> None:
        super().completed(outputs)
        paths = self._lines([str(path) for path in outputs])
        signed = {SIGNED: "true" if self.is_signed else "false"}
        self._outputs({**self._status(), **signed, **({PATH: paths} if paths else {})})
        self._summarise(summary(self))

    def failed(self, error: SignPathError) -> None:
        self._end_group()
        self._annotate(logging.ERROR, error.line)
        if self.policy or self.unsigned or self.submission:
            self._outputs({**self._status(), SIGNED: "false"})
            self._summarise(summary(self, error=error))

    def _urls(self, submission: Submission) -> dict[str, str]:
        urls = {WEB_URL: web_url(submission.web_link), DOWNLOAD_URL: web_url(submission.signed_artifact_url)}
        return {name: url for name, url in urls.items() if url}

    def _lines(self, values: Sequence[str]) -> str:
        """Return one value, or several as lines; nothing where they can't be distinguished so."""
        if len(values) > 1 and not (self._has_lists and all(value.isprintable() for value in values)):
            return ""
        return "\n".join(values) if any(values) else ""

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
            (append if mode == "a" else write_atomically)(path, data)
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
