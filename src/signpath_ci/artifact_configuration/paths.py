"""Patterns of paths: `*`, `?`, `[abc]`, `[!a-z]` and `**`, matched in linear time.

Within a segment a pattern is cut at its `*` into pieces of fixed length: the first is compared at the start, the last
at the end, and each of the others is looked for once, from where the one before it ended. That is enough, since what
fits behind an earlier place fits behind no later one; nothing is tried twice, so no pattern takes exponential time.
`**` is the same one level up, with segments for characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from signpath_ci.artifact_configuration import inferred
from signpath_ci.values import dataclass, field

_SEPARATORS = re.compile(r"[/\\]")
_MAX_RANGE = 4096


class PathError(ValueError):
    """A path can't be a pattern; the message goes on where the path was named."""


@dataclass(frozen=True)
class Segment:
    """A pattern of one name, in folded form.

    Attributes:
        literal: the one name that it matches; `None`: it has wildcards.
        first, last: what a name must begin and end with; the whole pattern where it has no `*`.
        middle: what must stand between them, in this order.
        has_star: whether a `*` is in it.
        prefix: what every name that it matches begins with, as far as no wildcard stands there.
        suffix: what every such name ends with, likewise.
    """

    literal: str | None
    first: _Piece
    last: _Piece
    middle: tuple[_Piece, ...] = ()
    has_star: bool = True
    prefix: str = ""
    suffix: str = ""

    def matches(self, name: str) -> bool:
        """Whether a folded name fits."""
        if self.literal is not None:
            return name == self.literal
        first, last = self.first, self.last
        if not self.has_star:
            return len(name) == first.length and first.at(name, 0)
        end = len(name) - last.length
        if end < first.length or not first.at(name, 0) or not last.at(name, end):
            return False
        position = first.length
        for piece in self.middle:
            position = piece.find(name, position, end)
            if position < 0:
                return False
            position += piece.length
        return True


@dataclass(frozen=True)
class _Piece:
    """Characters of fixed number: a text, or an expression without repetition where some of them are wildcards."""

    text: str
    length: int
    expression: re.Pattern[str] | None = None

    def at(self, name: str, position: int) -> bool:
        if self.expression is None:
            return name.startswith(self.text, position)
        return self.expression.match(name, position) is not None

    def find(self, name: str, position: int, end: int) -> int:
        if self.expression is None:
            return name.find(self.text, position, end)
        found = self.expression.search(name, position, end)
        return found.start() if found else -1


DEEP = None
"""Stands for `**` among the segments of a pattern: any number of segments, also none."""


@dataclass(frozen=True)
class Path:
    """A pattern of a path.

    Attributes:
        segments: `DEEP` for `**`; none of them: the container's own root.
        text: for messages; parameters replaced.
    """

    segments: tuple[Segment | None, ...]
    text: str = field(compare=False)

    @property
    def has_wildcard(self) -> bool:
        """Whether it may match several files."""
        return any(segment is DEEP or segment.literal is None for segment in self.segments)

    def matches(self, names: Sequence[str]) -> bool:
        """Whether the folded segments of a path fit."""
        segments = self.segments
        at = start = 0
        retry: tuple[int, int] | None = None
        while start < len(names):
            segment = segments[at] if at < len(segments) else None
            if at < len(segments) and segment is DEEP:
                at, retry = at + 1, (at + 1, start)
            elif segment is not None and segment.matches(names[start]):
                at, start = at + 1, start + 1
            elif retry is not None:
                at, start = retry[0], retry[1] + 1
                retry = at, start
            else:
                return False
        return all(segment is DEEP for segment in segments[at:])


def compile_path(pieces: Sequence[tuple[str, bool]]) -> Path:
    """Read a pattern.

    Args:
        pieces: texts, and whether each is literal: a parameter's value, in which nothing is a wildcard.

    Raises:
        PathError: it is none.
    """
    text = "".join(piece for piece, _ in pieces)
    if len(text) > inferred.MAX_PATH:
        raise PathError(f"has more than {inferred.MAX_PATH} characters")
    if not text:
        raise PathError("is empty")
    segments: list[list[tuple[str, bool]]] = [[]]
    for piece, is_literal in pieces:
        first, *more = _SEPARATORS.split(piece)
        segments[-1].append((first, is_literal))
        segments += [[(one, is_literal)] for one in more]
    found: list[Segment | None] = []
    for segment in segments:
        name = "".join(part for part, _ in segment)
        if name in {"", "."}:
            continue
        if name == "..":
            raise PathError("leaves its container with '..'")
        wild = "".join(part for part, is_literal in segment if not is_literal)
        if "**" in wild:
            if name != "**":
                raise PathError("has a '**' that is not a whole segment: write 'lib/**/*.dll'")
            if not (found and found[-1] is DEEP):
                found.append(DEEP)
            continue
        found.append(_segment(segment))
    return Path(tuple(found), text)


def _segment(parts: Sequence[tuple[str, bool]]) -> Segment:
    """Read the pattern of one name."""
    pieces: list[list[str]] = [[]]  # expressions of single characters, cut at each star
    has_wildcard = False
    for text, is_literal in parts:
        at = 0
        while at < len(text):
            character = text[at]
            at += 1
            if is_literal or character not in "*?[":
                pieces[-1].append(re.escape(inferred.fold(character)))
                continue
            has_wildcard = True
            if character == "*":
                pieces.append([])
            elif character == "?":
                pieces[-1].append(".")
            else:
                expression, at = _class(text, at)
                pieces[-1].append(expression)
    made = [_piece(piece) for piece in pieces]
    literal = None if has_wildcard else made[0].text
    return Segment(
        literal,
        made[0],
        made[-1],
        tuple(made[1:-1]),
        has_star=len(made) > 1,
        prefix=_text(list(takewhile(_is_literal, pieces[0]))),
        suffix=_text(list(takewhile(_is_literal, reversed(pieces[-1])))[::-1]),
    )


def _piece(expressions: list[str]) -> _Piece:
    if all(map(_is_literal, expressions)):
        return _Piece(_text(expressions), len(expressions))
    return _Piece("", len(expressions), re.compile("".join(expressions), re.DOTALL))


def _is_literal(expression: str) -> bool:
    return expression != "." and not expression.startswith("[")


def _text(expressions: list[str]) -> str:
    """Return what expressions of single literal characters stand for."""
    return "".join(expression[-1] for expression in expressions)  # behind the escape, where there is one


def _class(text: str, start: int) -> tuple[str, int]:
    """Read `[...]` from behind its bracket; return an expression for one folded character, and where it ends."""
    is_negated = text[start : start + 1] == "!"
    at = first = start + is_negated
    end = text.find("]", first + 1)
    if end < 0:
        raise PathError("has a '[' without a ']': write '[[]' for the character itself")
    ranges: list[tuple[str, str]] = []
    while at < end:
        low = high = text[at]
        at += 1
        if text[at : at + 1] == "-" and at + 1 < end:
            high = text[at + 1]
            at += 2
        if low > high:
            raise PathError(f"has a class with the range {low}-{high}, which is empty")
        ranges += _folded(low, high)
    inside = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in ranges)
    return f"[{'^' if is_negated else ''}{inside}]", end + 1


def _folded(low: str, high: str) -> list[tuple[str, str]]:
    """Return ranges that hold a range's characters, and their folded forms."""
    if ord(high) - ord(low) > _MAX_RANGE:
        return [(low, high)]
    folded = sorted({inferred.fold(chr(number)) for number in range(ord(low), ord(high) + 1)})
    found = [(low, high)]
    for character in folded:
        if ord(found[-1][1]) + 1 == ord(character) and len(found) > 1:
            found[-1] = (found[-1][0], character)
        elif not low <= character <= high:
            found.append((character, character))
    return found
