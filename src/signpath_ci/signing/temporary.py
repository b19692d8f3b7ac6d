"""A file that is not there yet: written beside its target, and given the target's name when it is whole."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV})
_LONGEST_SUFFIX = 32


class TemporaryFile:
    """A new, locked file beside a target; `OSError` says what goes wrong.

    The lock is what tells the leftover of a killed run, which nobody holds, from a neighbour that still writes.
    """

    def __init__(self, target: Path) -> None:
        while True:
            # The name keeps the suffix, since formats are told by it, and is short whatever the target's is.
            suffix = target.suffix if len(os.fsencode(target.suffix)) <= _LONGEST_SUFFIX else ""
            self.path = target.parent / f"{_prefix(target)}{secrets.token_hex(8)}.part{suffix}"
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(self.path, flags, 0o666)  # less the umask, as any new file
            if _lock(self._descriptor) is not False and _is_at(self.path, self._descriptor):
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
        os.fsync(self._descriptor)

    def publish(self, target: Path, *, replace: bool) -> None:
        """Give it its final name, at once and as a whole; see `publish`."""
        if sys.platform == "win32":  # an open file can't be renamed there
            self._close()
        publish(self.path, target, replace=replace)
        sync_directory(target.parent)

    def discard(self) -> None:
        """Close it, and remove its temporary name."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                if _is_at(self.path, self._descriptor):
                    self.path.unlink()
        with contextlib.suppress(OSError):
            self._close()
            if sys.platform == "win32":  # an open file can't be removed there
                self.path.unlink()

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
    path = parent / f"{_prefix(target)}{secrets.token_hex(8)}.part"
    path.mkdir(mode=0o700)
    descriptor = -1
    try:
        if sys.platform != "win32":  # where directories can't be opened
            descriptor = os.open(path, os.O_RDONLY)
            _lock(descriptor)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if descriptor >= 0:
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
        path.replace(target)
    elif sys.platform == "win32":
        path.rename(target)  # which fails there where the target exists
    else:
        try:
            os.link(path, target)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            # Such a file system leaves a gap of microseconds between looking and renaming.
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
            path.replace(target)


def remove_leftovers(target: Path) -> None:
    """Remove the temporary files and directories for `target` that no running process holds."""
    for path in target.parent.glob(f"{_prefix(target)}*"):
        with contextlib.suppress(OSError):
            if sys.platform == "win32":  # where somebody holds it open, this fails
                _remove(path)
                continue
            flags = os.O_RDONLY if path.is_dir() else os.O_RDWR
            descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))
            try:
                if _lock(descriptor) is True:
                    _remove(path)
            finally:
                os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _prefix(target: Path) -> str:
    return f".signpath-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}-"


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _lock(descriptor: int) -> bool | None:
    """Lock a file until it is closed; `False` where somebody else holds it, `None` where locks do not exist."""
    if sys.platform == "win32":
        return None  # an open file can't be removed there, which serves as well
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems: a leftover stays there, rather than that a neighbour's file is lost
        return None
    return True


def sync_directory(directory: Path) -> None:
    """Bring a new name to the disk, where the system can."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            descriptor = os.open(directory, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
