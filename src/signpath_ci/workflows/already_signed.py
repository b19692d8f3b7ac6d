"""Files that carry a signature already (`--skip-signed`): by whom, and are they signed again?

- Signed as it is required of signed files, by a trusted signer: left out.
- Signed by a trusted signer, but not as required, e.g. without a timestamp: signed again.
- Signed by anybody else, or in a way that does not tell by whom: left out with a warning that names the signer, since
  signing would replace that signature; `--replace-signatures` signs it.
- Not signed: signed.
"""

from __future__ import annotations

import logging
from pathlib import Path

from signpath_ci.errors import LocalFileError, VerificationError
from signpath_ci.model import Expectations, Failure
from signpath_ci.settings import SignSettings
from signpath_ci.values import replace
from signpath_ci.verify import verify_file
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.verification import expectations, packages

_log = logging.getLogger(__name__)
_NOT_SIGNED = frozenset({"not-signed", "unsupported-format", "unverifiable-format"})
"""Codes of checks that fail where there is no signature that could be replaced."""


def is_left_out(settings: SignSettings, path: Path, process: Process) -> bool:
    """Tell whether a file is not signed again; log why.

    Raises:
        UsageError: the libraries of verification can't be used.
    """
    packages(settings, process).ready()
    required = expectations(settings, strict=settings.verify == "strict")
    try:
        verify_file(path, expectations=required, clock=process.clock)
    except LocalFileError:
        return False  # whoever reads it next says what is wrong with it
    except VerificationError as error:
        if not _codes(error) - _NOT_SIGNED or _is_accepted(path, replace(required, strict=False), process):
            return False
        return _is_left_alone(settings, path, process, error)
    _log.info("%s carries such a signature already, and is left out.", path)
    return True


def _is_left_alone(settings: SignSettings, path: Path, process: Process, error: VerificationError) -> bool:
    signer = _signer(path, process)
    of = f"the signature of {signer}" if signer else f"a signature that does not tell by whom ({error.code})"
    if settings.replace_signatures:
        _log.warning("%s carries %s, which is replaced, as --replace-signatures demands", path, of)
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
    """Return who signed a file, whoever that is; `None` where it can't be told."""
    try:
        verdicts = verify_file(path, clock=process.clock)
    except (VerificationError, LocalFileError):
        return None
    return "; ".join(sorted({verdict.signer.subject for verdict in verdicts})) or None


def _codes(error: VerificationError) -> set[str]:
    return {verdict.code for verdict in error.verdicts if isinstance(verdict, Failure)} or {error.code}
