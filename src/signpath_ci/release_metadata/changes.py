"""Which files changed by being signed, and from what to what."""

from __future__ import annotations

import re
from collections.abc import Iterable

from signpath_ci.release_metadata.digests import FileDigests, Token
from signpath_ci.values import dataclass


@dataclass(frozen=True, kw_only=True)
class Change:
    """A file that is another one now.

    Attributes:
        name: the file's, without a directory.
        before: size and digests of the unsigned file; an algorithm that nothing uses may be missing.
        after: those of the signed file; each algorithm of `before` is there.
    """

    name: str
    before: FileDigests
    after: FileDigests


class Changes:
    """The changes of a release, found by digest."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self._before: dict[tuple[str, bytes], list[Change]] = {}
        self._after: dict[tuple[str, bytes], list[Change]] = {}
        self._names: dict[str, list[Change]] = {}
        for change in changes:
            self._names.setdefault(change.name, []).append(change)
            for algorithm, digest in change.before.digests.items():
                if change.after.digests[algorithm] != digest:
                    self._before.setdefault((algorithm, digest), []).append(change)
                    self._after.setdefault((algorithm, change.after.digests[algorithm]), []).append(change)

    def stale(self, token: Token) -> list[Change]:
        """Return the changes of the unsigned files that a digest is of; more than one where they were the same."""
        return self._before.get((token.algorithm, token.digest), [])

    def current(self, token: Token) -> list[Change]:
        """Return the changes of the signed files that a digest is of."""
        return self._after.get((token.algorithm, token.digest), [])

    def named(self, name: str) -> Change | None:
        """Return the one change of a file of that name."""
        found = self._names.get(name, [])
        return found[0] if len(found) == 1 else None


def resolve(found: list[Change], algorithm: str, context: str) -> Change | None:
    """Return the change that a digest stands for; `None` where it may be one of several.

    Args:
        found: the changes of files with this digest.
        algorithm: of the digest.
        context: the text around it, which may name the file.
    """
    if len({change.after.digests[algorithm] for change in found}) == 1:
        return found[0]
    named = [c for c in found if re.search(rf"(?<![\w.-]){re.escape(c.name)}(?![\w-]|\.\w)", context)]
    return named[0] if len({change.after.digests[algorithm] for change in named}) == 1 else None
