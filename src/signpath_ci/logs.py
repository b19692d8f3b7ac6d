"""Logging as this program does it: plain lines on standard error, harmless whatever a server put into them."""

from __future__ import annotations

import contextlib
import logging
import sys

from signpath_ci.text import one_line


class _Handler(logging.Handler):
    """Writes to whatever `sys.stderr` is at that moment, so a progress bar that wraps it keeps its place."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # nobody can be reached
            sys.stderr.write(one_line(f"{record.levelname.lower()}: {record.getMessage()}") + "\n")
            sys.stderr.flush()


def configure(level: str) -> None:
    """Log this package's records of `level` and above on standard error."""
    logger = logging.getLogger("signpath_ci")
    logger.handlers[:] = [_Handler()]
    logger.setLevel(level.upper())
    logger.propagate = False
