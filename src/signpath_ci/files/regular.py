"""Regular files: opened without waiting for a FIFO or a device, and written without following a link."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from signpath_ci.files.changes import IS_WINDOWS
from signpath_ci.files.temporary import beside

# Without O_NONBLOCK opening a FIFO would wait for the other side; Windows has no FIFOs, but a text mode.
_ALWAYS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


class NotRegularError(OSError):
    """A name is that of a FIFO, a device, a socket or a directory: reading it may never end.

    Attributes:
        is_directory: whether it is a directory.
    """

    def __init__(self, path: Path, *, is_directory: bool) -> None:
        self.is_directory = is_directory
        words = "it is a directory" if is_directory else "it is not a regular file"
        super().__init__(errno.EISDIR if is_directory else errno.EINVAL, words, str(path))


def regular_descriptor(path: Path) -> int:
    """Open a regular file, or a link to one, for reading; the caller closes it.

    Raises:
        NotRegularError: it is something else.
        OSError: it can't be opened.
        ValueError: the name holds a NUL.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _ALWAYS)
    except OSError:
        if path.is_dir():  # Windows does not even open it
            raise NotRegularError(path, is_directory=True) from None
        raise
    return _checked(path, descriptor)


def open_regular(path: Path) -> BinaryIO:
    """Do what `regular_descriptor` does, and return a file."""
    return os.fdopen(regular_descriptor(path), "rb")


def read_bounded(path: Path, *, most: int) -> bytes | None:
    """Return the content of a regular file; `None` where it has more than `most` bytes.

    Raises:
        OSError: it can't be read, or is not a regular file.
        ValueError: the name holds a NUL.
    """
    with open_regular(path) as file:
        data = file.read(most + 1)
    return data if len(data) <= most else None


def append(path: Path, data: bytes) -> None:
    """Append to a file, which is made where it is not there: all of `data`, or nothing of it. No link is followed.

    Raises:
        OSError: it can't be done, or the name is that of a link.
    """
    if IS_WINDOWS and path.is_symlink():
        raise OSError(errno.ELOOP, "it is a link", str(path))
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NO_LINK | _ALWAYS
    try:
        descriptor = os.open(path, flags, 0o666)  # less the umask, as any new file
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link", str(path)) from None
        raise
    descriptor = _checked(path, descriptor)
    try:
        before = os.lseek(descriptor, 0, os.SEEK_END)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, before)  # half an id is worse than none
            raise
    finally:
        os.close(descriptor)


def write_atomically(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Give a new file its name when it is whole; a file or link of that name is replaced, and no link followed.

    Raises:
        FileExistsError: there is one, and it must not be replaced.
        OSError: it can't be done.
    """
    with beside(path) as file:
        file.write(data)
        file.sync()
        file.publish(path, replace=replace)


def _checked(path: Path, descriptor: int) -> int:
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    raise NotRegularError(path, is_directory=stat.S_ISDIR(mode))
