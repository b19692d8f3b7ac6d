"""Several files of one `sign`, each its own request: where they go, and what is printed of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from signpath_ci.commands import Process, print_object, print_path, print_words
from signpath_ci.commands.files import files_of, in_directory, targets
from signpath_ci.commands.many import Outcome, failure, results, sign_many
from signpath_ci.commands.plan import Place, make_plan
from signpath_ci.commands.session import watched
from signpath_ci.errors import SignPathError
from signpath_ci.pipeline import SigningResult
from signpath_ci.report import Reporter
from signpath_ci.settings import SignSettings
from signpath_ci.settings.combinations import check_combinations
from signpath_ci.signing.artifact import Source
from signpath_ci.signing.receipt import default_receipt
from signpath_ci.signing.replace_all import replacing


def run_several(settings: SignSettings, process: Process) -> None:
    """Sign several files; print their paths, or with `--json` one object that holds each one's.

    Raises:
        SignPathError: a file was not signed; all outcomes are told all the same.
    """
    with watched(settings, process, process.platform or Reporter()) as reporter:
        check_combinations(settings)
        outcomes, error = _sign(settings, process, reporter)
        if error and settings.in_place:  # none was replaced
            outcomes = [replace(outcome, output=None, result=None) for outcome in outcomes]
        reporter.several(tuple(outcomes))
    if settings.json:
        told = {"results": results(outcomes, level=settings.verify), "error": str(error) if error else None}
        print_object(process, told)
    else:
        for outcome in outcomes:
            if outcome.output:
                print_path(process, outcome.output)
            elif outcome.result:
                print_words(process, outcome.result.submission.signing_request_id)
    if error:
        raise error
    reporter.completed(tuple(outcome.output for outcome in outcomes if outcome.output))


def _sign(settings: SignSettings, process: Process, reporter: Reporter) -> tuple[list[Outcome], SignPathError | None]:
    files = files_of(settings, process)
    plan = make_plan(settings, process)
    plan.tell(reporter)
    outcomes: list[Outcome] = []
    try:
        with replacing(files) if settings.in_place else nullcontext(targets(settings.output, files)) as places:
            receipts = _receipts(settings.receipt, files)

            def sign_one(number: int, path: Path, told: Reporter, stopped: Process) -> SigningResult:
                result = plan.sign(
                    Source(path=path),
                    Place(
                        target=places[number],
                        force=settings.force and not settings.in_place,
                        name=path if settings.in_place else None,
                        receipt=receipts[number],
                    ),
                    stopped,
                    told,
                )
                if settings.in_place and result.signed:
                    return replace(result, signed=replace(result.signed, path=path))
                return result

            outcomes = sign_many(files, sign_one, process)
            if error := failure(outcomes):
                raise error  # before anything is replaced
    except SignPathError as error:
        if not outcomes:
            raise
        return outcomes, error
    return outcomes, None


def _receipts(directory: Path | None, files: Sequence[Path]) -> list[Path] | list[None]:
    if directory is None:
        return [None] * len(files)
    return in_directory(directory, [Path(default_receipt(path).name) for path in files], option="--receipt")
