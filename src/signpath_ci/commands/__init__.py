"""What each command does with its settings: one module a command, each with `run(settings, process)`.

A command puts the rooms together (transport, reporter, pipeline) and prints the result; the work is done elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from signpath_ci.clock import Clock
from signpath_ci.errors import LocalFileError
from signpath_ci.report import Reporter, Several
from signpath_ci.report.lines import LineReporter

if TYPE_CHECKING:
    from signpath_ci.report.platform import PlatformReporter


@dataclass(frozen=True, kw_only=True)
class Process:
    """What a command may use of the process that it runs in, so that tests can hand in their own.

    Attributes:
        environment: the environment variables.
        directory: the current directory.
        stdout: for results.
        stderr: for progress and logs.
        clock: the time.
    """

    environment: Mapping[str, str]
    directory: Path
    stdout: TextIO
    stderr: TextIO
    clock: Clock = field(default_factory=Clock)

    @cached_property
    def platform(self) -> PlatformReporter | None:
        """The reporter of the CI system that the process runs on; `None` where it runs on none."""
        from signpath_ci.origin import azure, github, gitlab

        if github.detect(self.environment):
            from signpath_ci.report.github import GitHubReporter

            return GitHubReporter(self.stderr, self.environment)
        if gitlab.detect(self.environment):
            from signpath_ci.report.gitlab import GitLabReporter

            return GitLabReporter(self.stderr, self.environment, self.directory, self.clock)
        if azure.detect(self.environment):
            from signpath_ci.report.azure import AzureReporter

            return AzureReporter(self.stderr, self.environment)
        return None


def print_result(process: Process, text: str) -> None:
    """Write a result to standard output, at once.

    Raises:
        LocalFileError: it can't be written, as where the disk is full.
    """
    try:
        process.stdout.write(text + "\n")
        process.stdout.flush()
    except BrokenPipeError:
        raise  # the reader has gone, which is its own business
    except OSError as error:
        raise LocalFileError(
            f"The result can't be printed: standard output can't be written: {error.strerror}.",
            hint="Check the disk where it is redirected to.",
        ) from None


def reporter_for(process: Process) -> Reporter:
    """Return the reporter that fits: the CI system's, if there is one, and bars on a terminal, else lines."""
    progress = _progress(process)
    # Parts of the log begin before, and end after the lines that belong to them.
    return Several(process.platform, progress) if process.platform else progress


def _progress(process: Process) -> Reporter:
    if process.stderr.isatty():
        try:
            from signpath_ci.report.terminal import TerminalReporter
        except ImportError:
            pass  # the extra `terminal` is not installed: lines say the same
        else:
            return TerminalReporter(process.stderr, process.clock)
    return LineReporter(process.stderr, process.clock)
