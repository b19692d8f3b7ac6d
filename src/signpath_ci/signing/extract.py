"""Files of a signed ZIP into directories: nothing harmful, and all of them or none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from signpath_ci.errors import LocalFileError, VerificationError
from signpath_ci.files import delete, directory_in, publish, sync, sync_directory
from signpath_ci.formats import FormatError
from signpath_ci.formats.zip import Archive, Entry, open_archive
from signpath_ci.signing.modes import local_mode, set_mode
from signpath_ci.signing.target import disk_errors, exists_error

_BLOCK = 1 << 18
_HINT = "Nothing was extracted."


def check_directory(directory: Path) -> None:
    """Check that files can be made in a directory, or the directory itself, before anything is submitted.

    Raises:
        LocalFileError: it can't, and why.
    """
    with disk_errors(directory):
        existing = next(path for path in (directory, *directory.parents) if os.path.lexists(path))
        if not existing.is_dir():
            raise LocalFileError(
                f"{existing} is not a directory.",
                hint="Name another one with --output-artifact-directory.",
                code="not-a-directory",
            )
        if not os.access(existing, os.W_OK | os.X_OK):
            raise LocalFileError(
                f"The directory {existing} can't be written.", hint="Check its permissions.", code="unwritable-file"
            )


@contextmanager
def open_signed_archive(path: Path) -> Iterator[Archive]:
    """Open a signed ZIP on the strict profile of `formats.zip`.

    Raises:
        VerificationError: it is no such ZIP.
        LocalFileError: it can't be read.
    """
    with ExitStack() as stack:
        with disk_errors(path):
            file = stack.enter_context(path.open("rb"))
        with _whole():
            archive = stack.enter_context(open_archive(file))
        yield archive


def files_in(archive: Archive) -> list[Entry]:
    """Return the entries that are files.

    Raises:
        VerificationError: there is none.
    """
    files = [entry for entry in archive.entries if not entry.is_directory]
    if not files:
        raise VerificationError("The signed ZIP has no files.", hint=_HINT, code="bad-archive")
    return files


def _blocks(archive: Archive, entry: Entry) -> Iterator[bytes]:
    stream = archive.open(entry)
    while True:
        with _whole():
            block = stream.read(_BLOCK)
        if not block:
            return
        yield block


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except FormatError as error:
        raise VerificationError(f"The signed ZIP is refused: {error}.", hint=_HINT, code=error.code) from None


def extract(
    archive: Archive,
    places: Mapping[Entry, Path],
    directory: Path,
    *,
    force: bool,
    original: Callable[[Entry], Path | None] = lambda _: None,
) -> None:
    """Extract files: all of them, or none.

    A file keeps the permissions of the one that it replaces, or else of the local one that it stands for.

    Args:
        archive: the open ZIP.
        places: where each file goes.
        directory: all places are below it.
        force: replace existing files.
        original: returns the local file that was submitted.

    Raises:
        VerificationError: a file in the ZIP is not intact.
        LocalFileError: a file exists already, the disk is full, ...
    """
    targets = list(places.values())
    for target in targets:
        check_place(target, directory, force=force)
    with ExitStack() as stack:
        with disk_errors(directory):
            scratch = stack.enter_context(directory_in(directory))
        for number, (entry, target) in enumerate(places.items()):
            _write(scratch / str(number), _blocks(archive, entry), target)
            with disk_errors(target):
                set_mode(scratch / str(number), local_mode(target, original(entry)), entry.mode)
        _publish_all(scratch, targets, directory, force=force)


def check_place(target: Path, directory: Path, *, force: bool) -> None:
    """Check that a name is free, or may be replaced, below real directories only.

    Raises:
        LocalFileError: it is not, or is below a link.
    """
    with disk_errors(target):
        for parent in target.relative_to(directory).parents:
            place = directory / parent
            if parent != Path() and os.path.lexists(place) and (place.is_symlink() or not place.is_dir()):
                raise LocalFileError(
                    f"{place} is in the way of {target}: it is no directory.",
                    hint="Extract into an empty directory.",
                    code="not-a-file",
                )
        if target.is_dir() and not target.is_symlink():
            raise LocalFileError(
                f"{target} is a directory.", hint="Extract into an empty directory.", code="not-a-file"
            )
        if os.path.lexists(target) and not force:
            raise exists_error(target)


def _write(path: Path, blocks: Iterator[bytes], target: Path) -> None:
    with ExitStack() as stack:
        with disk_errors(target):
            file = stack.enter_context(path.open("xb", buffering=0))
        for block in blocks:
            with disk_errors(target):
                rest = memoryview(block)
                while rest:
                    rest = rest[file.write(rest) :]
        with disk_errors(target):
            sync(file.fileno())


def _publish_all(scratch: Path, targets: list[Path], directory: Path, *, force: bool) -> None:
    made: list[Path] = []
    try:
        for number, target in enumerate(targets):
            with disk_errors(target):
                made += _make_directory(target.parent)
                publish(scratch / str(number), target, replace=force)
            if not force:  # what was replaced can't be brought back, so it is not removed either
                made.append(target)
    except BaseException:
        _unmake(made)
        raise
    for parent in {target.parent for target in targets} | {directory}:
        sync_directory(parent)


@contextmanager
def made_directory(directory: Path) -> Iterator[None]:
    """Make a directory; where the work in it fails, what was made is removed again."""
    with disk_errors(directory):
        made = _make_directory(directory)
    try:
        yield
    except BaseException:
        _unmake(made)
        raise


def _make_directory(directory: Path) -> list[Path]:
    """Make a directory and those above it; return those that were not there, the uppermost first."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()][::-1]
    for path in missing:
        path.mkdir(exist_ok=True)
    return missing


def _unmake(paths: list[Path]) -> None:
    for path in reversed(paths):
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                delete(path)
