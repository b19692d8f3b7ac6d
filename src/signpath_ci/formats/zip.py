"""ZIP archives as containers of signed files: opened and walked within bounds, whatever their bytes say.

Source: PKWARE, APPNOTE.TXT 6.3. The reading itself is the standard library's; here stand the bounds, and the one error
for everything that hostile bytes can cause in it.
"""

from __future__ import annotations

import errno
import lzma
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.registry import Kind, detect, is_archive_name
from signpath_ci.formats.zip_places import check_places

_CHUNK = 1 << 20
_FILE_TYPE, _LINK = 0o170000, 0o120000  # of a mode, as systems with links write it
_MAX_DIRECTORY_SIZE = 8 << 20
_MAX_RATIO = 1000  # deflate can't do more than 1032; the rest is tolerance for small files
_RATIO_FREE = 16 << 20
_ENCRYPTED = 0x1
_END = struct.Struct("<4s4H2LH")
_END_64_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_MAX_COMMENT = 0xFFFF
_FAILURES = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    MemoryError,
    OverflowError,
    RuntimeError,  # NotImplementedError among them: a compression that is not supported
    ValueError,
)


@dataclass
class Budget:
    """What a whole archive, with those inside it, may use; one for each file that is walked.

    Attributes:
        entries: how many more.
        size: how many more bytes, uncompressed.
        depth: how many more archives inside each other.
    """

    entries: int = 50_000
    size: int = 1 << 36
    depth: int = 4

    def spend(self, infos: list[zipfile.ZipInfo]) -> None:
        """Take what one archive's directory announces off the budget."""
        self.entries -= len(infos)
        self.size -= sum(info.file_size for info in infos)
        if self.entries < 0 or self.size < 0:
            raise FormatError("the archive has too many entries, or they are too big")


@dataclass(frozen=True)
class Archive:
    """An open archive whose directory was checked: names are unique, nothing is encrypted, sizes are plausible."""

    file: zipfile.ZipFile
    entries: tuple[zipfile.ZipInfo, ...]
    budget: Budget = field(repr=False)

    def open(self, info: zipfile.ZipInfo) -> BinaryIO:
        """Open an entry for reading, within `reading`."""
        return cast("BinaryIO", self.file.open(info))

    def kind(self, info: zipfile.ZipInfo) -> Kind | None:
        """Tell what an entry is where it may have to be signed: by its bytes; scripts and archives also by their name.

        An Office document is an archive too, but of another kind: what is inside is its own affair.
        """
        if info.is_dir():
            return None
        with self.open(info) as entry:
            # Without a look at its end: that would unpack each entry twice, and scripts are run by their name.
            found = detect(entry, info.filename, is_end_read=False)
        return None if found == "zip" and not is_archive_name(info.filename) else found

    @contextmanager
    def extracted(self, info: zipfile.ZipInfo, directory: Path | None = None) -> Iterator[BinaryIO]:
        """Copy an entry into a temporary file without a name, in `directory` (none given: the system's)."""
        with tempfile.TemporaryFile(dir=directory) as target:
            with self.open(info) as entry:
                shutil.copyfileobj(entry, target, _CHUNK)
            target.seek(0)
            yield cast("BinaryIO", target)


@contextmanager
def reading() -> Iterator[None]:
    """Turn whatever hostile bytes cause inside the block into a `FormatError`."""
    try:
        yield
    except NotImplementedError as error:
        raise UnsupportedError(f"the archive uses a part of the format that is not supported ({error})") from error
    except _FAILURES as error:
        raise FormatError(f"the archive is damaged ({error})") from error
    except OSError as error:
        # Broken bzip2 data comes without a number; a place before the start, as damaged offsets give it, as EINVAL.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise FormatError(f"the archive is damaged ({error})") from error


@contextmanager
def open_archive(file: BinaryIO, budget: Budget | None = None) -> Iterator[Archive]:
    """Open a ZIP archive and check its directory; what is done with it must stand within the block.

    Args:
        file: seekable.
        budget: of the archive around it, which has less left afterwards; `None`: this is the outermost one.

    Raises:
        FormatError: it is damaged, encrypted, ambiguous, or a bomb; also for what goes wrong in the block.
    """
    budget = budget or Budget()
    if not budget.depth:
        raise FormatError("the archive has too many archives inside each other")
    with reading():
        if _directory_size(file) > _MAX_DIRECTORY_SIZE:
            raise FormatError("the archive has too many entries")
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            budget.spend(infos)
            _check(infos)
            check_places(file, archive, infos)
            budget.depth -= 1
            try:
                yield Archive(archive, tuple(infos), budget)
            finally:
                budget.depth += 1


def _check(infos: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for info in infos:
        if info.filename in seen:
            raise FormatError(f"the archive has two entries named {info.filename}")
        seen.add(info.filename)
        if info.flag_bits & _ENCRYPTED:
            raise UnsupportedError(f"the archive's entry {info.filename} is encrypted")
        if info.file_size > _RATIO_FREE + info.compress_size * _MAX_RATIO:
            raise FormatError(f"the archive's entry {info.filename} is a bomb: {info.file_size} bytes unpacked")


def _directory_size(file: BinaryIO) -> int:
    """Return the size of the central directory (4.3.16, 4.3.14): the library would read it at once, whatever it is."""
    size = file.seek(0, 2)
    start = max(0, size - _END.size - _MAX_COMMENT)
    file.seek(start)
    tail = file.read()
    position = tail.rfind(b"PK\x05\x06")
    if position < 0 or len(tail) < position + _END.size:
        raise FormatError("the archive is cut off: it has no end record")
    *_, directory_size, _, comment_size = _END.unpack_from(tail, position)
    if position + _END.size + comment_size != len(tail):
        raise FormatError("the archive is cut off, or there is data behind it")
    sizes: list[int] = [directory_size]
    locator = start + position - _END_64_LOCATOR.size
    if locator >= _END_64.size:
        file.seek(locator)
        signature, _, offset, _ = _END_64_LOCATOR.unpack(file.read(_END_64_LOCATOR.size))
        if signature == b"PK\x06\x07":
            # The standard's place for the record, and where the library looks for it: right before the locator.
            sizes = [_directory_size_64(file, place) for place in (min(offset, locator), locator - _END_64.size)]
    return max(sizes)


def _directory_size_64(file: BinaryIO, place: int) -> int:
    file.seek(place)
    record = file.read(_END_64.size)
    if len(record) < _END_64.size or not record.startswith(b"PK\x06\x06"):
        return 0
    size: int = _END_64.unpack(record)[8]
    return size


def is_link(info: zipfile.ZipInfo) -> bool:
    """Tell whether an entry is unpacked as a symbolic link, to what its content names."""
    return info.external_attr >> 16 & _FILE_TYPE == _LINK
