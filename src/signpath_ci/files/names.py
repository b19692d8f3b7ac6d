"""Names: of temporary files, and those that Windows takes for something else."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path, PurePath

_RESERVED = re.compile(
    r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|COM[0-9¹²³]|LPT[0-9¹²³])\s*(\..*)?", re.IGNORECASE | re.DOTALL
)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_TEMPORARY = re.compile(r"\.signpath-[0-9a-f]{16}-.*", re.DOTALL)


def windows_objection(name: str) -> str | None:
    """Return why Windows has no file of that name, or gives it another; `None` where it is a good one.

    Source: Microsoft, "Naming Files, Paths, and Namespaces".

    Args:
        name: without a directory.
    """
    if _RESERVED.fullmatch(name):
        return "Windows reserves this name for a device"
    if name != name.rstrip(". ") and name.strip("."):
        return "Windows drops the dot or blank at the end of a name"
    if found := _FORBIDDEN.search(name):
        return f"Windows has no file names with {found[0]!r}"
    return None


def prefix(target: Path) -> str:
    """Return what the temporary names for a target begin with."""
    return f".signpath-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}-"


def is_temporary(path: PurePath) -> bool:
    """Tell whether a file is a temporary one of this program, or lies in such a directory."""
    return any(_TEMPORARY.fullmatch(part) for part in path.parts)
