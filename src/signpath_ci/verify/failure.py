"""Every failed check names the file that it is about, in the project's own errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from signpath_ci.errors import UnsupportedFormatError, VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.model import Failure, Verdict
from signpath_ci.verify.identity import listed

_SHOWN = 5  # failed checks in a message
_UNSUPPORTED_HINT = "This can't be judged here; verify the file by other means."


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A check that failed, of a file that is named elsewhere; texts only, as an archive may have many.

    Attributes:
        format: of the file, as far as it is known.
        check: what failed, as a sentence.
        code: what failed, one of `error_codes.CODES`.
        hint: what to do about it, or nothing.
        is_unsupported: the file can't be judged, and may be fine.
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
    """Put `name`, of a file other than the one that is judged, in front of what fails inside the block.

    Raises:
        UnsupportedFormatError: for an `UnsupportedError`.
        VerificationError: for any other `FormatError`.
    """
    try:
        yield
    except (FormatError, VerificationError) as error:
        failed = Failed.of(error, None)
        raise _kind([failed])(f"{name}: {failed.check}", hint=failed.hint, code=failed.code) from error


def rejection(
    name: str, failed: Sequence[tuple[str | None, Failed]], verdicts: tuple[Verdict | Failure, ...]
) -> VerificationError:
    """Return the one error for a file of which some checks failed.

    Args:
        name: of the file.
        failed: the checks, each with the member that it is of; `None`: of the file itself.
        verdicts: of all that was judged.
    """
    members: dict[str, list[str]] = {}
    for member, failure in failed:
        members.setdefault(failure.check.rstrip("."), []).extend([member] if member is not None else [])
    words = [f"{listed(of)}: {check}" if of else check for check, of in members.items()]
    more = f"; and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return _kind([failure for _, failure in failed])(
        f"{name}: {'; '.join(words[:_SHOWN])}{more}.", hint=failed[0][1].hint, code=failed[0][1].code, verdicts=verdicts
    )


def _kind(failed: Sequence[Failed]) -> type[VerificationError]:
    return UnsupportedFormatError if all(failure.is_unsupported for failure in failed) else VerificationError
