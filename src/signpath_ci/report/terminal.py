"""The reporter for a terminal: the lines of the log, with bars that move below them."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from signpath_ci.clock import Clock
from signpath_ci.model import Artifact, RequestStatus, Submission
from signpath_ci.report.lines import LineReporter
from signpath_ci.report.words import status_words
from signpath_ci.text import one_line


class TerminalReporter(LineReporter):
    """Shows uploads, the wait and downloads as they go on.

    Args:
        stream: the terminal.
        clock: for the times on the lines.
    """

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._console = Console(file=stream)
        self._progress: Progress | None = None
        self._task = TaskID(0)
        super().__init__(stream, clock)

    def uploading(self, done: int, total: int) -> None:
        self._show_bytes("Uploading", done, total)

    def downloading(self, done: int, total: int) -> None:
        self._show_bytes("Downloading", done, total)

    def submitted(self, submission: Submission) -> None:
        self._end()
        super().submitted(submission)

    def status_changed(self, status: RequestStatus, waited: float) -> None:
        super().status_changed(status, waited)
        self._end()
        if not status.is_final:
            self._start(
                Progress(
                    SpinnerColumn(),
                    TextColumn("{task.description}", markup=False),
                    TimeElapsedColumn(),
                    console=self._console,
                    transient=True,
                ),
                one_line(status_words(status)),
            )

    def still_waiting(self, waited: float) -> None:
        """The spinner moves by itself."""

    def downloaded(self, artifact: Artifact) -> None:
        self._end()
        super().downloaded(artifact)

    def close(self) -> None:
        self._end()

    def _show_bytes(self, verb: str, done: int, total: int) -> None:
        if self._progress is None:
            self._start(
                Progress(
                    TextColumn("{task.description}"),
                    BarColumn(),
                    DownloadColumn(binary_units=True),
                    console=self._console,
                    transient=True,
                ),
                verb,
            )
        if self._progress is not None:
            with _may_have_gone():
                self._progress.update(self._task, completed=done, total=total or None)

    def _start(self, progress: Progress, description: str) -> None:
        self._progress = progress
        with _may_have_gone():
            self._task = progress.add_task(description, total=None)
            progress.start()

    def _end(self) -> None:
        progress, self._progress = self._progress, None
        if progress is not None:
            with _may_have_gone():
                progress.stop()

    def _write(self, line: str) -> None:
        # While a bar is shown, lines must go above it: rich does that for what its own console prints.
        with _may_have_gone():
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _may_have_gone() -> AbstractContextManager[None]:
    """Let pass that nobody can be shown anything any more: that must not cost the signature."""
    return contextlib.suppress(OSError)
