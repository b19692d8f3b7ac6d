"""Foreign text made harmless: what a server, a file name or an environment says is data, never a command.

A terminal obeys escape sequences; GitHub's runner obeys lines that start with `::`, and it and Azure's agent obey
`##[` and `##vso[` wherever they stand; readers are deceived by bidirectional controls. Whatever is printed passes
through here first.
"""

from __future__ import annotations

import re

_UNEXPANDED_MACRO = re.compile(r"\s*\$\([\w.\- ]*\)\s*")
SHORTEST_SECRET = 8
"""In characters: what is shorter is hidden nowhere, since it may stand anywhere by chance."""

_COMMAND = re.compile(r"^::|##(?=\w*\[)")


def one_line(text: str, *, limit: int = 2000) -> str:
    """Return `text` as one printable line of at most `limit` characters that no CI system takes for a command.

    White space is folded to single blanks; characters that do not show as themselves become `?`; what could form a
    command of a CI runner is torn apart by a blank.
    """
    shown = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    harmless = _COMMAND.sub(lambda found: f"{found[0][0]} {found[0][0]}", shown)
    return harmless if len(harmless) <= limit else harmless[: limit - 1] + "…"


def is_unexpanded_macro(text: str) -> bool:
    """Tell whether a value is only `$(NAME)`, as Azure Pipelines passes on a macro that names no variable.

    <https://learn.microsoft.com/azure/devops/pipelines/process/variables#understand-variable-syntax>
    """
    return _UNEXPANDED_MACRO.fullmatch(text) is not None
