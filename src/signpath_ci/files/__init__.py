"""Every name that this program makes, changes or removes: atomic, exclusive, without following links, and patient.

All of it raises `OSError`; whoever calls it knows what the file is, and turns that into an error for the user.
Nothing but the standard library is needed, so the bootstrap uses the same source.
"""

from __future__ import annotations

from signpath_ci.files.changes import (
    IS_WINDOWS,
    delete,
    delete_tree,
    link,
    move,
    patiently,
    replace,
    sync,
    sync_directory,
)
from signpath_ci.files.locks import lock, locked
from signpath_ci.files.names import is_temporary, windows_objection
from signpath_ci.files.regular import (
    NotRegularError,
    append,
    open_regular,
    read_bounded,
    regular_descriptor,
    write_atomically,
)
from signpath_ci.files.temporary import TemporaryFile, beside, directory_in, publish, remove_leftovers

__all__ = [
    "IS_WINDOWS",
    "NotRegularError",
    "TemporaryFile",
    "append",
    "beside",
    "delete",
    "delete_tree",
    "directory_in",
    "is_temporary",
    "link",
    "lock",
    "locked",
    "move",
    "open_regular",
    "patiently",
    "publish",
    "read_bounded",
    "regular_descriptor",
    "remove_leftovers",
    "replace",
    "sync",
    "sync_directory",
    "windows_objection",
    "write_atomically",
]
