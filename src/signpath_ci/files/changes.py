"""Names that change: renamed, replaced and removed, also where a program on Windows holds the file for a moment."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from signpath_ci.clock import Clock

IS_WINDOWS = sys.platform == "win32"
CLOCK = Clock()

_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds between attempts: a virus scanner or an indexer opens what is new, and closes it again within these."""
_ACCESS_DENIED, _SHARING_VIOLATION, _LOCK_VIOLATION = 5, 32, 33
"""Of Windows' system error codes. The first also stands for a file that is marked for deletion but still open."""
_HELD = frozenset({_ACCESS_DENIED, _SHARING_VIOLATION, _LOCK_VIOLATION})

T = TypeVar("T")


def patiently(action: Callable[[], T]) -> T:
    """Call `action`; again, for some seconds, while another program on Windows holds the file.

    Raises:
        OSError: what `action` raises; where the file is held for all that time, its `strerror` says who may hold it.
    """
    for pause in _PAUSES:
        try:
            return action()
        except OSError as error:
            if getattr(error, "winerror", None) not in _HELD:
                raise
        CLOCK.sleep(pause)
    try:
        return action()
    except OSError as error:
        if getattr(error, "winerror", None) not in _HELD:
            raise
        words = (
            f"{error.strerror} (for {sum(_PAUSES):.0f} s; a virus scanner, an indexer, a backup or an open program "
            "may hold it)"
        )
        raise OSError(error.errno, words, error.filename) from None


def replace(path: Path, target: Path) -> None:
    """Give a file the name of another, which it replaces, at once; one that is read-only, too.

    Raises:
        OSError: it can't be done.
    """
    with read_only_removed(target):
        patiently(lambda: path.replace(target))


def move(path: Path, target: Path) -> None:
    """Rename a file or directory; on Windows that fails where the target exists.

    Raises:
        OSError: it can't be done.
    """
    patiently(lambda: path.rename(target))


def link(path: Path, target: Path) -> None:
    """Give a file a second name, which must be free.

    Raises:
        OSError: it can't be done, or the file system has no second names.
    """
    patiently(lambda: os.link(path, target))


def delete(path: Path, *, missing_ok: bool = False) -> None:
    """Remove a file or a link; one that is read-only, too.

    Raises:
        OSError: it can't be done.
    """
    try:
        with read_only_removed(path):
            patiently(path.unlink)
    except FileNotFoundError:
        if not missing_ok:
            raise


def delete_tree(path: Path) -> None:
    """Remove a directory with all that is in it, as far as that can be done."""

    def once_more(function: Callable[..., object], name: str, _information: object) -> None:
        with contextlib.suppress(OSError), read_only_removed(Path(name)):
            patiently(lambda: function(name))

    shutil.rmtree(path, onerror=once_more if IS_WINDOWS else None, ignore_errors=not IS_WINDOWS)


@contextmanager
def read_only_removed(path: Path) -> Iterator[None]:
    """Take the attribute that keeps Windows from replacing or removing a file off it; put it back after an error."""
    before = None
    if IS_WINDOWS:
        with contextlib.suppress(OSError):
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode) and not mode & stat.S_IWRITE:
                path.chmod(mode | stat.S_IWRITE)
                before = mode
    try:
        yield
    except OSError:
        if before is not None:
            with contextlib.suppress(OSError):
                path.chmod(before)
        raise


def sync(descriptor: int) -> None:
    """Bring a file to the disk; on macOS past the disk's own cache, where the file system can.

    `fsync(2)` of macOS: "the disk drive may also re-order the data ...: `F_FULLFSYNC`".

    Raises:
        OSError: it can't be done.
    """
    if sys.platform == "darwin":
        import fcntl

        with contextlib.suppress(OSError):  # not every file system can
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def sync_directory(directory: Path) -> None:
    """Bring a new name to the disk, where the system can."""
    if not IS_WINDOWS:
        with contextlib.suppress(OSError):
            descriptor = os.open(directory, os.O_RDONLY)
            try:
                sync(descriptor)
            finally:
                os.close(descriptor)
