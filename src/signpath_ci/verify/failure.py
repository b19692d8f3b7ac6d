"""Every failed check names the file that it is about, in the project's own errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from signpath_ci.errors import UnsupportedFormatError, VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.model import Account
from signpath_ci.values import dataclass
from signpath_ci.verify.identity import listed

_SHOWN = 5  # failed checks in a message
_UNSUPPORTED_HINT = "This can't be verified here; verify the file by other means."


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A check that failed, of a file that is named elsewhere; texts only, as an archive may have many.

    Attributes:
        format: of the file, as far as it is known.
        check: what failed, as a sentence.
        code: what failed, one of `error_codes.CODES`.
        hint: what to do about it, or nothing.
        is_unsupported: the file can't be verified, and may be fine.
    """

    format: str | None
    check: str
    code: str
    hint: str = ""
    is_unsupported: bool = False

    @classmethod
    def of(cls, error: FormatError | VerificationError, format_name: str | None) -> Failed:
        """Return what an error says."""
        if isinstance(error, UnsupportedError):
            return cls(
                format=format_name, check=f"{error}.", code=error.code, hint=_UNSUPPORTED_HINT, is_unsupported=True
            )
        if isinstance(error, FormatError):
            return cls(format=format_name, check=f"{error}.", code=error.code)
        is_unsupported = isinstance(error, UnsupportedFormatError)
        return cls(
            format=format_name, check=error.message, code=error.code, hint=error.hint, is_unsupported=is_unsupported
        )


@contextmanager
def about(name: str) -> Iterator[None]:
    """Put `name`, of a file other than the one that is verified, in front of what fails inside the block.

    Raises:
        UnsupportedFormatError: for an `UnsupportedError`.
        VerificationError: for any other `FormatError`.
    """
    try:
        yield
    except (FormatError, VerificationError) as error:
        failed = Failed.of(error, None)
        raise _kind([failed.is_unsupported])(f"{name}: {failed.check}", hint=failed.hint, code=failed.code) from error


def rejection(account: Account) -> VerificationError:
    """Return the one error for a delivery in which some files failed."""
    members: dict[str, list[str]] = {}
    for file in account.failed:
        members.setdefault(file.check.rstrip("."), []).extend([file.member] if file.member is not None else [])
    checks = [f"{listed(of)}: {check}" if of else check for check, of in members.items()]
    more = f"; and {len(checks) - _SHOWN} more" if len(checks) > _SHOWN else ""
    first = account.failed[0]
    return _kind([file.is_unsupported for file in account.failed])(
        f"{account.path}: {'; '.join(checks[:_SHOWN])}{more}.", hint=first.hint, code=first.code, account=account
    )


def _kind(are_unsupported: list[bool]) -> type[VerificationError]:
    return UnsupportedFormatError if all(are_unsupported) else VerificationError
