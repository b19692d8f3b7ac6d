"""Permissions of signed files: those of the local files that they stand for. Archives of CI systems lose them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from signpath_ci.files import IS_WINDOWS

_PERMISSIONS = 0o777  # not setuid and setgid: the content is another one
_EXECUTABLE = 0o111


def local_mode(*files: Path | None) -> int | None:
    """Return the permissions of the first of these files that there is; `None`: there is none.

    Links are not followed. On Windows files have no such permissions.
    """
    for file in files:
        if file is not None and not IS_WINDOWS:
            try:
                mode = file.lstat().st_mode
            except (OSError, ValueError):
                continue
            if stat.S_ISREG(mode):
                return mode & _PERMISSIONS
    return None


def set_mode(path: Path, local: int | None, archived: int | None = None) -> None:
    """Set the permissions of a new file before it gets its name.

    Args:
        path: the new file.
        local: the permissions that it gets; `None`: it keeps those of any new file.
        archived: the permissions that an archive states. Where there are no local ones, the file is executable if these
            say so, for those who may read it.

    Raises:
        OSError: they can't be set.
    """
    if IS_WINDOWS:
        return
    if local is not None:
        path.chmod(local)
    elif archived is not None and archived & _EXECUTABLE:
        new = stat.S_IMODE(os.lstat(path).st_mode)
        path.chmod(new | (new & 0o444) >> 2)
