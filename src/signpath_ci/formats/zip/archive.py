"""Archives as containers of signed files: opened within bounds, whatever their bytes say."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

from signpath_ci.formats import FormatError
from signpath_ci.formats.registry import Kind, detect, is_archive_name
from signpath_ci.formats.zip.beside import data_beside
from signpath_ci.formats.zip.directory import read_directory
from signpath_ci.formats.zip.ending import read_ending
from signpath_ci.formats.zip.entry import Entry
from signpath_ci.formats.zip.places import SigningBlock, place_entries
from signpath_ci.formats.zip.stream import EntryStream

_CHUNK = 1 << 20
_MAX_IN_MEMORY = 4 << 20  # bytes; at most eight entries are open at once, two in each level of archives


@dataclass
class Budget:
    """What a whole archive, with those inside it, may use; one for each file that is walked.

    Attributes:
        entries: how many more.
        size: how many more bytes, uncompressed.
        depth: how many more archives inside each other.
    """

    entries: int = 1_000_000
    size: int = 64 << 30
    depth: int = 4

    def spend(self, entries: list[Entry]) -> None:
        """Take what one archive's directory announces off the budget.

        Raises:
            FormatError: there is not so much left.
        """
        size = sum(entry.size for entry in entries)
        if len(entries) > self.entries:
            raise FormatError(
                f"the archive and those in it have more entries than the limit of {Budget.entries}",
                code="zip-too-many-entries",
            )
        if size > self.size:
            raise FormatError(
                f"the archive and those in it unpack to more bytes than the limit of {Budget.size}",
                code="zip-content-size",
            )
        self.entries -= len(entries)
        self.size -= size


class Archive:
    """An open archive whose structure was checked; see `signpath_ci.formats.zip` for what that means.

    Attributes:
        entries: files and directories, in the order of the directory.
        comment: of the archive.
        signing_block: the APK signing block, where there is one.
        budget: what is left for archives inside.
    """

    def __init__(
        self,
        file: BinaryIO,
        entries: tuple[Entry, ...],
        *,
        comment: bytes,
        signing_block: SigningBlock | None,
        budget: Budget,
    ) -> None:
        self.entries = entries
        self.comment = comment
        self.signing_block = signing_block
        self.budget = budget
        self._file = file
        self._read: set[int] = set()

    @cached_property
    def by_name(self) -> dict[str, Entry]:
        """The entries by their names."""
        return {entry.name: entry for entry in self.entries}

    def open(self, entry: Entry) -> BinaryIO:
        """Open an entry for reading, from any position; what is damaged is a `FormatError`.

        Size and checksum are known to be right once it was read to its end.
        """
        return cast("BinaryIO", EntryStream(self._file, entry, self._is_right))

    def read(self, entry: Entry, *, limit: int) -> bytes:
        """Return the content of an entry of at most `limit` bytes.

        Raises:
            FormatError: it has more, or is damaged.
        """
        if entry.size > limit:
            raise FormatError(
                f"the archive's entry {entry.name} has {entry.size} bytes; the limit is {limit}", code="zip-entry-size"
            )
        return self.open(entry).read()

    def raw(self, entry: Entry) -> Iterator[bytes]:
        """Give an entry as it lies in the archive, from its local header to its end."""
        position = entry.offset
        while position < entry.end:
            self._file.seek(position)
            data = self._file.read(min(_CHUNK, entry.end - position))
            if not data:
                raise FormatError(f"the archive's entry {entry.name} is cut off", code="zip-data-damaged")
            position += len(data)
            yield data

    def kind(self, entry: Entry) -> Kind | None:
        """Tell what an entry is where it may have to be signed: by its bytes; scripts and archives also by their name.

        An Office document is an archive too, but of another kind: what is inside is its own affair.
        """
        if entry.is_directory:
            return None
        # Without a look at its end: that would unpack each entry twice, and scripts are run by their name.
        found = detect(self.open(entry), entry.name, is_end_read=False)
        return None if found == "zip" and not is_archive_name(entry.name) else found

    @contextmanager
    def extracted(self, entry: Entry, directory: Path | None = None) -> Iterator[BinaryIO]:
        """Unpack an entry: a small one in memory, others into a temporary file without a name.

        Args:
            entry: one of the archive's.
            directory: for temporary files; none given: the system's.
        """
        if entry.size <= _MAX_IN_MEMORY:
            yield io.BytesIO(self.open(entry).read())
            return
        with tempfile.TemporaryFile(dir=directory) as target:
            shutil.copyfileobj(self.open(entry), target, _CHUNK)
            target.seek(0)
            yield cast("BinaryIO", target)

    def beside(self) -> frozenset[bytes]:
        """Return the data beside the entries' content that could be a payload."""
        return frozenset(data_beside(self._file, self.entries, self.comment, self.signing_block))

    def unread(self) -> list[Entry]:
        """Return the entries that nobody read to their end yet: that their data is right is not known."""
        return [entry for entry in self.entries if entry.offset not in self._read]

    def check(self, entry: Entry) -> None:
        """Read an entry to its end.

        Raises:
            FormatError: its data is not what the archive states of it.
        """
        stream = self.open(entry)
        while stream.read(_CHUNK):
            pass

    def _is_right(self, entry: Entry) -> None:
        self._read.add(entry.offset)


def check_archive(file: BinaryIO, budget: Budget | None = None) -> None:
    """Read all of an archive, and of the archives in it, as verification and extraction will.

    Raises:
        FormatError: some of it is refused, or over a limit.
    """
    with open_archive(file, budget) as archive:
        for entry in archive.entries:
            if archive.kind(entry) == "zip":
                with archive.extracted(entry) as inner:
                    check_archive(inner, archive.budget)
            else:
                archive.check(entry)


@contextmanager
def open_archive(file: BinaryIO, budget: Budget | None = None) -> Iterator[Archive]:
    """Open a ZIP archive and check its structure; the content of an entry is checked when it is read.

    Args:
        file: seekable.
        budget: of the archive around it, which has less left afterwards; `None`: this is the outermost one.

    Raises:
        FormatError: the profile of this package refuses it; the code says which rule.
        UnsupportedError: it uses a part of the format that is not read here.
    """
    budget = Budget() if budget is None else budget
    if not budget.depth:
        raise FormatError("too many archives are inside each other", code="zip-too-deep")
    ending = read_ending(file)
    listed = read_directory(file, ending)
    entries, signing_block = place_entries(file, listed, ending.offset)
    budget.spend(entries)
    budget.depth -= 1
    try:
        yield Archive(file, tuple(entries), comment=ending.comment, signing_block=signing_block, budget=budget)
    finally:
        budget.depth += 1
