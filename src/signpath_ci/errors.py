"""Everything that can go wrong, as one tree; each kind has the exit code of the process.

::

    SignPathError            70   as such only for defects of this program
    ├── UsageError                2   wrong option, variable or configuration
    │   ├── NotGivenError         2   something that is required is missing
    │   └── UnexpectedAnswerError 2   the URL is not SignPath's: HTML, no JSON, promised fields missing
    ├── RefusedError              3   SignPath refused the call (a 4xx answer)
    ├── NotSignedError            4   the request ended as Failed, Denied or Canceled
    ├── StillPendingError         5   not final at the deadline; the request is alive
    ├── ServiceUnavailableError   6   no usable answer after all retries
    ├── VerificationError         7   what came back is not signed as it should be
    │   └── UnsupportedFormatError 7  it can't be verified, which is never "ok"
    ├── ArtifactConfigurationError 9  SignPath would fail to sign the file under this artifact configuration
    ├── SeveralFailedError            several files were to be signed; the code of the first that was not
    ├── LocalFileError            8   a file on this machine is missing, unreadable, unwritable, in the way
    └── InterruptedRunError     130   SIGINT; 143 for SIGTERM

Every error is one sentence that says what is wrong and where (`message`), one that says what to do (`hint`), and a
stable word for programs (`code`), which `error_codes.CODES` explains.
Only `__main__` turns an error into an exit code.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from signpath_ci.text import one_line

if TYPE_CHECKING:
    from signpath_ci.model import Account, Failure, Verdict


class SignPathError(Exception):
    """The root: whatever this package raises on purpose.

    Args:
        message: what is wrong, and where; one sentence.
        hint: what to do about it; one sentence, or nothing where the message says it all.
        code: one of `error_codes.CODES`; the class's own where a class has just one.
    """

    exit_code = 70  # EX_SOFTWARE of sysexits.h: what has no kind of its own is a defect of this program
    code = "internal-error"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        # Servers' words and file names end up here: they must not be able to start a second line.
        self.message = one_line(message)
        self.hint = one_line(hint)
        self.code = code or self.code
        super().__init__(self.message)

    def __str__(self) -> str:
        """Give message and hint."""
        return f"{self.message} {self.hint}".strip()

    @property
    def line(self) -> str:
        """The one line that a user reads."""
        return f"{self} [{self.code}]"


class UsageError(SignPathError):
    """A wrong or missing option, environment variable or configuration file."""

    exit_code = 2

    def __init__(self, message: str, *, code: str, hint: str = "") -> None:
        super().__init__(message, hint=hint, code=code)


class NotGivenError(UsageError):
    """Required options are missing.

    Args:
        names: theirs, as settings fields.
    """

    def __init__(self, message: str, *, names: frozenset[str], hint: str = "") -> None:
        self.names = names
        super().__init__(message, hint=hint, code="no-api-token" if "api_token" in names else "not-given")


class UnexpectedAnswerError(UsageError):
    """Something answered, but not SignPath: a web page, no JSON, or without the promised fields."""

    def __init__(self, message: str, *, code: str = "unexpected-answer", hint: str = "") -> None:
        super().__init__(message, hint=hint, code=code)


_REFUSAL_CODES = {
    400: "request-invalid",
    401: "token-refused",
    403: "permission-denied",
    404: "not-found",
    413: "artifact-too-large",
    422: "request-invalid",
}


class RefusedError(SignPathError):
    """SignPath understood the call and refused it.

    Args:
        status: the HTTP status code of the refusal.
    """

    exit_code = 3
    code = "refused"

    def __init__(self, message: str, *, status: int, hint: str = "") -> None:
        self.status = status
        super().__init__(message, hint=hint, code=_REFUSAL_CODES.get(status))


class NotSignedError(SignPathError):
    """The signing request is final, but not `Completed`."""

    exit_code = 4
    code = "request-not-completed"


class StillPendingError(SignPathError):
    """The signing request was not final when the time to wait was over; it is still alive."""

    exit_code = 5
    code = "still-pending"


class ServiceUnavailableError(SignPathError):
    """No usable answer came within the time for retries."""

    exit_code = 6
    code = "service-unavailable"


class VerificationError(SignPathError):
    """A file is not signed as it should be, or is not the file that was submitted.

    Args:
        account: of all files of the delivery; `None` where it did not come to that.
    """

    exit_code = 7

    def __init__(self, message: str, *, code: str, hint: str = "", account: Account | None = None) -> None:
        self.account = account
        super().__init__(message, hint=hint, code=code)

    @property
    def verdicts(self) -> tuple[Verdict | Failure, ...]:
        """What failed, then the verdicts of the signatures that are good."""
        return self.account.failures + self.account.verdicts if self.account else ()


class UnsupportedFormatError(VerificationError):
    """A file is of a kind, or is signed in a way, that can't be verified here."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "unsupported-format",
        hint: str = "",
        account: Account | None = None,
    ) -> None:
        super().__init__(message, code=code, hint=hint, account=account)


class LocalFileError(SignPathError):
    """A file or directory on this machine is missing, unreadable, unwritable, or in the way."""

    exit_code = 8

    def __init__(self, message: str, *, code: str, hint: str = "") -> None:
        super().__init__(message, hint=hint, code=code)


class ArtifactConfigurationError(SignPathError):
    """An artifact configuration is not valid, or an artifact does not fit it: SignPath would refuse it.

    Args:
        cause: what is wrong with the configuration, with places; `None`: nothing is.
    """

    exit_code = 9

    def __init__(self, message: str, *, code: str, hint: str = "", cause: Exception | None = None) -> None:
        self.cause = cause
        super().__init__(message, hint=hint, code=code)


class SeveralFailedError(SignPathError):
    """Of several files, some were not signed.

    Args:
        exit_code: of the first one's error.
    """

    code = "files-not-signed"

    def __init__(self, message: str, *, exit_code: int, hint: str = "") -> None:
        self.exit_code = exit_code
        super().__init__(message, hint=hint)


class InterruptedRunError(SignPathError):
    """The run was ended by a signal.

    Args:
        number: the signal's number; the exit code is 128 more, as shells report it.
    """

    code = "interrupted"

    def __init__(self, message: str, *, number: int = signal.SIGINT, hint: str = "") -> None:
        self.exit_code = 128 + number
        super().__init__(message, hint=hint)


def interruption(error: BaseException | None) -> InterruptedRunError | None:
    """Return the end by a signal that an error is, or hides: a library may be cleaning up when it comes, and fail."""
    while error is not None and not isinstance(error, InterruptedRunError):
        error = error.__context__
    return error


EXIT_CODES: dict[int, str] = {
    0: "done",
    UsageError.exit_code: "usage or configuration",
    RefusedError.exit_code: "refused by SignPath",
    NotSignedError.exit_code: "the request ended `Failed`, `Denied` or `Canceled`",
    StillPendingError.exit_code: "still pending at the deadline",
    ServiceUnavailableError.exit_code: "service unavailable after all retries",
    VerificationError.exit_code: "verification failed",
    LocalFileError.exit_code: "local file problem",
    ArtifactConfigurationError.exit_code: "signing would fail: see `check`",
    SignPathError.exit_code: "internal error: a defect of this program, please report it",
    130: "interrupted (SIGINT)",
    143: "terminated (SIGTERM)",
}
"""The exit codes of the process, as docs/errors.md lists them."""
