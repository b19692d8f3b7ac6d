"""The file to sign, read without surprises."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from signpath_ci.errors import LocalFileError
from signpath_ci.files import NotRegularError, regular_descriptor
from signpath_ci.model import Artifact, RetrievalLink
from signpath_ci.values import dataclass

_BLOCK = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is to be signed.

    Attributes:
        path: the file; `None` where it lies elsewhere only.
        link: where SignPath fetches it from; `None`: it is sent.
        name: what people know it as, where that is not its path.
        sha256: what it must be, in lower-case hex; `None`: whatever it is. Known where there is no file.
    """

    path: Path | None = None
    link: RetrievalLink | None = None
    name: Path | None = None
    sha256: str | None = None

    @property
    def shown_as(self) -> Path:
        """What people know it as."""
        return self.name or self.path or Path()

    def read(self) -> Artifact:
        """Return what is known of it.

        Raises:
            LocalFileError: it is missing, empty, unreadable, no regular file, or another one.
        """
        if self.path is None:
            return Artifact(path=self.shown_as, size=None, sha256=self.sha256 or "")
        artifact = read_artifact(self.path)
        if self.sha256 not in {None, artifact.sha256}:
            raise LocalFileError(
                f"{self.path} has SHA-256 {artifact.sha256}, and not {self.sha256}.",
                hint="Name the file that was stored under the link.",
                code="digest-mismatch",
            )
        return artifact


def read_artifact(path: Path) -> Artifact:
    """Return size and SHA-256 of a file.

    Raises:
        LocalFileError: it is missing, empty, unreadable, or no regular file.
    """
    digest, size = hashlib.sha256(), 0
    for block in read_blocks(path):
        digest.update(block)
        size += len(block)
    if not size:
        raise empty_error(path)
    return Artifact(path=path, size=size, sha256=digest.hexdigest())


def empty_error(path: Path) -> LocalFileError:
    """Return the error for a file without a byte."""
    return LocalFileError(
        f"{path} is empty.", hint="Check that the step that builds it has succeeded.", code="empty-file"
    )


def read_blocks(path: Path) -> Iterator[bytes]:
    """Give the content of a regular file, block by block.

    Raises:
        LocalFileError: it is missing, unreadable, or no regular file.
    """
    descriptor = _open(path)
    try:
        while block := _read(path, descriptor):
            yield block
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return regular_descriptor(path)
    except FileNotFoundError:
        raise LocalFileError(
            f"{path} does not exist.",
            hint="Check the path; a relative one starts at the current directory.",
            code="file-missing",
        ) from None
    except NotRegularError as error:
        if error.is_directory:
            raise LocalFileError(
                f"{path} is a directory.", hint="Name a file; pack a directory into a ZIP first.", code="not-a-file"
            ) from None
        raise LocalFileError(
            f"{path} is not a regular file.", hint="Write what is to be signed into a file first.", code="not-a-file"
        ) from None
    except OSError as error:
        raise LocalFileError(
            f"{path} can't be read: {error.strerror}.", hint="Check its permissions.", code="unreadable-file"
        ) from None
    except ValueError as error:  # a NUL
        raise LocalFileError(f"{path} can't be the name of a file: {error}.", code="invalid-file-name") from None


def _read(path: Path, descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _BLOCK)
    except OSError as error:
        raise LocalFileError(
            f"{path} can't be read: {error.strerror}.", hint="Check the disk.", code="unreadable-file"
        ) from None
