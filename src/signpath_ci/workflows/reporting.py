"""How a run reports: to whoever watches, and at its end with the result as text or JSON, also of a failure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TypeVar

from signpath_ci.errors import SignPathError
from signpath_ci.report import CompositeReporter, Reporter
from signpath_ci.report.result import ResultReporter
from signpath_ci.settings import Common
from signpath_ci.settings.combinations import check_combinations
from signpath_ci.settings.declaration import Secret, options
from signpath_ci.workflows.process import Process, print_object, print_path, print_words, reporter_for
from signpath_ci.workflows.release_files import offered

if TYPE_CHECKING:
    from signpath_ci.report.platform import PlatformReporter
    from signpath_ci.workflows.sign import SigningResult


def run_and_report(
    settings: Common, process: Process, *, level: str, work: Callable[[Reporter], SigningResult | None]
) -> None:
    """Do the work; print the signed file's path (without one the request's id), or with `--json` one object.

    Args:
        settings: whether JSON is wanted.
        process: where to print.
        level: what `--verify` requires.
        work: is given the reporter; returns `None` where there was nothing to do.

    Raises:
        SignPathError: the work failed. With `--json` the object is printed all the same, with what is known.
    """
    record = ResultReporter()
    reporters = CompositeReporter(record, reporter_for(process))
    with watched(settings, process, reporters) as reporter:
        try:
            check_combinations(settings)
            result = work(reporter)
        except SignPathError as error:
            if settings.json:
                print_object(process, record.result(signed=None, level=level, error=error))
            raise
        outputs = result.outputs if result else ()
        if not record.signed_files:
            reporters.described(offered(outputs))
    reporters.completed(outputs)
    if settings.json:
        signed = result.signed if result else None
        print_object(process, record.result(signed=signed, outputs=outputs, level=level))
        return
    for path in outputs:
        print_path(process, path)
    if result and not outputs:
        print_words(process, result.submission.signing_request_id)


R = TypeVar("R", bound=Reporter)


@contextmanager
def watched(settings: Common, process: Process, reporter: R) -> Iterator[R]:
    """Let a reporter, and the CI system's, watch the work: secrets are masked first, and it is closed at the end."""
    with closing(reporter), _platform_hears_log(process):
        for secret in _secrets(settings):
            reporter.secret(secret)
        yield reporter


def _secrets(settings: Common) -> Iterator[str]:
    for row in options(type(settings)):
        value = getattr(settings, row.name)
        if isinstance(value, Secret):
            yield from value.masked


@contextmanager
def _platform_hears_log(process: Process) -> Iterator[None]:
    """Let the CI system show warnings of this program's log where people look first."""
    if process.platform is None:
        yield
        return
    logger, handler = logging.getLogger("signpath_ci"), _Passing(process.platform)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Passing(logging.Handler):
    def __init__(self, platform: PlatformReporter) -> None:
        super().__init__(logging.WARNING)
        self._platform = platform

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._platform.noted(record.levelno, record.getMessage())
        except OSError:
            self.handleError(record)
