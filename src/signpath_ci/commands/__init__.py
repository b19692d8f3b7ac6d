"""What each command does with its settings: one module a command, each with `run(settings, process)`.

A command puts the rooms together (transport, reporter, pipeline) and prints the result; the work is done elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from signpath_ci.clock import Clock
from signpath_ci.report import Reporter
from signpath_ci.report.lines import LineReporter


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


def print_result(process: Process, text: str) -> None:
    """Write a result to standard output, at once."""
    process.stdout.write(text + "\n")
    process.stdout.flush()


def reporter_for(process: Process) -> Reporter:
    """Return the reporter that fits standard error: bars on a terminal, else lines."""
    if process.stderr.isatty():
        try:
            from signpath_ci.report.terminal import TerminalReporter
        except ImportError:
            pass  # the extra `terminal` is not installed: lines say the same
        else:
            return TerminalReporter(process.stderr, process.clock)
    return LineReporter(process.stderr, process.clock)
