"""Every failed check names the file that it is about, in the project's own errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from signpath_ci.errors import UnsupportedFormatError, VerificationError
from signpath_ci.formats import FormatError, UnsupportedError


@contextmanager
def about(name: str) -> Iterator[None]:
    """Put `name`, of a file or of a member of an archive, in front of what fails inside the block.

    Raises:
        UnsupportedFormatError: for an `UnsupportedError`.
        VerificationError: for any other `FormatError`.
    """
    try:
        yield
    except UnsupportedError as error:
        raise UnsupportedFormatError(
            f"{name}: {error}.", hint="This can't be judged here; verify the file by other means."
        ) from error
    except FormatError as error:
        raise VerificationError(f"{name}: {error}.") from error
    except VerificationError as error:
        raise type(error)(f"{name}: {error.message}", hint=error.hint) from error
