"""`RELEASES` of Squirrel.Windows: the SHA-1, name and size of each package, in a line."""

from __future__ import annotations

import re

from signpath_ci.release_metadata.format import Format

# After the size, a line may say for how many users the release is: `# 10%`.
_LINE = re.compile(r"[0-9a-fA-F]{40}[ \t]+\S+[ \t]+\d{1,18}(?:[ \t]+#[ \t]*\d{1,3}%)?")


def _is_it(name: str, text: str) -> bool:
    if not name.upper().startswith("RELEASES"):
        return False
    content = [line.strip("\ufeff \t") for line in text.splitlines()]
    entries = [line for line in content if line and not line.startswith("#")]
    return bool(entries) and all(_LINE.fullmatch(line) for line in entries)


FORMAT = Format(
    name="Squirrel RELEASES",
    is_it=_is_it,
    size=re.compile(r"[ \t](\d{1,18})[ \t]*(?:#[ \t]*\d{1,3}%[ \t]*)?\r?$", re.MULTILINE),
)
