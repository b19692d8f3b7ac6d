"""One text that describes files: what in it is stale, and what it should say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from signpath_ci.release_metadata.changes import Change, Changes, resolve
from signpath_ci.release_metadata.digests import tokens, written_like
from signpath_ci.release_metadata.format import Format
from signpath_ci.release_metadata.formats import format_of
from signpath_ci.release_metadata.records import Span, StructureError, innermost, lines
from signpath_ci.values import dataclass

BLOCK_MAP = ".blockmap"
_CONTEXT = 4096
"""Characters of a record in which a file's name is looked for, where several files had the same digest."""
_AMBIGUOUS = "several files had this digest before they were signed: write it by hand"


@dataclass(frozen=True, kw_only=True)
class Stale:
    """Something that a text says of an unsigned file.

    Attributes:
        of: the name of the file.
        what: `sha512`, `size`, ...
        remedy: what to do where it can't be rewritten; nothing: it can.
    """

    of: str
    what: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """What a text should be.

    Attributes:
        format: its format.
        stale: what is wrong in it; nothing where it is up to date.
        text: the new one; what can't be rewritten is as before.
    """

    format: Format
    stale: tuple[Stale, ...]
    text: str


def rewrite(name: str, text: str, changes: Changes) -> Rewritten:
    """Find what a text says of unsigned files, and bring it up to date. Linear in the text.

    Args:
        name: the file's, without a directory.
        text: its content.
        changes: the files that were signed.
    """
    found = [token for token in tokens(text) if changes.stale(token) or changes.current(token)]
    known = format_of(name, text)
    if not found:
        return Rewritten(format=known, stale=(), text=text)
    stale: list[Stale] = []
    edits: list[tuple[int, int, str]] = []
    records, objection = _records(known, text)
    spans = innermost(records, [token.start for token in found])
    remedy = known.remedy or objection
    described: dict[Span, list[Change]] = {}
    resolved: dict[tuple[Span, str, bytes], Change | None] = {}
    for token in found:
        span = spans.get(token.start, (token.start, token.end))
        before = changes.stale(token)
        key = (span, token.algorithm, token.digest)
        if key not in resolved:
            context = f"{text[span[0] : min(span[1], span[0] + _CONTEXT)]} {name}"
            resolved[key] = resolve(before or changes.current(token), token.algorithm, context)
        change = resolved[key]
        if change and not any(change is other for other in described.setdefault(span, [])):
            described[span].append(change)
        if not before:
            continue
        if change is None:
            stale.append(Stale(of=before[0].name, what=token.algorithm, remedy=remedy or _AMBIGUOUS))
            continue
        stale.append(Stale(of=change.name, what=token.algorithm, remedy=remedy))
        edits.append((token.start, token.end, written_like(change.after.digests[token.algorithm], token, text)))
    if not objection:
        for one, edit in _sizes(known, text, records, described, changes):
            stale.append(one)
            edits += [edit] if edit else []
    return Rewritten(format=known, stale=tuple(stale), text=text if remedy else _edited(text, edits))


def _records(known: Format, text: str) -> tuple[list[Span], str]:
    """Return the records of a text, and why its structure can't be read."""
    try:
        return list(known.records(text)), ""
    except StructureError as error:
        return list(lines(text)), f"{error}: correct it, or make it anew after signing"


def _sizes(
    known: Format, text: str, records: Sequence[Span], described: dict[Span, list[Change]], changes: Changes
) -> Iterator[tuple[Stale, tuple[int, int, str] | None]]:
    """Return the sizes of unsigned files in the records that describe just one file each."""
    for pattern, what in ((known.size, "size"), (known.block_map_size, "blockMapSize")):
        if pattern is None:
            continue
        matches = {match.start(1): match for match in pattern.finditer(text)}
        for place, span in innermost(records, matches).items():
            of = described.get(span, [])
            if len(of) != 1:
                continue
            match, change = matches[place], of[0]
            if what == "size":
                before, after = change.before.size, change.after.size
            else:
                block_map = changes.named(change.name + BLOCK_MAP)
                if block_map is None:
                    remedy = f"the block map of {change.name} is not beside it: make both anew with electron-builder"
                    yield Stale(of=change.name, what=what, remedy=remedy), None
                    continue
                before, after = block_map.before.size, block_map.after.size
            if int(match[1]) == before != after:
                yield Stale(of=change.name, what=what, remedy=known.remedy), (match.start(1), match.end(1), str(after))


def _edited(text: str, edits: Sequence[tuple[int, int, str]]) -> str:
    parts, end = [], 0
    for start, stop, new in sorted(edits):
        parts += [text[end:start], new]
        end = stop
    return "".join([*parts, text[end:]])
