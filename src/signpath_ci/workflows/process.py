"""What a run may use of the process that it is in, and how it prints its result."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from signpath_ci.clock import Clock
from signpath_ci.errors import LocalFileError
from signpath_ci.report import CompositeReporter, Reporter
from signpath_ci.streams import is_closed_by_reader
from signpath_ci.text import one_line
from signpath_ci.values import dataclass, field

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
        from signpath_ci.platforms import detected

        found = detected(self.environment)
        return found[0].reporter(self.stderr, self.environment, self.directory, self.clock) if found else None


def print_object(process: Process, result: dict[str, Any]) -> None:
    """Write a result as one JSON object, in which no text can form a command of a CI system.

    Raises:
        LocalFileError: it can't be written.
    """
    import json  # here, as start-up is spared what a run may not need

    # Agents obey `##vso[` wherever it stands. In JSON two such signs are part of a string, where one can be escaped.
    print_result(process, json.dumps(result).replace("##", "#\\u0023"))


def print_path(process: Process, path: Path) -> None:
    """Write the path of a result: as it is, for a script; on a CI system, whose log it may get into, harmlessly.

    Raises:
        LocalFileError: it can't be written.
    """
    print_result(process, one_line(str(path)) if process.platform else str(path))


def print_words(process: Process, words: str) -> None:
    """Write a line for people, whose indentation stays and whose content is harmless.

    Raises:
        LocalFileError: it can't be written.
    """
    indentation = words[: len(words) - len(words.lstrip())]
    print_result(process, indentation + one_line(words))


def print_result(process: Process, text: str) -> None:
    """Write a result to standard output, at once.

    Raises:
        LocalFileError: it can't be written, as where the disk is full.
    """
    try:
        process.stdout.write(text + "\n")
        process.stdout.flush()
    except OSError as error:
        if is_closed_by_reader(error):
            raise BrokenPipeError from None  # an end that `__main__` knows
        raise LocalFileError(
            f"The result can't be printed: standard output can't be written: {error.strerror}.",
            hint="Check the disk where it is redirected to.",
            code="output-failed",
        ) from None


def reporter_for(process: Process) -> Reporter:
    """Return the reporter that fits: on a CI system its own and lines; else bars on a terminal, or lines."""
    progress = _progress(process)
    # Parts of the log begin before, and end after the lines that belong to them.
    return CompositeReporter(process.platform, progress) if process.platform else progress


def _progress(process: Process) -> Reporter:
    from signpath_ci.report.lines import LineReporter

    if process.stderr.isatty() and process.platform is None:
        try:
            from signpath_ci.report.terminal import TerminalReporter
        except ImportError:
            pass  # the extra `terminal` is not installed: lines say the same
        else:
            return TerminalReporter(process.stderr, process.clock)
    return LineReporter(process.stderr, process.clock)
