"""The name that a server gives to a file, reduced to one that is safe to make in a directory, on any system."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from signpath_ci.formats.zip.names import is_reserved

_PARAMETER = re.compile(
    r""";\s*(?P<name>filename\*?)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^;\s"]+))""",
    re.IGNORECASE | re.DOTALL,
)
_EXTENDED = re.compile(r"(?P<charset>[\w!#$%&+^`{}~-]+)'[\w-]*'(?P<value>.*)", re.DOTALL)
_MAX_BYTES = 200
"""Of a name: below what file systems take (255), with room for what is put around it."""


def name_from_header(content_disposition: str | None, *, fallback: str) -> str:
    """Return the safe base name of a `Content-Disposition` header (RFC 6266; `filename*`: RFC 8187, before RFC 5987).

    Args:
        content_disposition: as `requests` decodes headers (Latin-1); `None` where there was none.
        fallback: the name where the header has none that is of use.
    """
    given: dict[str, str] = {}
    for match in _PARAMETER.finditer(content_disposition or ""):
        value = re.sub(r"\\(.)", r"\1", match["quoted"]) if match["quoted"] is not None else match["token"]
        given.setdefault(match["name"].lower(), value)
    decoded = _decoded(given.get("filename*", ""))
    return safe_base_name(decoded) or safe_base_name(_as_utf8(given.get("filename", ""))) or fallback


def safe_base_name(name: str) -> str:
    """Return the last part of a path without what could lead elsewhere, hide, or mean a device; may be empty."""
    last = re.split(r"[/\\]", name)[-1]
    printable = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in last)
    stripped = printable.strip(" ").rstrip(". ")
    if not stripped.strip("._ "):
        return ""
    if is_reserved(stripped):
        stripped = f"_{stripped}"
    stem, dot, extension = stripped.rpartition(".")
    while len(stripped.encode("utf-8", "replace")) > _MAX_BYTES:
        stem, extension = (stem[:-1], extension) if stem else ("", extension[:-1])
        stripped = f"{stem}{dot}{extension}"
    return stripped


def _decoded(extended: str) -> str:
    """Return the text of an extended value, `UTF-8''a%20b`; nothing where it is broken."""
    match = _EXTENDED.fullmatch(extended)
    if match is None:
        return ""
    try:
        return unquote_to_bytes(match["value"]).decode(match["charset"])
    except (LookupError, ValueError):
        return ""


def _as_utf8(header: str) -> str:
    """Undo the Latin-1 of HTTP headers where it was UTF-8 that a server sent."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header
