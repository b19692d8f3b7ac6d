"""Locks between processes of one machine. The system frees them when their holder ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from signpath_ci.files.changes import IS_WINDOWS, delete
from signpath_ci.files.names import prefix

_NO_LOCKS = frozenset({errno.EINVAL, errno.EBADF, errno.ENOSYS, errno.EOPNOTSUPP})
"""What Windows answers where locks do not exist; for a lock that is held, EACCES, and under Wine nothing."""
_FAR_BEHIND = 0x7FFF0000
"""The byte that is locked on Windows, where a lock keeps others from reading it: behind the end of any such file."""


def lock(descriptor: int) -> bool | None:
    """Lock an open file until it is closed; `False` where somebody else holds it, `None` where locks do not exist."""
    if sys.platform == "win32":
        import msvcrt

        try:
            os.lseek(descriptor, _FAR_BEHIND, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return None if error.errno in _NO_LOCKS else False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems
        return None
    return True


@contextmanager
def locked(path: Path, *, wait: Callable[[], None]) -> Iterator[bool]:
    """Hold the lock of a name, which need not exist, by a file beside it that is removed at the end.

    Args:
        path: the name; its spelling in capitals and its Unicode form make no difference.
        wait: is called while another process holds the lock, again and again; it pauses, and raises when that takes
            too long.

    Yields:
        whether there is a lock: some network file systems have none.

    Raises:
        OSError: the lock's file can't be made, or is a link or no regular file.
    """
    name = unicodedata.normalize("NFC", path.name).casefold()
    file = path.parent / f"{prefix(Path(name))}lock"
    while True:
        descriptor = _open(file)
        try:
            state = lock(descriptor)
            is_there = state is not False and (IS_WINDOWS or is_at(file, descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        if is_there:
            break
        os.close(descriptor)
        if state is False:
            wait()
    try:
        yield state is True
    finally:
        # Removed before it is free, so that nobody locks a file without a name; Windows removes no open file.
        with contextlib.suppress(OSError):
            if not IS_WINDOWS:
                delete(file)
        os.close(descriptor)
        if IS_WINDOWS:
            with contextlib.suppress(OSError):  # it is somebody else's now
                file.unlink()  # without patience: whoever waits for the lock holds it open


def is_at(path: Path, descriptor: int) -> bool:
    """Tell whether a name is that of an open file."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _open(file: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    if IS_WINDOWS and file.is_symlink():
        raise OSError(errno.ELOOP, "it is a link", str(file))
    descriptor = os.open(file, flags | getattr(os, "O_CLOEXEC", 0), 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(file))
    return descriptor
