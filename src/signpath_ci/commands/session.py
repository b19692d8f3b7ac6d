"""What all commands share that end with a signed file: reporters, the result as text or JSON, also of a failure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from signpath_ci.commands import Process, print_object, print_path, print_words, reporter_for
from signpath_ci.commands.earlier import EarlierRequest
from signpath_ci.commands.job_limit import warn_of_job_limit
from signpath_ci.commands.verification import expectations, packages
from signpath_ci.errors import SignPathError, UsageError
from signpath_ci.model import Expectations
from signpath_ci.pipeline import Collection, SigningResult, WaitingTime
from signpath_ci.report import Reporter, Several
from signpath_ci.report.result import ResultReporter
from signpath_ci.settings import Common, DownloadSettings, ResubmitSettings, Retrieval, Trust, Waiting
from signpath_ci.settings.combinations import check_combinations
from signpath_ci.settings.declaration import Secret, options
from signpath_ci.signing.download import default_target

if TYPE_CHECKING:
    from signpath_ci.report.platform import PlatformReporter


def run_signing(
    settings: Common, process: Process, *, level: str, work: Callable[[Reporter], SigningResult | None]
) -> None:
    """Do the work; print the signed file's path (without one the request's id), or with `--json` one object.

    Args:
        settings: whether JSON is wanted.
        process: where to print.
        level: what `--verify` demands.
        work: is given the reporter; returns `None` where there was nothing to do.

    Raises:
        SignPathError: the work failed. With `--json` the object is printed all the same, with what is known.
    """
    record = ResultReporter()
    told = Several(record, reporter_for(process))
    with watched(settings, process, told) as reporter:
        try:
            check_combinations(settings)
            result = work(reporter)
        except SignPathError as error:
            if settings.json:
                print_object(process, record.result(signed=None, level=level, error=error))
            raise
    outputs = result.outputs if result else ()
    told.completed(outputs)
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


def verified(settings: Retrieval, trust: Trust) -> Expectations | None:
    """Return what the signature must fulfil; `None` where nothing is demanded.

    Raises:
        UsageError: the demands contradict each other.
    """
    return None if settings.verify == "off" else expectations(trust, strict=settings.verify == "strict")


def waiting_time(settings: Waiting, process: Process) -> WaitingTime:
    """Return how long it is waited; warn where the job ends before."""
    timeout, cancel_after = settings.wait_for_completion_timeout, settings.cancel_after
    warn_of_job_limit(min(timeout, cancel_after or timeout), process.environment)
    return WaitingTime(timeout=timeout, cancel_after=cancel_after)


def earlier_collection(
    request: EarlierRequest, settings: DownloadSettings | ResubmitSettings, process: Process
) -> Collection | None:
    """Return how the signed file of an earlier request's artifact is collected; `None` where it is not waited for.

    Raises:
        UsageError: no name for it can be told.
    """
    if not settings.wait_for_completion:
        return None
    input_path = settings.unsigned or request.input_path
    target: Path | None = settings.output or (default_target(input_path) if input_path else None)
    if target is None:
        raise UsageError(
            "Where the signed file goes is not said.",
            hint="Name it with --output (SIGNPATH_OUTPUT), or --unsigned, or a receipt instead of the id.",
            code="no-output",
        )
    return Collection(
        target=target,
        force=settings.force,
        waiting=waiting_time(settings, process),
        unsigned=settings.unsigned,
        allowance=settings.size_allowance,
        expectations=verified(settings, settings),
        packages=packages(settings, process),
    )
