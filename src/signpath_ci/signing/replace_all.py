"""Signed files in the place of the unsigned ones: all of them, or none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from signpath_ci.files import IS_WINDOWS, directory_in, link, replace, sync_directory
from signpath_ci.signing.target import disk_errors


@contextmanager
def replacing(files: Sequence[Path]) -> Iterator[list[Path]]:
    """Take what is to replace files, and replace them at the end, unless an error comes.

    Where one can't be replaced, those before it are put back. A computer that goes down just then leaves some replaced;
    each is whole, the old or the new one.

    Yields:
        for each file the place of its successor, in its own file system and with its suffix.

    Raises:
        LocalFileError: a file can't be replaced; all are as they were.
    """
    with ExitStack() as stack:
        scratch: dict[Path, Path] = {}
        for file in files:
            if file.parent not in scratch:
                with disk_errors(file):
                    scratch[file.parent] = stack.enter_context(directory_in(file.parent))
        places = [scratch[file.parent] / f"{number}{file.suffix}" for number, file in enumerate(files)]
        yield places
        _replace(files, places)


def _set_aside(file: Path, backup: Path) -> None:
    try:
        link(file, backup)  # so that there is a file of that name at any time
    except OSError:  # some file systems have no second names
        replace(file, backup)


def _put_back(backup: Path, file: Path, mode: int) -> None:
    if os.path.lexists(backup):
        with disk_errors(file):
            replace(backup, file)
            if IS_WINDOWS:  # the attribute that kept it from being replaced was taken off it
                file.chmod(mode)


def _replace(files: Sequence[Path], places: Sequence[Path]) -> None:
    with ExitStack() as undo:
        for file, place in zip(files, places, strict=True):
            backup = place.with_name(f"old-{place.name}")
            with disk_errors(file):
                mode = file.stat().st_mode & 0o7777
            undo.callback(_put_back, backup, file, mode)  # before anything moves: a signal may come at any time
            with disk_errors(file):
                place.chmod(mode)
                _set_aside(file, backup)
                replace(place, file)
        undo.pop_all()  # all are replaced
    for parent in {file.parent for file in files}:
        sync_directory(parent)
