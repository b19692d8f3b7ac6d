"""The reporter for logs: one line a step, and a sign of life at least every 30 seconds."""

from __future__ import annotations

import contextlib
import logging
from typing import TextIO

from signpath_ci.clock import Clock
from signpath_ci.model import Account, Artifact, Failure, RequestStatus, Submission, Verdict
from signpath_ci.report import Reporter
from signpath_ci.report.accounts import account_lines
from signpath_ci.report.words import size, status_words, verdict_words
from signpath_ci.text import one_line

_log = logging.getLogger(__name__)

_SIGN_OF_LIFE = 30.0
"""Seconds without a line after which another is due. CI systems end jobs that say nothing for long."""


class LineReporter(Reporter):
    """Writes plain lines.

    Args:
        stream: where to.
        clock: for the times on the lines.
    """

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._said_at = clock.monotonic()

    def artifact_read(self, artifact: Artifact) -> None:
        self._say(f"Signing {artifact.path}, {size(artifact.size)}")
        self._say(f"  SHA-256 before: {artifact.sha256}")

    def uploading(self, done: int, total: int) -> None:
        self._say_alive(f"Uploading: {size(done)} of {size(total)}")

    def submitted(self, submission: Submission) -> None:
        self._say(f"Signing request {submission.signing_request_id}")
        if submission.web_link:
            self._say(f"  {submission.web_link}")

    def status_changed(self, status: RequestStatus, waited: float) -> None:
        self._say(f"{self._clock.now():%H:%M:%S} {status_words(status)} after {waited:.1f} s")

    def still_waiting(self, waited: float) -> None:
        self._say_alive(f"{self._clock.now():%H:%M:%S} still waiting, {waited:.0f} s so far")

    def downloading(self, done: int, total: int) -> None:
        self._say_alive(f"Downloading: {size(done)}" + (f" of {size(total)}" if total else ""))

    def downloaded(self, artifact: Artifact) -> None:
        self._say(f"Downloaded the signed file, {size(artifact.size)}")
        self._say(f"  SHA-256 after: {artifact.sha256}")

    def verified(self, verdicts: tuple[Verdict, ...]) -> None:
        self.rejected(verdicts)

    def rejected(self, verdicts: tuple[Verdict | Failure, ...]) -> None:
        for verdict in verdicts:
            for line in verdict_words(verdict):
                self._say(line)

    def accounted(self, account: Account) -> None:
        for line in account_lines(account):
            self._say(line)

    def logged(self, level: int, message: str) -> None:
        _log.log(level, "connector: %s", message)

    def explained(self, table: tuple[str, ...]) -> None:
        for line in table:
            self._write(f"  {line}")

    def _say_alive(self, text: str) -> None:
        if self._clock.monotonic() - self._said_at >= _SIGN_OF_LIFE:
            self._say(text)

    def _say(self, text: str) -> None:
        indent = text[: len(text) - len(text.lstrip())]
        self._write(indent + one_line(text))
        self._said_at = self._clock.monotonic()

    def _write(self, line: str) -> None:
        with contextlib.suppress(OSError):  # a log that nobody can read any more must not cost the signature
            self._stream.write(line + "\n")
            self._stream.flush()
