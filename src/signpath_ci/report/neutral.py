"""Foreign text made harmless for one place each: a cell of a Markdown table, a link, a variable of a CI system."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from signpath_ci.text import one_line

_LIMIT = 500
# Neither can be written inside a code span of a table: a bar ends the cell, even behind a backslash.
_LOOKALIKES = str.maketrans({"|": "¦", "`": "\N{MODIFIER LETTER GRAVE ACCENT}"})
# What URLs consist of (RFC 3986), without what a shell, Markdown or a macro of a CI system takes for its own.
_URL = ":/?#@!&+,;=%-._~"


def code(text: str) -> str:
    """Return `text` as a code span of Markdown, in which nothing has a meaning; it may stand in a table."""
    shown = one_line(text, limit=_LIMIT).translate(_LOOKALIKES)
    return f"`{shown}`" if shown else "none"


def link(text: str, url: str | None) -> str:
    """Return a link in Markdown where `url` is a web page's, else only `text`."""
    target = web_url(url)
    return f"[{code(text)}]({target})" if target else code(text)


def web_url(url: str | None) -> str | None:
    """Return an http(s) URL whose characters all are plain ones, others encoded; `None` where it is no such URL."""
    try:
        parts = urlsplit(url or "")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return None
    except ValueError:
        return None
    return quote((url or "").strip(), safe=_URL)


def token(text: str) -> str:
    """Return `text` where it is a plain word, as ids and statuses are; other characters become `?`."""
    return re.sub(r"[^A-Za-z0-9._-]", "?", text)[:_LIMIT]
