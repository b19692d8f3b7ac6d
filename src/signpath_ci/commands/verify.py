"""`signpath-ci verify`: is this file signed, by the right one, and is it what was submitted?"""

from __future__ import annotations

from signpath_ci.errors import SignPathError, VerificationError
from signpath_ci.model import Failure, Verdict
from signpath_ci.report.words import verdict_words
from signpath_ci.settings import VerifySettings
from signpath_ci.settings.combinations import check_combinations
from signpath_ci.verify import verify_file
from signpath_ci.workflows.process import Process, print_object, print_words
from signpath_ci.workflows.verification import expectations, packages


def run(settings: VerifySettings, process: Process) -> None:
    """Verify one file, offline, and print the verdicts, also those that failed.

    Raises:
        VerificationError: the file is not signed as it should be.
        LocalFileError: the file can't be read.
        UsageError: what verification needs is not installed, or a trust root can't be read.
    """
    try:
        check_combinations(settings)
        expected = expectations(settings, strict=settings.strict)
        packages(settings, process).ready()
        verdicts = verify_file(settings.artifact, unsigned=settings.unsigned, expectations=expected)
    except SignPathError as error:
        _print(settings, process, error.verdicts if isinstance(error, VerificationError) else (), error)
        raise
    _print(settings, process, verdicts, None)


def _print(
    settings: VerifySettings, process: Process, verdicts: tuple[Verdict | Failure, ...], error: SignPathError | None
) -> None:
    if settings.json:
        from signpath_ci.report.result import error_object, verdict_object

        objects = [verdict_object(verdict) for verdict in verdicts]
        print_object(process, {"verdicts": objects, "error": error_object(error) if error else None})
        return
    for verdict in verdicts:
        for line in verdict_words(verdict):
            print_words(process, line)
