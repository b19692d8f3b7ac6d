"""Foreign text made harmless: what a server, a file name or an environment says is data, never a command.

A terminal obeys escape sequences, a CI runner obeys lines that start with `::` or `##[`, and readers are deceived by
bidirectional controls. Whatever is printed passes through here first.
"""

from __future__ import annotations

import unicodedata

# Unicode categories that do not show as themselves: controls, format characters (bidirectional marks among them),
# surrogates, private use, and the two separators that some terminals treat as the end of a line.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def one_line(text: str, *, limit: int = 2000) -> str:
    """Return `text` as one printable line of at most `limit` characters.

    White space is folded to single blanks; characters that do not show as themselves become `?`.
    """
    folded = " ".join(text.split())
    shown = "".join("?" if unicodedata.category(c) in _INVISIBLE else c for c in folded)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
