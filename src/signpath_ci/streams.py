"""The standard streams: every name can be printed on every system, and a reader that has gone is not an error."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping
from typing import TextIO


def configure(streams: tuple[TextIO, ...], environment: Mapping[str, str]) -> None:
    r"""Let text streams take any text, with `\n` as the end of each line.

    A stream that is no console gets UTF-8, which scripts expect, unless `PYTHONIOENCODING` names another encoding.
    Characters that the encoding lacks become escapes such as `\u65e5`: a name that can't be printed must not end a run.

    Args:
        streams: standard output and standard error.
        environment: the environment variables.
    """
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None:
            continue  # a stream of somebody who calls `main` in a process of its own
        is_given = bool(environment.get("PYTHONIOENCODING")) or stream.isatty()
        reconfigure(encoding=None if is_given else "utf-8", errors="backslashreplace", newline="\n")


def is_closed_by_reader(error: OSError) -> bool:
    """Return whether a write failed because the reader of a pipe has gone; Windows reports that as `EINVAL`."""
    return isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL)


def discard_unwritten(stream: TextIO) -> None:
    """Drop what a stream can't write, so that Python does not try again at its end and fail with its own exit code."""
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
