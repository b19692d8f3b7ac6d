"""The files of a container, so that a path finds those that it names without comparing it with all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from signpath_ci.artifact_configuration import inferred
from signpath_ci.artifact_configuration.paths import DEEP, Path, Segment
from signpath_ci.formats import FormatError
from signpath_ci.formats.containers import Member

MAX_COMPARISONS = 10_000_000
"""How often a name and a pattern are compared for one artifact: a few seconds."""
_MAX_DEPTH = 128  # directories inside each other; Windows' paths have at most 130


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
        self._by_suffix: dict[str, list[tuple[Member, str, str]]] = {}
        self._all: list[tuple[Member, str, str]] = []
        for path in directories:
            self._directory(path)
        for member in members:
            head, _, name = member.path.rpartition("/")
            folded = inferred.fold(name)
            self._directory(head).files.setdefault(folded, []).append(member)
            entry = member, inferred.fold(head), folded
            self._all.append(entry)
            self._by_suffix.setdefault(_suffix(folded), []).append(entry)

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
        candidates = self._all
        if last is not DEEP:
            # What a name must end with tells its suffix, so most names need not be looked at.
            ending = last.literal if last.literal is not None else last.last.text
            if "." in ending:
                candidates = self._by_suffix.get(_suffix(ending), [])
        self._count(len(candidates))
        named = candidates if last is DEEP else [one for one in candidates if last.matches(one[2])]
        if len(path.segments) == 2 and last is not DEEP:  # noqa: PLR2004 - `**/name` depends on the name only
            return [member for member, _, _ in named]
        self._count(len(named))
        return [member for member, head, name in named if path.matches([*head.split("/"), name] if head else [name])]

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


def _suffix(name: str) -> str:
    return name.rpartition(".")[2]
