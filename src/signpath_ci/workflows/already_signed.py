"""Files that carry a signature already (`--skip-signed`): by whom, and are they signed again?

- Signed as it is required of signed files, by a trusted signer: left out. Of an archive that is so only where all in it
  that can carry a signature does.
- Signed by a trusted signer, but not as required, e.g. without a timestamp: signed again.
- Signed by anybody else, or in a way that does not tell by whom: left out with a warning that names the signer, since
  signing would replace that signature; `--replace-signatures` signs it.
- Not signed, or an archive with a file in it that is not: signed. So is what can't be known to be signed.
"""

from __future__ import annotations

import logging
from pathlib import Path

from signpath_ci.errors import LocalFileError, VerificationError
from signpath_ci.formats.registry import FORMATS
from signpath_ci.model import Account, Expectations, FileOutcome
from signpath_ci.settings import SignSettings
from signpath_ci.values import replace
from signpath_ci.verify import verify_delivery, verify_file
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.verification import expectations, packages

_log = logging.getLogger(__name__)
_NOT_SIGNED = frozenset({"not-signed", "not-verifiable"})
"""Codes of checks that fail where there may be no signature."""


def is_left_out(settings: SignSettings, path: Path, process: Process) -> bool:
    """Tell whether a file is not signed again; log why.

    Raises:
        UsageError: the libraries of verification can't be used.
    """
    packages(settings, process).ready()
    required = expectations(settings, strict=settings.verify == "strict")
    try:
        account = verify_delivery(path, expectations=required, clock=process.clock)
    except LocalFileError:
        return False  # whoever reads it next says what is wrong with it
    except VerificationError as error:
        if _codes(error) & _NOT_SIGNED or _lacks_signature(error.account):
            return False
        if _is_accepted(path, replace(required, strict=False), process):
            return False
        return _is_left_alone(settings, path, process, error)
    if _lacks_signature(account):
        return False
    _log.info("%s carries such a signature already, and is left out.", path)
    return True


def _lacks_signature(account: Account | None) -> bool:
    """Tell whether something in an account lacks a signature that it could carry."""
    if account is None:
        return False
    signed = [file.member for file in account.files if file.outcome == "signed"]
    covered = tuple(f"{member}/" for member in signed)
    return None not in signed and any(
        file.outcome == "allowed" or (_may_be_signed(file) and not (file.member or "").startswith(covered))
        for file in account.files
    )


def _may_be_signed(file: FileOutcome) -> bool:
    """Tell whether a file lacks a signature that it may carry.

    One that must carry a signature and does not fails, or a rule of the user spares it.
    """
    known = None if file.format is None else FORMATS[file.format]
    is_optional = known is not None and known.scheme is not None and not known.must_be_signed
    return is_optional and file.outcome == "not-compared" and not file.signed_by


def _is_left_alone(settings: SignSettings, path: Path, process: Process, error: VerificationError) -> bool:
    signer = _signer(path, process)
    of = f"the signature of {signer}" if signer else f"a signature that does not tell by whom ({error.code})"
    if settings.replace_signatures:
        _log.warning("%s carries %s, which is replaced, as --replace-signatures requires", path, of)
        return False
    _log.warning("%s carries %s, and is left out; --replace-signatures replaces it", path, of)
    return True


def _is_accepted(path: Path, required: Expectations, process: Process) -> bool:
    try:
        verify_file(path, expectations=required, clock=process.clock)
    except (VerificationError, LocalFileError):
        return False
    return True


def _signer(path: Path, process: Process) -> str | None:
    """Return who signed a file, whoever that is; `None` where it can't be known."""
    try:
        verdicts = verify_file(path, clock=process.clock)
    except (VerificationError, LocalFileError):
        return None
    return "; ".join(sorted({verdict.signer.subject for verdict in verdicts})) or None


def _codes(error: VerificationError) -> set[str]:
    return {file.code for file in error.account.failed} if error.account else {error.code}
