"""What a format has to say of itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from signpath_ci.release_metadata.records import Span, lines
from signpath_ci.values import dataclass


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of files that describe other files.

    Attributes:
        name: for people.
        is_it: tells by a file's name and text whether it is of this format; linear in the text.
        records: returns where each entry begins and ends.
        size: finds the size of an entry's file: its only group are the digits.
        block_map_size: the same for the size of the file's block map.
        remedy: what to do where it can't be rewritten, with `{name}` for the file's name; nothing: it is rewritten.
    """

    name: str
    is_it: Callable[[str, str], object]
    records: Callable[[str], Iterable[Span]] = lines
    size: re.Pattern[str] | None = None
    block_map_size: re.Pattern[str] | None = None
    remedy: str = ""
