"""`signpath-ci verify`: is this file signed, by the right one, and is it what was submitted?"""

from __future__ import annotations

from signpath_ci.errors import SignPathError, VerificationError
from signpath_ci.model import Account
from signpath_ci.report.accounts import account_lines
from signpath_ci.report.words import verdict_words
from signpath_ci.settings import VerifySettings
from signpath_ci.settings.combinations import check_combinations
from signpath_ci.verify import verify_delivery
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
        account = verify_delivery(settings.artifact, unsigned=settings.unsigned, expectations=expected)
    except SignPathError as error:
        _print(settings, process, error.account if isinstance(error, VerificationError) else None, error)
        raise
    _print(settings, process, account, None)


def _print(settings: VerifySettings, process: Process, account: Account | None, error: SignPathError | None) -> None:
    verdicts = account.failures + account.verdicts if account else ()
    if settings.json:
        from signpath_ci.report.result import account_object, error_object, verdict_object

        found = {
            "verdicts": [verdict_object(verdict) for verdict in verdicts],
            "account": account_object(account) if account else None,
            "error": error_object(error) if error else None,
        }
        print_object(process, found)
        return
    for verdict in verdicts:
        for line in verdict_words(verdict):
            print_words(process, line)
    for line in account_lines(account) if account else ():
        print_words(process, line)
