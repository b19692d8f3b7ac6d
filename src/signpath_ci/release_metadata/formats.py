"""The registry of formats; a new one is a module and a line here."""

from __future__ import annotations

from signpath_ci.release_metadata import checksums, electron, remade, scoop, squirrel, velopack, winget
from signpath_ci.release_metadata.format import Format

FORMATS = (
    *remade.FORMATS,
    squirrel.FORMAT,
    checksums.FORMAT,
    winget.FORMAT,
    electron.FORMAT,
    velopack.FORMAT,
    scoop.FORMAT,
)
"""In the order in which they are tried: a line of `RELEASES` could be one of a checksum file, too."""


def format_of(name: str, text: str) -> Format:
    """Return the format of a text; one that is not known is not rewritten."""
    return next((known for known in FORMATS if known.is_it(name, text)), remade.OTHER)
