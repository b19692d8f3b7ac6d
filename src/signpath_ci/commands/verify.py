"""`signpath-ci verify`: is this file signed, by the right one, and is it what was submitted?"""

from __future__ import annotations

from signpath_ci.commands import Process, print_object, print_words
from signpath_ci.commands.verification import expectations, packages
from signpath_ci.errors import SignPathError
from signpath_ci.report.result import error_object, verdict_object
from signpath_ci.report.words import verdict_words
from signpath_ci.settings import VerifySettings
from signpath_ci.verify import verify_file


def run(settings: VerifySettings, process: Process) -> None:
    """Verify one file, offline, and print the verdict.

    Raises:
        VerificationError: the file is not signed as it should be.
        LocalFileError: the file can't be read.
        UsageError: what verification needs is not installed, or a trust root can't be read.
    """
    try:
        expected = expectations(settings, strict=settings.strict)
        packages(settings, process).ready()
        verdicts = verify_file(settings.artifact, unsigned=settings.unsigned, expectations=expected)
    except SignPathError as error:
        if settings.json:
            print_object(process, {"verdicts": [], "error": error_object(error)})
        raise
    if settings.json:
        print_object(process, {"verdicts": [verdict_object(v) for v in verdicts], "error": None})
        return
    for verdict in verdicts:
        for line in verdict_words(verdict):
            print_words(process, line)
