"""What lies in the directory of the signed files besides them: an unsigned program there would be published, too."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from signpath_ci.checkout import leads_out
from signpath_ci.errors import UsageError
from signpath_ci.files import delete, is_temporary, open_regular
from signpath_ci.formats.presence import lacks_signature
from signpath_ci.signing.target import disk_errors

_log = logging.getLogger(__name__)
_SHOWN = 5


def check_leftovers(directory: Path, replaced: Collection[Path], *, exclude: Sequence[str]) -> None:
    """Refuse a directory that holds unsigned files which the signed ones do not replace, such as an earlier run's.

    A checkout is no directory that is published as it is, so it is not searched.

    Args:
        directory: where signed files go.
        replaced: the files that are replaced.
        exclude: patterns of files that may stay, of the path below the directory or the name.

    Raises:
        UsageError: it holds such files.
        LocalFileError: it can't be read.
    """
    if not directory.is_dir():
        return
    if (directory / ".git").exists():
        _log.info("Not searched for unsigned files, since it is a checkout: %s.", directory)
        return
    with disk_errors(directory):
        found = [path for path in _others(directory, replaced) if not _is_excluded(path, directory, exclude)]
        unsigned = [path for path in found if _lacks_signature(path)]
    if unsigned:
        more = f" and {len(unsigned) - _SHOWN} more" if len(unsigned) > _SHOWN else ""
        raise UsageError(
            f"{directory} holds unsigned files that no signed file replaces: "
            f"{', '.join(map(str, unsigned[:_SHOWN]))}{more}.",
            hint="Empty the directory before, as --clean (SIGNPATH_CLEAN) does, or let them stay with --exclude.",
            code="unsigned-leftovers",
        )


def check_clean(directory: Path) -> None:
    """Refuse to empty a directory that holds more than signed files: a checkout, the current one, one behind a link.

    Raises:
        UsageError: it is one.
    """
    top = directory.resolve()
    if (directory / ".git").exists() or Path.cwd().resolve().is_relative_to(top):
        raise UsageError(
            f"{directory} is not emptied: it is a checkout, or holds the current directory.",
            hint="Name another --output-artifact-directory, or leave out --clean.",
            code="not-cleaned",
        )
    if leads_out(directory, Path.cwd()):
        raise UsageError(
            f"{directory} is not emptied: a link in it leads out of the checkout.",
            hint="Name the directory itself, or leave out --clean.",
            code="not-cleaned",
        )


def clean(directory: Path, kept: Collection[Path]) -> None:
    """Delete all files in a directory but those that are kept; directories stay.

    Raises:
        LocalFileError: one can't be deleted.
    """
    for path in list(_others(directory, kept, with_hidden=True)):
        with disk_errors(path):
            delete(path)
        _log.info("Deleted, since --clean requires it: %s.", path)


def _others(directory: Path, known: Collection[Path], *, with_hidden: bool = False) -> Iterator[Path]:
    known = frozenset(known)
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory)
        is_meant = with_hidden or not any(part.startswith(".") for part in name.parts)
        if is_meant and path not in known and not is_temporary(name) and (path.is_symlink() or path.is_file()):
            yield path


def _is_excluded(path: Path, directory: Path, exclude: Sequence[str]) -> bool:
    spellings = (path.relative_to(directory).as_posix(), path.name)
    return any(fnmatchcase(one, pattern) for pattern in exclude for one in spellings)


def _lacks_signature(path: Path) -> bool:
    if not path.is_file():
        return False  # a link that leads nowhere
    with open_regular(path) as file:
        return lacks_signature(file, path.name)
