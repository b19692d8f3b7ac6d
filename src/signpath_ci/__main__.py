"""The edge of the process: the only place that turns an error into an exit code."""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from signpath_ci import streams
from signpath_ci.errors import InterruptedRunError, LocalFileError, SignPathError, interruption
from signpath_ci.values import replace

if TYPE_CHECKING:
    from signpath_ci.clock import Clock
    from signpath_ci.settings.manifest_policy import Notice
    from signpath_ci.workflows.process import Process

_OBJECTS_BETWEEN_COLLECTIONS = 100_000


def main(clock: Clock | None = None) -> int:
    """Run the command line of this process and return its exit code (`errors.EXIT_CODES`).

    Args:
        clock: the time; `None`: the system's.
    """
    # Start-up makes many objects that stay: looking for garbage among them, as often as it is the default, finds none.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    from signpath_ci.clock import Clock
    from signpath_ci.platforms.plugin import plugin_environment
    from signpath_ci.workflows.process import Process

    streams.configure((sys.stdout, sys.stderr), os.environ)
    try:
        directory = Path.cwd()
    except OSError as error:
        with contextlib.suppress(OSError):
            sys.stderr.write(
                f"error: The working directory can't be found: {error.strerror}. "
                "Run in one that exists. [no-working-directory]\n"
            )
        return LocalFileError.exit_code
    process = Process(
        environment=os.environ, directory=directory, stdout=sys.stdout, stderr=sys.stderr, clock=clock or Clock()
    )
    try:
        process = replace(process, environment=plugin_environment(process.environment, directory))
        with _signals_as_errors():
            return _run(sys.argv[1:], process)
    except SignPathError as error:
        _tell(process, error)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error of the run, but nobody is left to read it.
        return LocalFileError.exit_code
    finally:
        streams.discard_unwritten(process.stdout)
        streams.discard_unwritten(process.stderr)


def _run(arguments: list[str], process: Process) -> int:
    from signpath_ci import cli
    from signpath_ci.logs import configure

    notices: list[Notice] = []
    command, settings = cli.parse(arguments, process.environment, directory=process.directory, notices=notices)
    configure(settings.log_level)
    for notice in notices:
        logging.getLogger("signpath_ci.manifest").log(notice.level, "%s", notice.text)
    try:
        command.run(settings, process)
    except (SignPathError, BrokenPipeError):
        raise
    except Exception as error:
        if interrupted := interruption(error):
            raise interrupted from None
        if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
            # It may hit anything, even the import of a module.
            raise LocalFileError(
                f"No file can be opened any more: {error.strerror}.",
                hint="Raise the limit (ulimit -n).",
                code="too-many-open-files",
            ) from None
        # A defect of ours. Users get one line; whoever reports it asks for the rest.
        if settings.log_level == "debug":
            raise
        _tell(
            process,
            SignPathError(f"Internal error: {type(error).__name__}: {error}.", hint=_REPORT, code="internal-error"),
        )
        return SignPathError.exit_code
    return 0


_REPORT = "This is a defect of signpath-ci: run it again with --log-level debug and report what it prints."


@contextlib.contextmanager
def _signals_as_errors() -> Iterator[None]:
    """Let SIGINT, SIGTERM and Windows' SIGBREAK end the run as an error, so that everything is cleaned up."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        raise InterruptedRunError(f"Interrupted by {signal.Signals(number).name}.", number=number)

    before = {number: signal.signal(number, interrupt) for number in _signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _signals() -> tuple[signal.Signals, ...]:
    """Return the signals that end a run: agents on Windows send Ctrl-C, and Ctrl-Break some seconds later."""
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


def _tell(process: Process, error: SignPathError) -> None:
    with contextlib.suppress(OSError):
        print(f"error: {error.line}", file=process.stderr, flush=True)
        if process.platform:
            process.platform.failed(error)


if __name__ == "__main__":
    sys.exit(main())
