"""The files of a container, so that a path finds those that it names without comparing it with all of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from signpath_ci.artifact_configuration import inferred
from signpath_ci.artifact_configuration.paths import DEEP, Path, Segment
from signpath_ci.formats import FormatError
from signpath_ci.formats.containers import Member

MAX_COMPARISONS = 10_000_000
"""How often a name and a pattern are compared for one artifact: a few seconds."""
_MAX_DEPTH = 128  # directories inside each other; Windows' paths have at most 130


_Entry = tuple[str, int, str, Member]
"""Folded name, number in the container, folded directory, and the file."""


class TooMuchWorkError(Exception):
    """So many patterns meet so many files that resolving them would take too long."""


@dataclass(eq=False)
class Directory:
    """A directory in a container.

    Attributes:
        path: with slashes; empty: the container's own root.
        name: its last part.
        directories: by their folded names.
        files: by their folded names; a container may hold two that differ in case.
    """

    path: str
    name: str
    directories: dict[str, Directory] = field(default_factory=dict)
    files: dict[str, list[Member]] = field(default_factory=dict)

    def walk(self) -> Iterator[Directory]:
        """Yield this directory and all below it."""
        left = [self]
        while left:
            directory = left.pop()
            yield directory
            left += reversed(directory.directories.values())


class Index:
    """The tree of a container's files.

    Args:
        members: its files.
        directories: paths of directories that it names besides.

    Raises:
        FormatError: directories are too deep inside each other.
    """

    def __init__(self, members: Iterable[Member], directories: Iterable[str] = ()) -> None:
        self.root = Directory("", "")
        self._comparisons = 0
        self._known: dict[str, Directory] = {"": self.root}
        self._all: list[_Entry] = []
        self._sorted: dict[str | None, list[_Entry]] = {}
        for path in directories:
            self._directory(path)
        for number, member in enumerate(members):
            head, _, name = member.path.rpartition("/")
            folded = inferred.fold(name)
            self._directory(head).files.setdefault(folded, []).append(member)
            self._all.append((folded, number, inferred.fold(head), member))

    def _directory(self, path: str) -> Directory:
        known = self._known.get(path)
        if known is None:
            names = path.split("/")
            if len(names) > _MAX_DEPTH:
                raise FormatError(f"it has directories more than {_MAX_DEPTH} deep")
            known = self.root
            for number, name in enumerate(names):
                folded = inferred.fold(name)
                if folded not in known.directories:
                    known.directories[folded] = Directory("/".join(names[: number + 1]), name)
                known = known.directories[folded]
            self._known[path] = known
        return known

    def files(self, base: Directory, path: Path) -> list[Member]:
        """Return the files that a path names, from a directory, in the container's order where it has a `**`.

        Raises:
            TooMuchWorkError: see `MAX_COMPARISONS`.
        """
        if DEEP in path.segments:
            return self._deep(base, path)
        *parents, last = path.segments or (None,)
        if last is None:
            return []
        found: list[Member] = []
        for directory in self._below(base, parents):
            if last.literal is not None:
                found += directory.files.get(last.literal, [])
            else:
                self._count(len(directory.files))
                for name, members in directory.files.items():
                    if last.matches(name):
                        found += members
        return found

    def directories(self, base: Directory, path: Path) -> list[Directory]:
        """Return the directories that a path names, from a directory.

        Raises:
            TooMuchWorkError: see `MAX_COMPARISONS`.
        """
        if DEEP not in path.segments:
            return self._below(base, list(path.segments))
        start = len(base.path) + 1 if base.path else 0
        found = []
        for directory in base.walk():
            names = inferred.fold(directory.path[start:]).split("/") if directory is not base else []
            self._count(len(names) + 1)
            if path.matches(names):
                found.append(directory)
        return found

    def _below(self, base: Directory, segments: Iterable[Segment | None]) -> list[Directory]:
        level = [base]
        for segment in segments:
            following: list[Directory] = []
            for directory in level:
                if segment is None or segment.literal is None:
                    self._count(len(directory.directories))
                    following += [
                        inner for name, inner in directory.directories.items() if segment and segment.matches(name)
                    ]
                elif segment.literal in directory.directories:
                    following.append(directory.directories[segment.literal])
            level = following
        return level

    def _deep(self, base: Directory, path: Path) -> list[Member]:
        last = path.segments[-1]
        if base is not self.root:
            return self._deep_below(base, path)
        named = self._all if last is DEEP else self._named(last)
        if len(path.segments) == 2 and last is not DEEP:  # noqa: PLR2004 - `**/name` depends on the name only
            return [member for _, _, _, member in named]
        self._count(len(named))
        return [member for name, _, head, member in named if path.matches([*head.split("/"), name] if head else [name])]

    def _named(self, segment: Segment) -> list[_Entry]:
        """Return the files whose name fits, in the container's order; what it begins and ends with spares most work."""
        extension = segment.suffix.rpartition(".")[2] if "." in segment.suffix else None
        if not self._sorted:
            self._sorted[None] = sorted(self._all, key=_name_of)
            for entry in self._sorted[None]:
                self._sorted.setdefault(entry[0].rpartition(".")[2], []).append(entry)
        entries = self._sorted.get(extension, [])
        start = bisect_left(entries, segment.prefix, key=_name_of)
        end = bisect_left(entries, segment.prefix + chr(0x10FFFF), key=_name_of) if segment.prefix else len(entries)
        self._count(end - start)
        return sorted((one for one in entries[start:end] if segment.matches(one[0])), key=_number_of)

    def _deep_below(self, base: Directory, path: Path) -> list[Member]:
        found = []
        for directory in base.walk():
            inner = inferred.fold(directory.path[len(base.path) :].lstrip("/"))
            names = inner.split("/") if inner else []
            self._count(len(directory.files) + 1)
            for name, members in directory.files.items():
                if path.matches([*names, name]):
                    found += members
        return found

    def _count(self, comparisons: int) -> None:
        self._comparisons += comparisons
        if self._comparisons > MAX_COMPARISONS:
            raise TooMuchWorkError


def _name_of(entry: _Entry) -> str:
    return entry[0]


def _number_of(entry: _Entry) -> int:
    return entry[1]
