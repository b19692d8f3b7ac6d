"""Several files, each with its own request, at the same time: one failure loses no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TextIO, cast

from signpath_ci.clock import Clock
from signpath_ci.errors import InterruptedRunError, SeveralFailedError, SignPathError
from signpath_ci.report import CompositeReporter, Reporter
from signpath_ci.report.lines import LineReporter
from signpath_ci.report.record import FileOutcome, Record
from signpath_ci.report.result import ResultReporter, files_object
from signpath_ci.settings import SignSettings
from signpath_ci.settings.combinations import check_combinations
from signpath_ci.signing.artifact import Source
from signpath_ci.signing.receipt import default_receipt
from signpath_ci.signing.replace_all import replacing
from signpath_ci.text import one_line
from signpath_ci.values import dataclass, replace
from signpath_ci.workflows.destinations import SignedFile
from signpath_ci.workflows.finish import Release
from signpath_ci.workflows.inputs import files_of, in_directory, targets
from signpath_ci.workflows.process import Process, print_object, print_path, print_words
from signpath_ci.workflows.release_files import Directory
from signpath_ci.workflows.reporting import watched
from signpath_ci.workflows.sign import SigningResult, prepare, sign_file

if TYPE_CHECKING:
    from signpath_ci.model import RequestStatus
    from signpath_ci.report.platform import PlatformReporter

_AT_ONCE = 32
"""Files that are under way at the same time; nearly all of it is waiting."""

_LAST_SECONDS = 6.0
"""For all to cancel their requests after a signal, within the 7.5 s that GitHub leaves."""

SignOne = Callable[[int, Path, Reporter, Process], SigningResult]
"""Signs the file of that number; is given its reporter, and a process whose clock a signal stops."""


@dataclass(frozen=True, kw_only=True)
class Outcome(FileOutcome):
    """What became of a file; `record` can tell it as an object, `result` is `None` where it failed."""

    record: ResultReporter
    result: SigningResult | None = None


def sign_batch(settings: SignSettings, process: Process) -> None:
    """Sign several files; print their paths, or with `--json` one object that holds each one's.

    Raises:
        SignPathError: a file was not signed; all outcomes are reported all the same.
    """
    record = ResultReporter()
    with watched(settings, process, CompositeReporter(record, process.platform or Reporter())) as reporter:
        check_combinations(settings)
        outcomes, error = _sign_all(settings, process, reporter)
        if error and settings.in_place:  # none was replaced
            outcomes = [replace(outcome, output=None, result=None) for outcome in outcomes]
        reporter.several(tuple(outcomes))
    if settings.json:
        error_text = str(error) if error else None
        results = _results(outcomes, level=settings.verify)
        print_object(process, {"results": results, "files": files_object(record.signed_files), "error": error_text})
    else:
        for outcome in outcomes:
            if outcome.output:
                print_path(process, outcome.output)
            elif outcome.result:
                print_words(process, outcome.result.submission.signing_request_id)
    if error:
        raise error
    reporter.completed(tuple(outcome.output for outcome in outcomes if outcome.output))


def _sign_all(
    settings: SignSettings, process: Process, reporter: Reporter
) -> tuple[list[Outcome], SignPathError | None]:
    files = files_of(settings, process)
    run = prepare(settings, process, reporter)
    release = _release(settings, files, reporter)
    outcomes: list[Outcome] = []
    try:
        with _places(settings, files) as places:
            receipts = _receipts(settings.receipt, files)

            def sign_one(number: int, path: Path, watching: Reporter, stopped: Process) -> SigningResult:
                destination = SignedFile(
                    path=places[number],
                    force=settings.force and not settings.in_place,
                    name=path if settings.in_place else None,
                    original=path,
                )
                return sign_file(run, Source(path=path), destination, stopped, watching, receipt=receipts[number])

            outcomes = sign_each(files, sign_one, process)
            if error := failure(outcomes):
                raise error  # before anything is replaced
    except SignPathError as error:
        if not outcomes:
            raise
        return outcomes, error
    if release:
        signed = [(one.path, one.output) for one in outcomes if one.output]
        try:
            release.delivered(signed)
        except SignPathError as error:
            return outcomes, error
    return outcomes, None


def _release(settings: SignSettings, files: Sequence[Path], reporter: Reporter) -> Release | None:
    if not files or not settings.wait_for_completion:
        return None
    directories = {settings.output} if settings.output else {path.parent for path in files}
    return Release(settings, files, [Directory(path=path) for path in sorted(directories)], reporter)


def sign_each(files: Sequence[Path], sign_one: SignOne, process: Process) -> list[Outcome]:
    """Sign files, a bounded number at once.

    Raises:
        InterruptedRunError: a signal came; every file's request was seen to.
    """
    todo: SimpleQueue[tuple[int, Path]] = SimpleQueue()
    for number, path in enumerate(files):
        todo.put((number, path))
    outcomes: dict[int, Outcome] = {}
    stop, lock, defects = threading.Event(), threading.Lock(), list[Exception]()
    stopped = replace(process, clock=_stoppable(process.clock, stop))

    def work() -> None:
        while not stop.is_set():
            try:
                number, path = todo.get_nowait()
            except Empty:
                return
            record = ResultReporter()
            lines = LineReporter(cast("TextIO", _Prefixed(process.stderr, path, lock)), process.clock)
            approvals = _Approvals(process.platform, lock)
            try:
                result = sign_one(number, path, CompositeReporter(record, lines, approvals), stopped)
                output = result.signed.path if result.signed else None
                outcomes[number] = Outcome(path=path, record=record, output=output, result=result)
            except SignPathError as error:
                outcomes[number] = Outcome(path=path, record=record, error=error)
            except Exception as error:  # noqa: BLE001 - a defect of ours: reported by the main thread, as any
                defects.append(error)
                stop.set()

    # Daemons: docs/decisions/0003-daemon-threads.md
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(_AT_ONCE, len(files)))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except InterruptedRunError as error:
        stop.set()
        last = process.clock.monotonic() + _LAST_SECONDS
        for thread in threads:
            thread.join(max(last - process.clock.monotonic(), 0.0))
        hints = [outcomes[number].error for number in sorted(outcomes)]
        words = " ".join(hint.hint for hint in hints if isinstance(hint, InterruptedRunError))
        raise InterruptedRunError(error.message, number=error.exit_code - 128, hint=words) from None
    if defects:
        raise defects[0]
    return [outcomes[number] for number in sorted(outcomes)]


def failure(outcomes: Sequence[Outcome]) -> SignPathError | None:
    """Return the one error of a run that signed several files; `None` where nothing failed."""
    failed = [(outcome.path, outcome.error) for outcome in outcomes if outcome.error]
    if not failed:
        return None
    words = "; ".join(f"{path}: {str(error).rstrip('.')}" for path, error in failed)
    return SeveralFailedError(
        f"{len(failed)} of {len(outcomes)} files were not signed: {words}.", exit_code=failed[0][1].exit_code
    )


def _stoppable(clock: Clock, stop: threading.Event) -> Clock:
    """Return the clock whose sleepers a signal wakes, with the error that ends a run."""

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise InterruptedRunError("Interrupted.")

    return replace(clock, sleep=sleep)


class _Approvals(Record):
    """Lets the CI system ask for the approval of each file's request."""

    def __init__(self, platform: PlatformReporter | None, lock: threading.Lock) -> None:
        super().__init__()
        self._platform, self._lock = platform, lock

    def status_changed(self, status: RequestStatus, waited: float) -> None:
        super().status_changed(status, waited)
        if self._platform:
            with self._lock:
                self._platform.ask_for_approval(status, self.web_link)


class _Prefixed:
    """A stream whose lines begin with a file's name; lines of several threads do not mix."""

    def __init__(self, stream: TextIO, path: Path, lock: threading.Lock) -> None:
        self._stream, self._name, self._lock = stream, one_line(path.name), lock

    def write(self, line: str) -> None:
        with self._lock:
            self._stream.write(f"{self._name}: {line}")

    def flush(self) -> None:
        with self._lock:
            self._stream.flush()


def _results(outcomes: Sequence[Outcome], *, level: str) -> list[dict[str, Any]]:
    """Return each file's object, as `sign --json` prints for one."""
    return [
        {
            **outcome.record.result(
                signed=outcome.result.signed if outcome.result else None,
                outputs=outcome.result.outputs if outcome.result else (),
                level=level,
                error=outcome.error,
            ),
            "input": str(outcome.path),
        }
        for outcome in outcomes
    ]


def _places(settings: SignSettings, files: Sequence[Path]) -> AbstractContextManager[list[Path]]:
    if settings.in_place:
        return replacing(files, force=settings.force)
    return nullcontext(targets(settings.output, files))


def _receipts(directory: Path | None, files: Sequence[Path]) -> list[Path] | list[None]:
    if directory is None:
        return [None] * len(files)
    return in_directory(directory, [Path(default_receipt(path).name) for path in files], option="--receipt")
