"""Plain checksum files: those of `sha256sum` and its kind, of BSD's `sha256`, and single digests."""

from __future__ import annotations

import re

from signpath_ci.release_metadata.format import Format

_HEX = r"(?:[0-9a-fA-F]{128}|[0-9a-fA-F]{96}|[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})"
# The line of coreutils is `\` (for names with escapes), the digest, a blank, a blank or `*`, and the name.
_LINE = re.compile(rf"\\?{_HEX}(?:[ \t]+\*?[^\s].*)?|\\?[A-Za-z0-9/-]{{3,16}} ?\(.*\) ?= {_HEX}")
_SINGLE = re.compile(r"\.(?:md5|sha(?:1|256|384|512))(?:sum)?", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{22,86}={0,2}")


def _is_it(name: str, text: str) -> bool:
    found = False
    single = _SINGLE.search(name[-10:])
    for line in text.splitlines():
        content = line.strip("\ufeff \t")
        if not content or content.startswith(("#", ";")):
            continue
        if not (_LINE.fullmatch(content) or (single and _BASE64.fullmatch(content))):
            return False
        found = True
    return found


FORMAT = Format(name="checksums", is_it=_is_it)
