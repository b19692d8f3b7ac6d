"""`signpath-ci verify`: is this file signed, by the right one, and is it what was submitted?"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from signpath_ci.errors import SeveralFailedError, SignPathError, VerificationError
from signpath_ci.model import Account, Expectations
from signpath_ci.report.accounts import account_lines
from signpath_ci.report.words import verdict_words
from signpath_ci.settings import VerifySettings
from signpath_ci.settings.combinations import check_combinations, stands_for_several
from signpath_ci.signing.inputs import expand_inputs
from signpath_ci.values import dataclass
from signpath_ci.verify import verify_delivery
from signpath_ci.workflows.inputs import is_ordinarily_signed, refusal, report_left_out, use_of
from signpath_ci.workflows.process import Process, print_object, print_words
from signpath_ci.workflows.verification import expectations, packages

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Verified:
    """What became of one file; `account` is `None` where it could not be looked into."""

    path: Path
    account: Account | None
    error: SignPathError | None


def run(settings: VerifySettings, process: Process) -> None:
    """Verify files, offline, and print the verdicts, also those that failed.

    Raises:
        VerificationError: a file is not signed as it should be.
        LocalFileError: a file can't be read.
        UsageError: what verification needs is not installed, or a trust root can't be read.
    """
    if stands_for_several(settings.artifact):
        _verify_several(settings, process)
        return
    try:
        check_combinations(settings)
        expected = expectations(settings, strict=settings.strict)
        packages(settings, process).ready()
        account = verify_delivery(settings.artifact[0], unsigned=settings.unsigned, expectations=expected)
    except SignPathError as error:
        _print(settings, process, error.account if isinstance(error, VerificationError) else None, error)
        raise
    _print(settings, process, account, None)


def _verify_several(settings: VerifySettings, process: Process) -> None:
    check_combinations(settings)
    expected = expectations(settings, strict=settings.strict)
    packages(settings, process).ready()
    inputs = expand_inputs(
        settings.artifact,
        use_of=lambda path: use_of(path, expected),
        exclude=settings.exclude,
        leave_signed_files=False,
    )
    report_left_out(inputs)
    if inputs.refused:
        raise refusal(inputs.refused)
    found = [one for one in (_verify(path, settings, expected) for path in inputs.files) if one is not None]
    failed = [(one.path, one.error) for one in found if one.error]
    error: SignPathError | None = None
    if failed:
        words = "; ".join(f"{path}: {str(one).rstrip('.')}" for path, one in failed)
        error = SeveralFailedError(
            f"{len(failed)} of {len(found)} files were not verified: {words}.", exit_code=failed[0][1].exit_code
        )
    elif not found:
        error = VerificationError("No file is signed.", code="not-signed")
    if settings.json:
        from signpath_ci.report.result import error_object

        results = [{"input": str(one.path), **_object(one.account, one.error)} for one in found]
        print_object(process, {"results": results, "error": error_object(error) if error else None})
    else:
        for one in found:
            _print_lines(process, one.account)
    if error:
        raise error


def _verify(path: Path, settings: VerifySettings, expected: Expectations) -> _Verified | None:
    """Verify a file; `None` for one that nobody named, is not signed, and ordinarily need not be."""
    try:
        account = verify_delivery(path, expectations=expected)
    except SignPathError as error:
        if error.code == "not-signed" and path not in settings.artifact and not is_ordinarily_signed(path):
            _log.info("Left out, since not signed, and of a format that need not be: %s.", path)
            return None
        return _Verified(
            path=path, account=error.account if isinstance(error, VerificationError) else None, error=error
        )
    return _Verified(path=path, account=account, error=None)


def _print(settings: VerifySettings, process: Process, account: Account | None, error: SignPathError | None) -> None:
    if settings.json:
        print_object(process, _object(account, error))
    else:
        _print_lines(process, account)


def _object(account: Account | None, error: SignPathError | None) -> dict[str, Any]:
    from signpath_ci.report.result import account_object, error_object, verdict_object

    return {
        "verdicts": [verdict_object(verdict) for verdict in (account.failures + account.verdicts if account else ())],
        "account": account_object(account) if account else None,
        "error": error_object(error) if error else None,
    }


def _print_lines(process: Process, account: Account | None) -> None:
    for verdict in account.failures + account.verdicts if account else ():
        for line in verdict_words(verdict):
            print_words(process, line)
    for line in account_lines(account) if account else ():
        print_words(process, line)
