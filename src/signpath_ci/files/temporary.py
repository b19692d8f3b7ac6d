"""A file that is not there yet: written beside its target, and given the target's name when it is whole."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signpath_ci.files.changes import IS_WINDOWS, delete, delete_tree, link, move, replace, sync, sync_directory
from signpath_ci.files.locks import is_at, lock
from signpath_ci.files.names import prefix

_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV})
_LONGEST_SUFFIX = 32
_LOCK = ".lock"
"""The file by which a run on Windows holds its temporary directory: what is open can't be removed there."""
_YOUNG = 600.0
"""Seconds. On Windows a run has to close its file before it gives it its name, and holds nothing for that moment."""


class TemporaryFile:
    """A new, locked file beside a target; `OSError` says what goes wrong.

    The lock is what tells the leftover of a killed run, which nobody holds, from a neighbour that still writes.
    """

    def __init__(self, target: Path) -> None:
        while True:
            # The name keeps the suffix, since formats are known by it, and is short whatever the target's is.
            suffix = target.suffix if len(os.fsencode(target.suffix)) <= _LONGEST_SUFFIX else ""
            self.path = target.parent / f"{prefix(target)}{secrets.token_hex(8)}.part{suffix}"
            # Exclusive: neither a file nor a link of that name is followed.
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
            self._descriptor = os.open(self.path, flags, 0o666)  # less the umask, as any new file
            if IS_WINDOWS or (lock(self._descriptor) is not False and is_at(self.path, self._descriptor)):
                return
            os.close(self._descriptor)  # a neighbour that cleans up came between open and lock

    def restart(self) -> None:
        """Drop what was written."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.ftruncate(self._descriptor, 0)

    def write(self, data: bytes) -> None:
        """Append all of `data`."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def sync(self) -> None:
        """Bring it to the disk."""
        sync(self._descriptor)

    def publish(self, target: Path, *, replace: bool) -> None:
        """Give it its final name, at once and as a whole; see `publish`."""
        if IS_WINDOWS:  # an open file can't be renamed there
            self._close()
        publish(self.path, target, replace=replace)
        sync_directory(target.parent)

    def discard(self) -> None:
        """Close it, and remove its temporary name."""
        if self._descriptor >= 0 and not IS_WINDOWS:
            with contextlib.suppress(OSError):
                if is_at(self.path, self._descriptor):
                    delete(self.path)
        with contextlib.suppress(OSError):
            self._close()
            if IS_WINDOWS:  # an open file can't be removed there
                delete(self.path)

    def _close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


@contextmanager
def beside(target: Path) -> Iterator[TemporaryFile]:
    """Make a temporary file for `target`; it is gone at the end, whatever happens, unless it was published.

    Leftovers of runs that were killed are removed first.
    """
    remove_leftovers(target)
    file = TemporaryFile(target)
    try:
        yield file
    finally:
        file.discard()


@contextmanager
def directory_in(parent: Path) -> Iterator[Path]:
    """Make a temporary directory in `parent`; it is gone at the end with all that is in it.

    Leftovers of runs that were killed are removed first.
    """
    target = parent / "directory"
    remove_leftovers(target)
    path = parent / f"{prefix(target)}{secrets.token_hex(8)}.part"
    if IS_WINDOWS:
        # A mode would become an access list that files keep when they are moved out of the directory.
        path.mkdir()
    else:
        path.mkdir(mode=0o700)
    descriptor = -1
    try:
        if IS_WINDOWS:
            descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        else:
            descriptor = os.open(path, os.O_RDONLY)
            lock(descriptor)
        yield path
    finally:
        if descriptor >= 0 and IS_WINDOWS:
            os.close(descriptor)
        delete_tree(path)
        if descriptor >= 0 and not IS_WINDOWS:
            os.close(descriptor)


def publish(path: Path, target: Path, *, replace: bool) -> None:
    """Give a whole file its final name.

    Args:
        path: in the same file system; it may still be there afterwards, as a second name.
        target: the name.
        replace: put it in the place of a file that exists.

    Raises:
        FileExistsError: there is one, and it must not be replaced.
    """
    if replace:
        _replace(path, target)
    elif IS_WINDOWS:
        move(path, target)  # which fails there where the target exists
    else:
        try:
            link(path, target)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            # Such a file system leaves a gap of microseconds between looking and renaming.
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
            _replace(path, target)


_replace = replace


def remove_leftovers(target: Path) -> None:
    """Remove the temporary files and directories for `target` that no running process holds."""
    for path in target.parent.glob(f"{prefix(target)}*"):
        with contextlib.suppress(OSError):
            if IS_WINDOWS:
                _remove_unheld(path)
                continue
            flags = os.O_RDONLY if path.is_dir() else os.O_RDWR
            descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            try:
                if lock(descriptor) is True:
                    _remove(path)
            finally:
                os.close(descriptor)


def _remove_unheld(path: Path) -> None:
    """Remove a leftover on Windows, where what another process holds open can't be removed."""
    # Without patience: whoever holds it is at work.
    held_by = path / _LOCK
    if held_by.is_file():
        held_by.unlink()  # which fails where it is held
    elif time.time() - path.lstat().st_mtime < _YOUNG:
        return
    _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        delete_tree(path)
    else:
        path.unlink()
