"""The files inside a file, in whatever kind of container they lie: ZIP archives, cabinets, installer files.

Nothing is unpacked before it is asked for, and then into a temporary file: memory does not depend on sizes. What is not
compressed is read where it lies.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, cast

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.parts import Part
from signpath_ci.formats.zip import Archive, Budget, open_archive
from signpath_ci.values import dataclass, field

if TYPE_CHECKING:
    from signpath_ci.formats.cab_members import CabinetArchive, CabinetFile
    from signpath_ci.formats.msi_database import InstalledFile

HEAD = 4096
"""Bytes of a file's start that tell what it is."""

Layout = Literal["zip", "cab", "msi"]
"""How a container holds its files: as a ZIP archive, a cabinet, or the tables and cabinets of an installer."""


@dataclass(frozen=True)
class Member:
    """A file in a container.

    Attributes:
        path: with slashes.
        size: in bytes, as the container states it.
        key: how the container finds it.
        unreadable: why its bytes can't be read here; empty: they can be.
    """

    path: str
    size: int
    key: Any = field(repr=False, compare=False)
    unreadable: str = ""


class Container(Protocol):
    """An open container."""

    members: tuple[Member, ...]
    directories: tuple[str, ...]
    """Paths of directories that it names, with slashes and without one at the end; others follow from its files."""

    def head(self, member: Member) -> bytes:
        """Return the first `HEAD` bytes of a file."""

    def extracted(self, member: Member) -> Any:
        """Return a context with a file's bytes as a seekable file."""


@contextmanager
def open_container(layout: Layout, file: BinaryIO, budget: Budget) -> Iterator[Container]:
    """Open a container.

    Args:
        layout: how it holds its files.
        file: seekable.
        budget: what is left for it, and for those inside it.

    Raises:
        FormatError: it is damaged, or too big; also for what is read from it within the block.
        UnsupportedError: it is of a form that is not read here.
    """
    if layout == "zip":
        with open_archive(file, budget) as archive:
            yield _Zip(archive)
        return
    if not budget.depth:
        raise FormatError("it has too many containers inside each other")
    budget.depth -= 1
    try:
        with ExitStack() as stack:
            container = _Cabinet(file, budget, stack) if layout == "cab" else _Installer(file, budget, stack)
            yield container
    finally:
        budget.depth += 1


def damaged(container: Container, known: Collection[str]) -> Iterator[tuple[str, FormatError]]:
    """Read what nobody has read to its end, directories too, and give what is wrong with it.

    Only ZIP archives state of each entry what it must be.

    Args:
        container: an open one.
        known: paths that are left out.
    """
    if isinstance(container, _Zip):
        yield from container.damaged(known)


def can_stand_for(now: Container, before: Container) -> bool:
    """Tell whether two containers are the same where the files in them are: so nothing else needs to be compared."""
    if not (isinstance(now, _Cabinet) and isinstance(before, _Cabinet)):
        return True
    return now.is_transparent and before.is_transparent and now.beside == before.beside


class _Zip:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        entries = archive.entries
        self.members = tuple(Member(entry.name, entry.size, entry) for entry in entries if not entry.is_directory)
        self.directories = tuple(entry.name.rstrip("/") for entry in entries if entry.is_directory)

    def head(self, member: Member) -> bytes:
        return self._archive.open(member.key).read(HEAD)

    @contextmanager
    def extracted(self, member: Member) -> Iterator[BinaryIO]:
        with self._archive.extracted(member.key) as file:
            yield file

    def beside(self) -> frozenset[bytes]:
        return self._archive.beside()

    def damaged(self, known: Collection[str]) -> Iterator[tuple[str, FormatError]]:
        for entry in self._archive.unread():
            if entry.name not in known:
                try:
                    self._archive.check(entry)
                except FormatError as error:
                    yield entry.name, error


def added_beside(now: Container, before: Container) -> bool:
    """Tell whether an archive holds data beside its entries that another one does not have."""
    return isinstance(now, _Zip) and isinstance(before, _Zip) and not now.beside() <= before.beside()


class _Folders:
    """The folders of a cabinet: each is one stream, so it is unpacked once, however many files are read."""

    def __init__(self, cabinet: CabinetArchive, budget: Budget, stack: ExitStack) -> None:
        self._cabinet, self._budget, self._stack = cabinet, budget, stack
        self._opened: dict[int, BinaryIO] = {}

    def file(self, file: CabinetFile) -> BinaryIO:
        """Return a file, which can be read as long as the cabinet is open."""
        if file.folder not in self._opened:
            self._opened[file.folder] = self._open(file.folder)
        source = self._opened[file.folder]
        if source.seek(0, 2) < file.offset + file.size:
            raise FormatError(f"the cabinet ends within {file.path}")
        return cast("BinaryIO", Part(source, file.offset, file.size))

    def _open(self, folder: int) -> BinaryIO:
        stored = self._cabinet.stored(folder)
        if stored is not None:
            self._spend(stored.seek(0, 2))
            return stored
        target = _temporary(self._stack)
        for block in self._cabinet.folder(folder):
            self._spend(len(block))
            target.write(block)
        return target

    def _spend(self, size: int) -> None:
        self._budget.size -= size
        if self._budget.size < 0:
            raise FormatError("the cabinet is too big, unpacked")


class _Cabinet:
    directories: tuple[str, ...] = ()

    def __init__(self, file: BinaryIO, budget: Budget, stack: ExitStack) -> None:
        from signpath_ci.formats.cab_members import CabinetArchive  # here, as most containers are ZIP archives

        cabinet = CabinetArchive(file)
        self._folders = _Folders(cabinet, budget, stack)
        budget.entries -= len(cabinet.files)
        if budget.entries < 0:
            raise FormatError("it has too many files")
        self.members = tuple(
            Member(one.path, one.size, one, _compression_reason(cabinet.compression(one))) for one in cabinet.files
        )
        self.by_path = {member.path: member for member in self.members}
        self._file, self._archive = file, cabinet
        folded = Counter(member.path.lower() for member in self.members)
        if len(folded) < len(self.members):
            raise FormatError(f"it holds {folded.most_common(1)[0][0]} twice")

    @property
    def is_transparent(self) -> bool:
        """Whether all in it can be read, and belongs to a file."""
        from signpath_ci.formats.cab import reserved

        is_readable = not any(member.unreadable for member in self.members)
        return is_readable and self._archive.is_filled() and not reserved(self._file)[1]

    @property
    def beside(self) -> tuple[bytes, frozenset[str]]:
        """What it holds beside the content of its files: reserved bytes, and which files are run when unpacked."""
        from signpath_ci.formats.cab import reserved
        from signpath_ci.formats.cab_members import EXECUTE

        run = frozenset(file.path for file in self._archive.files if file.attributes & EXECUTE)
        return reserved(self._file)[0], run

    def head(self, member: Member) -> bytes:
        return self._folders.file(member.key).read(HEAD)

    @contextmanager
    def extracted(self, member: Member) -> Iterator[BinaryIO]:
        yield self._folders.file(member.key)


def _compression_reason(name: str | None) -> str:
    return f"it is compressed with {name}, which is not unpacked here" if name else ""


class _Installer:
    directories: tuple[str, ...] = ()

    def __init__(self, file: BinaryIO, budget: Budget, stack: ExitStack) -> None:
        from signpath_ci.formats.msi_database import InstallerDatabase  # as above

        self._database = InstallerDatabase(file)
        self._budget, self._stack = budget, stack
        self._cabinets: dict[str, _Cabinet] = {}
        files = self._database.files()
        budget.entries -= len(files)
        if budget.entries < 0:
            raise FormatError("it has too many files")
        count = Counter(one.path.lower() for one in files)
        found = {one.path.lower(): Member(one.path, one.size, one, _installed_reason(one, count)) for one in files}
        self.members = tuple(found.values())

    def head(self, member: Member) -> bytes:
        cabinet, inner = self._inner(member.key)
        return cabinet.head(inner)

    @contextmanager
    def extracted(self, member: Member) -> Iterator[BinaryIO]:
        cabinet, inner = self._inner(member.key)
        with cabinet.extracted(inner) as file:
            yield file

    def _inner(self, installed: InstalledFile) -> tuple[_Cabinet, Member]:
        name = installed.cabinet
        if name is None:
            raise UnsupportedError(f"{installed.path} lies outside of the installer file")
        if name not in self._cabinets:
            file = _temporary(self._stack)
            for piece in self._database.cabinet(name):
                file.write(piece)
            self._cabinets[name] = _Cabinet(file, self._budget, self._stack)
        cabinet = self._cabinets[name]
        inner = cabinet.by_path.get(installed.key)
        if inner is None:
            raise FormatError(f"its cabinet {name} does not hold {installed.path}")
        if inner.unreadable:
            raise UnsupportedError(inner.unreadable)
        return cabinet, inner


def _installed_reason(file: InstalledFile, count: Mapping[str, int]) -> str:
    """Return why a file can't be read; components that exclude each other may install different ones under one name."""
    if count[file.path.lower()] > 1:
        return "the installer file holds more than one file of this name"
    return "" if file.cabinet else "it lies outside of the installer file"


def _temporary(stack: ExitStack) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the stack closes it
    return cast("BinaryIO", stack.enter_context(file))
