"""Where the signed file goes: chosen by default, and looked at before anything is submitted."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signpath_ci.errors import LocalFileError
from signpath_ci.files import IS_WINDOWS, windows_objection

_FORCE_HINT = "Name another output, or replace it with --force."


def default_target(path: Path) -> Path:
    """Return the input's path with `.signed` before the extension: `app.exe` -> `app.signed.exe`.

    `.tar.gz` and its kin are one extension; what has none, and a name that is all extension, gets it at the end.
    """
    stem, dot, extension = path.name.rpartition(".")
    if not stem.strip(".") or not extension:
        return path.parent / f"{path.name}.signed"
    root, _, inner = stem.rpartition(".")
    if inner.lower() == "tar" and root:
        stem, extension = root, f"{inner}.{extension}"
    return path.parent / f"{stem}.signed{dot}{extension}"


def check_target(target: Path, *, force: bool, source: Path | None = None) -> None:
    """Check that a file can be made at `target`, so that no request is submitted in vain.

    A symbolic link counts as what exists there; with `force` the link itself is replaced.

    Args:
        target: where a file is to be made.
        force: whether an existing file is replaced.
        source: the file that it must not be, under whichever name.

    Raises:
        LocalFileError: it can't, and why.
    """
    objection = windows_objection(target.name) if IS_WINDOWS else None
    if objection:
        raise LocalFileError(
            f"{target} can't be the name of a file: {objection}.", hint="Name another output.", code="invalid-file-name"
        )
    try:
        existing = _stat(target)
        if existing is not None:
            _check_existing(target, existing, force=force, source=source)
        _check_parent(target.parent)
    except OSError as error:
        raise LocalFileError(
            f"{target} can't be written: {error.strerror}.", hint=_FORCE_HINT, code="unwritable-file"
        ) from None
    except ValueError as error:  # a NUL
        raise LocalFileError(f"{target} can't be the name of a file: {error}.", code="invalid-file-name") from None


@contextmanager
def disk_errors(target: Path) -> Iterator[None]:
    """Turn errors of the disk into `LocalFileError`; to be put around what touches the disk, and nothing else."""
    try:
        yield
    except FileExistsError:
        raise exists_error(target) from None
    except OSError as error:
        raise LocalFileError(
            f"{target} can't be written: {error.strerror}.",
            hint="Check the space and the permissions there.",
            code="unwritable-file",
        ) from None


def exists_error(target: Path) -> LocalFileError:
    """Return the error for a target that is there already."""
    return LocalFileError(f"{target} exists already.", hint=_FORCE_HINT, code="output-exists")


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return path.lstat() if path.is_symlink() else None  # a link to nothing is something all the same


def _check_existing(target: Path, existing: os.stat_result, *, force: bool, source: Path | None) -> None:
    if source is not None:
        original = _stat(source)
        if original is not None and os.path.samestat(existing, original):
            raise LocalFileError(
                f"The output {target} is the input {source} itself.",
                hint="Name another file with --output.",
                code="output-is-input",
            )
    if stat.S_ISDIR(existing.st_mode):
        raise LocalFileError(f"{target} is a directory.", hint="Name a file in it with --output.", code="not-a-file")
    if not (stat.S_ISREG(existing.st_mode) or stat.S_ISLNK(existing.st_mode)):
        raise LocalFileError(
            f"{target} is not a regular file.", hint="Name another file with --output.", code="not-a-file"
        )
    if not force:
        raise exists_error(target)


def _check_parent(parent: Path) -> None:
    if not parent.exists():
        raise LocalFileError(f"The directory {parent} does not exist.", hint="Make it first.", code="file-missing")
    if not parent.is_dir():
        raise LocalFileError(
            f"{parent} is not a directory.", hint="Name a file in a directory with --output.", code="not-a-directory"
        )
    if not os.access(parent, os.W_OK | os.X_OK):
        raise LocalFileError(
            f"The directory {parent} can't be written.",
            hint="Check its permissions, or name another --output.",
            code="unwritable-file",
        )
