"""Signed files in the place of the unsigned ones: all of them, or none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from signpath_ci.files import IS_WINDOWS, delete, directory_in, link, publish, replace, sync_directory
from signpath_ci.signing.detached import CMS_SUFFIX, RAW_SUFFIX
from signpath_ci.signing.target import disk_errors


@contextmanager
def replacing(files: Sequence[Path], *, force: bool = False) -> Iterator[list[Path]]:
    """Take what is to replace files, and replace them at the end, unless an error comes.

    A detached signature does not replace the file: it lies in its place with a suffix more, and goes beside it.

    Where one can't be replaced, those before it are put back. A computer that goes down just then leaves some replaced;
    each is whole, the old or the new one.

    Args:
        files: that are to be replaced.
        force: replace detached signatures that lie beside them.

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
        _replace(files, places, force=force)


def _detached(place: Path) -> str | None:
    """Return the suffix of the detached signature that lies where a signed file should."""
    return next((s for s in (CMS_SUFFIX, RAW_SUFFIX) if os.path.lexists(place.with_name(f"{place.name}{s}"))), None)


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


def _replace(files: Sequence[Path], places: Sequence[Path], *, force: bool) -> None:
    with ExitStack() as undo:
        for file, place in zip(files, places, strict=True):
            if not os.path.lexists(place) and (suffix := _detached(place)):
                target = file.with_name(f"{file.name}{suffix}")
                with disk_errors(target):
                    publish(place.with_name(f"{place.name}{suffix}"), target, replace=force)
                if not force:  # what was replaced can't be brought back, so it is not removed either
                    undo.callback(delete, target, missing_ok=True)
                continue
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
