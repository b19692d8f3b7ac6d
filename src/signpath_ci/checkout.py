"""The checkout, whose content may be anybody's: where it begins, and whether a path stays inside of it."""

from __future__ import annotations

import glob
import os
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath


def checkout_root(directory: Path) -> Path:
    """Return the checkout that a directory lies in, without links: the nearest one above that holds `.git`.

    Without any it is the directory itself.
    """
    real = directory.resolve()
    return next((path for path in (real, *real.parents) if (path / ".git").exists()), real)


def nearest_with(directory: Path, name: Path) -> Path | None:
    """Return the nearest directory that holds a file or directory: the given one, else one above up to the checkout's.

    A directory above that everybody may write to is not searched: what lies there may be another user's.

    Args:
        directory: where the search begins.
        name: relative to each directory.
    """
    if (directory / name).exists():
        return directory
    root = checkout_root(directory)
    real = directory.resolve()
    for path in real.parents if real != root else ():
        if not path.is_relative_to(root) or path.stat().st_mode & stat.S_IWOTH:
            return None
        if (path / name).exists():
            return path
    return None


def is_inside(path: Path, root: Path) -> bool:
    """Tell whether a path, with all links followed, lies in a directory."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # links in a circle; a NUL
        return False


def leads_out(path: Path, directory: Path) -> bool:
    """Tell whether a path that is named as one in the checkout leads out of it, by a link in it.

    Args:
        path: absolute, or relative to `directory`.
        directory: in the checkout.
    """
    root = checkout_root(directory)
    named = Path(os.path.normpath(directory.resolve() / path))
    return named.is_relative_to(root) and not is_inside(named, root)


def objection_to_path(text: str, directory: Path) -> str | None:
    """Return why a path that the checkout names must not be used; `None` where it stays inside of the checkout.

    Args:
        text: the path as it was written; may be a pattern.
        directory: what it is relative to, in the checkout.
    """
    posix, windows = PurePosixPath(text), PureWindowsPath(text)
    if posix.is_absolute() or windows.drive or windows.root:
        return "must be relative to the checkout"
    parts = [*posix.parts, *windows.parts]
    if ".." in parts:
        return "must not hold '..'"
    if any(part.rstrip(". ").casefold() == ".git" for part in parts):
        return "leads into git's own files"
    fixed = Path()
    for part in Path(text).parts:
        if glob.has_magic(part):
            break
        fixed /= part
    try:
        is_inside = (directory / fixed).resolve().is_relative_to(checkout_root(directory))
    except (OSError, RuntimeError, ValueError):  # links in a circle; a NUL
        return "can't be found"
    return None if is_inside else "leads out of the checkout, by a link"
