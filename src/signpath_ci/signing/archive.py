"""A ZIP from elsewhere: looked at as a whole, and refused as a whole, before any of it is written.

What it guards against: names that lead out of the directory, links, two entries that are one file on some systems,
and archives that are small only until they are unpacked (bombs).
"""

from __future__ import annotations

import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from signpath_ci.errors import VerificationError
from signpath_ci.signing.file_name import is_reserved

_MAX_ENTRIES = 50_000
_MAX_DIRECTORY_BYTES = 16 * 1024 * 1024
"""Of the list of entries, which has to be read into memory."""
_MAX_TOTAL = 64 * 1024**3
_MAX_RATIO = 200
"""Of unpacked to packed bytes; programs and texts reach 10. Only beyond `_SMALL`: zeros alone reach 1,000."""
_SMALL = 64 * 1024 * 1024
_END = struct.Struct("<4s4H2LH")  # APPNOTE.TXT 4.3.16
_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_END_64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError
)  # fmt: skip
_BLOCK = 256 * 1024
_HINT = "Nothing was extracted."


@dataclass(frozen=True)
class Member:
    """A file in an archive, found harmless.

    Attributes:
        path: relative, without `..`.
        info: of the archive.
    """

    path: PurePosixPath
    info: zipfile.ZipInfo


class Archive:
    """A ZIP that was found harmless as a whole.

    Attributes:
        members: its files.
    """

    def __init__(self, file: zipfile.ZipFile, members: tuple[Member, ...]) -> None:
        self._file = file
        self.members = members

    def read(self, member: Member) -> Iterator[bytes]:
        """Give a file's bytes, never more than announced, and checked by their CRC.

        Raises:
            VerificationError: the archive is broken.
        """
        with _whole():
            stream = self._file.open(member.info)
        with stream:
            while True:
                with _whole():
                    block = stream.read(_BLOCK)
                if not block:
                    return
                yield block


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a ZIP and look at all of its entries.

    Raises:
        VerificationError: it is no ZIP, broken, or one of its entries must not be extracted.
    """
    with path.open("rb") as raw:
        _refuse_long_lists(raw)
        with _whole():
            file = zipfile.ZipFile(raw)
        with file:
            infos = file.infolist()
            if len(infos) > _MAX_ENTRIES:
                raise _refused(f"{len(infos)} entries, more than {_MAX_ENTRIES}")
            _refuse_bombs(infos, size=path.stat().st_size)
            members = tuple(_members(infos))
            if not members:
                raise _refused("no files")
            yield Archive(file, members)


def _members(infos: list[zipfile.ZipInfo]) -> Iterator[Member]:
    taken: dict[str, str] = {}  # what a system without regard to case sees -> the name; directories end in a slash
    for info in infos:
        name = info.orig_filename
        _refuse_kind(info)
        parts = _parts(name)
        _refuse_collisions(name, parts, taken)
        if not name.endswith("/"):
            yield Member(PurePosixPath(*parts), info)


def _parts(name: str) -> list[str]:
    """Return the parts of an entry's name.

    Raises:
        VerificationError: on some system it would lead somewhere else.
    """
    parts = name.removesuffix("/").split("/")
    flaws = (
        ("a name with control characters", not all(c.isprintable() for c in name)),
        ("a backslash in its name", "\\" in name),
        ("an absolute path", name.startswith("/")),
        ("a drive or stream in its name", ":" in name),
        ("a path that leads elsewhere", any(part in {"", ".", ".."} for part in parts)),
        ("a name that Windows keeps for devices", any(is_reserved(part) for part in parts)),
        ("a name that ends in a dot or blank", any(part != part.rstrip(". ") for part in parts)),
    )
    for flaw, found in flaws:
        if found:
            raise _refused(f"{flaw}: '{name}'")
    return parts


def _refuse_kind(info: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        what = "symbolic link" if kind == stat.S_IFLNK else "special file"
        raise _refused(f"a {what}: '{info.orig_filename}'")
    if info.flag_bits & 1:
        raise _refused(f"an encrypted file: '{info.orig_filename}'")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        # The other methods are not read in bounded memory, and no CI system uses them.
        raise _refused(f"a compression that is not supported: '{info.orig_filename}'")


def _refuse_collisions(name: str, parts: list[str], taken: dict[str, str]) -> None:
    for count in range(1, len(parts) + 1):
        is_file = count == len(parts) and not name.endswith("/")
        shown = "/".join(parts[:count]) + ("" if is_file else "/")
        key = unicodedata.normalize("NFC", shown.rstrip("/")).casefold()
        before = taken.get(key)
        if before is not None and (is_file or before != shown):  # directories may be named again and again
            raise _refused(f"two entries that are one, or are on some systems: '{before}' and '{shown}'")
        taken[key] = shown


def _refuse_bombs(infos: list[zipfile.ZipInfo], *, size: int) -> None:
    total = sum(info.file_size for info in infos)
    if total > _MAX_TOTAL:
        raise _refused(f"{total} bytes when it is unpacked, more than {_MAX_TOTAL}")
    # By the archive's own size, since entries may share their packed bytes.
    if total > _SMALL and total > _MAX_RATIO * size:
        raise _refused(f"{total} bytes in {size}, more than {_MAX_RATIO} to 1")


def _refuse_long_lists(raw: BinaryIO) -> None:
    """Refuse what `zipfile` would read into memory entry by entry, by what the end of the archive announces."""
    size = raw.seek(0, 2)
    start = max(size - _END.size - 0xFFFF - _LOCATOR.size, 0)
    raw.seek(start)
    tail = raw.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise VerificationError("The signed artifact is no ZIP.", hint=_HINT, code="bad-archive")
    _, _, _, _, count, length, _, _ = _END.unpack_from(tail, at)
    locator = at - _LOCATOR.size
    if locator >= 0 and tail.startswith(b"PK\x06\x07", locator):
        # The larger end lies where the locator says, and just before it; readers differ in which they believe.
        _, _, offset, _ = _LOCATOR.unpack_from(tail, locator)
        for place in (offset, start + locator - _END_64.size):
            raw.seek(min(max(place, 0), size))
            end = raw.read(_END_64.size)
            if len(end) == _END_64.size and end.startswith(b"PK\x06\x06"):
                counted, measured = _END_64.unpack(end)[7:9]
                count, length = max(count % 0xFFFF, counted), max(length % 0xFFFFFFFF, measured)
    if count > _MAX_ENTRIES or length > _MAX_DIRECTORY_BYTES:
        raise _refused(f"a list of {count} entries in {length} bytes")
    raw.seek(0)


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        words = re.sub(r"\s+", " ", str(error)) or type(error).__name__
        raise VerificationError(
            f"The signed artifact is no intact ZIP: {words}.", hint=_HINT, code="bad-archive"
        ) from None


def _refused(what: str) -> VerificationError:
    return VerificationError(f"The signed ZIP has {what}.", hint=_HINT, code="bad-archive")
