"""Files of a format that can't be judged: which of them may stay unjudged."""

from __future__ import annotations

import logging
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

_log = logging.getLogger(__name__)


def is_allowed(name: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a path or its last part matches a pattern (`*`, `?`, `[...]`; `*` also matches slashes)."""
    return any(fnmatchcase(text, pattern) for text in (name, PurePosixPath(name).name) for pattern in patterns)


def is_let_through(name: str, patterns: tuple[str, ...]) -> bool:
    """Tell the same, and warn that the file stays unjudged."""
    if not is_allowed(name, patterns):
        return False
    _log.warning("%s is not verified: its format is unsupported, which is allowed", name)
    return True
