"""All texts of a release together: one that is rewritten changes what others say of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import PurePath
from typing import Generic, TypeVar

from signpath_ci.release_metadata.changes import Change, Changes
from signpath_ci.release_metadata.digests import digests_of
from signpath_ci.release_metadata.rewrite import Stale, rewrite
from signpath_ci.release_metadata.texts import Text
from signpath_ci.values import dataclass

_DEEPEST = 16
"""Texts that describe texts that describe texts, and so on; two or three are common."""

P = TypeVar("P", bound=PurePath)


@dataclass(frozen=True, kw_only=True)
class Outdated(Generic[P]):
    """What a file says of unsigned files; `format` is the name of its format."""

    path: P
    format: str
    stale: tuple[Stale, ...]


@dataclass(frozen=True, kw_only=True)
class Update(Generic[P]):
    """What a release needs.

    Attributes:
        outdated: the files that describe unsigned ones.
        contents: the new content of each file that can be brought up to date.
        changes: the given changes, and those of `contents`.
    """

    outdated: tuple[Outdated[P], ...]
    contents: Mapping[P, bytes]
    changes: tuple[Change, ...]


def update(texts: Mapping[P, Text], changes: Sequence[Change]) -> Update[P]:
    """Bring texts up to date, in as many rounds as they describe each other.

    Args:
        texts: by their paths.
        changes: the files that were signed.
    """
    known: dict[Hashable, Change] = {}
    contents: dict[P, bytes] = {}
    outdated: list[Outdated[P]] = []
    for _ in range(_DEEPEST):
        index = Changes([*changes, *known.values()])
        latest: dict[P, bytes] = {}
        outdated = []
        for path, text in texts.items():
            found = rewrite(path.name, text.text, index)
            if found.stale:
                outdated.append(Outdated(path=path, format=found.format.name, stale=found.stale))
            if found.text != text.text:
                latest[path] = text.encoded(found.text)
        if latest == contents:
            break
        contents = latest
        for path, data in contents.items():
            before = texts[path].encoded(texts[path].text)
            known[path] = Change(name=path.name, before=digests_of(before), after=digests_of(data))
    return Update(outdated=tuple(outdated), contents=contents, changes=(*changes, *known.values()))
