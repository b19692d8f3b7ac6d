"""The command in the process of the test: `main()` with its own arguments, directory, environment and streams."""

from __future__ import annotations

import gc
import io
import logging
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from unittest import mock

from signpath_ci.__main__ import main
from signpath_ci.clock import Clock

_HURRY = 10
_DEADLINE = 60  # seconds after which a run hangs, by the judgement of these tests


def run_in_process(arguments: Sequence[str], directory: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run the command line to its end.

    Args:
        arguments: of the command, without its name.
        directory: the current directory for it.
        environment: all of its environment variables.

    Returns:
        The exit code, and what it wrote to standard output and to standard error.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors, "") for errors in ("strict", "backslashreplace"))
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, environment, clear=True))
        stack.enter_context(mock.patch.object(sys, "argv", ["signpath-ci", *arguments]))
        stack.enter_context(mock.patch.multiple(sys, stdout=out, stderr=err))
        stack.enter_context(mock.patch.object(tempfile, "tempdir", None))  # TMPDIR counts, as at the start of a process
        stack.enter_context(_directory(directory))
        stack.enter_context(_kept_settings())
        stack.enter_context(_deadline())
        try:
            code: object = main(_hurried_clock())
        except SystemExit as end:
            code = end.code
        except Exception:  # noqa: BLE001
            # What the interpreter itself does at the end of a process.
            traceback.print_exc(file=err)
            code = 1
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.detach().getvalue().decode("utf-8"))
    return code if isinstance(code, int) else int(code is not None), texts[0], texts[1]


def _hurried_clock() -> Clock:
    """Return a clock on which a pause of a second is one, but takes only a tenth of it."""
    spared = 0.0

    def sleep(seconds: float) -> None:
        nonlocal spared
        time.sleep(seconds / _HURRY)
        spared += seconds - seconds / _HURRY

    return Clock(monotonic=lambda: time.monotonic() + spared, sleep=sleep)


@contextmanager
def _directory(path: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _kept_settings() -> Iterator[None]:
    """Restore what the command sets for its whole process."""
    logger, thresholds = logging.getLogger("signpath_ci"), gc.get_threshold()
    before = logger.handlers[:], logger.level, logger.propagate
    try:
        yield
    finally:
        logger.handlers[:], logger.propagate = before[0], before[2]
        logger.setLevel(before[1])
        gc.set_threshold(*thresholds)


@contextmanager
def _deadline() -> Iterator[None]:
    def hang(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"The command did not end within {_DEADLINE} s.")

    if not hasattr(signal, "SIGALRM"):  # Windows has no alarms: a run that hangs ends with its job
        yield
        return
    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(_DEADLINE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
