"""One entry of an archive, and which kinds of entries are accepted (APPNOTE.TXT 4.4)."""

from __future__ import annotations

import stat
import struct
from pathlib import PurePosixPath
from typing import NamedTuple

from signpath_ci.formats import FormatError, UnsupportedError

STORED, DEFLATED = 0, 8
ENCRYPTED, SIZES_BEHIND, UTF_8 = 0x1, 0x8, 0x800
"""General purpose flags (4.4.4): encrypted; a data descriptor holds the sizes; the name is UTF-8."""
RECORD = struct.Struct("<4s6H3I5H2I")
"""Of the central directory (4.3.12), without name, extra field and comment."""
RECORD_SIGNATURE = b"PK\x01\x02"

_ENCRYPTIONS = ENCRYPTED | 0x40 | 0x2000  # also strong encryption, and masked headers
_KNOWN_FLAGS = 0x6 | SIZES_BEHIND | UTF_8  # bits 1 and 2: how thoroughly it was compressed
# Attributes in DOS form. unzip leaves out volume labels; 7-Zip takes reparse points for links.
_DOS_DIRECTORY, _DOS_SPECIAL = 0x10, 0x8 | 0x40 | 0x400
_UNKNOWN_MODE = 0xFFFF  # what Maven wrote for directories
_SET_ID = stat.S_ISUID | stat.S_ISGID
_DEFLATE_RATIO = 1032  # no compressed byte gives more (RFC 1951: 258 bytes for two bits)
_DEFLATE_TOLERANCE = 4096


class Entry(NamedTuple):
    """A file or directory in an archive whose structure was checked.

    Attributes:
        name: with slashes; that of a directory ends in one.
        size: of the content in bytes.
        packed_size: of the data in the archive in bytes.
        crc: CRC-32 of the content.
        method: `STORED` or `DEFLATED`.
        flags: general purpose flags.
        offset: of the local header in the archive.
        data_offset: of the data.
        end: of the data, and of the data descriptor where there is one.
        record: of the central directory, with name, extra field and comment.
    """

    name: str
    size: int
    packed_size: int
    crc: int
    method: int
    flags: int
    offset: int
    data_offset: int
    end: int
    record: bytes

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory; such an entry has no content."""
        return self.name.endswith("/")

    @property
    def path(self) -> PurePosixPath:
        """The name as a relative path."""
        return PurePosixPath(self.name)

    @property
    def host(self) -> int:
        """The system whose attributes it has: 3 for Unix, 0 for DOS and Windows (4.4.2)."""
        return self.record[5]

    @property
    def attributes(self) -> int:
        """The external attributes (4.4.15): a Unix mode in the upper half, DOS attributes in the lower one."""
        return int.from_bytes(self.record[38:42], "little")

    @property
    def mode(self) -> int | None:
        """The permissions of Unix, without the type; `None` where the archive states no mode."""
        mode = self.attributes >> 16
        return stat.S_IMODE(mode) if mode not in {0, _UNKNOWN_MODE} else None

    @property
    def extra(self) -> bytes:
        """The extra field in the central directory (4.5)."""
        start = RECORD.size + int.from_bytes(self.record[28:30], "little")
        return self.record[start : start + int.from_bytes(self.record[30:32], "little")]

    @property
    def comment(self) -> bytes:
        """The entry's comment."""
        size = int.from_bytes(self.record[32:34], "little")
        return self.record[len(self.record) - size :]


def check_features(name: str, *, flags: int, method: int) -> None:
    """Refuse what is not read here.

    Raises:
        UnsupportedError: the entry is encrypted, or compressed by another method than deflate.
    """
    if flags & _ENCRYPTIONS or method == 99:  # noqa: PLR2004 - AE-x encryption, as a method
        raise UnsupportedError(f"the archive's entry {name} is encrypted", code="zip-entry-encrypted")
    if flags & ~_KNOWN_FLAGS:
        raise UnsupportedError(
            f"the archive's entry {name} has flags {flags:#x}, which are not supported", code="zip-entry-flags"
        )
    if method not in {STORED, DEFLATED}:
        raise UnsupportedError(
            f"the archive's entry {name} is compressed by method {method}, which is not supported",
            code="zip-entry-method",
        )


def check_sizes(name: str, *, method: int, size: int, packed_size: int) -> None:
    """Refuse sizes that can't be true.

    Raises:
        FormatError: the size is not that of the data, or more than it can unpack to; or a directory has content.
    """
    if name.endswith("/") and size:
        raise FormatError(f"the archive's entry {name} is a directory with data in it", code="zip-entry-directory-data")
    if method == STORED and size != packed_size:
        raise FormatError(f"the archive's entry {name} has two sizes: {size} and {packed_size}", code="zip-entry-size")
    if size > packed_size * _DEFLATE_RATIO + _DEFLATE_TOLERANCE:
        raise FormatError(
            f"the archive's entry {name} can't be {size} bytes, packed in {packed_size}", code="zip-entry-size"
        )


def check_attributes(name: str, attributes: int) -> None:
    """Refuse what is neither a file nor a directory, or is one for some readers and the other for others.

    Raises:
        FormatError: a link, a device, a volume label, a mode with setuid or setgid, ...
    """
    mode = attributes >> 16
    is_directory = name.endswith("/")
    if is_directory and mode == _UNKNOWN_MODE:
        mode = 0
    if stat.S_ISLNK(mode):
        raise FormatError(f"the archive's entry {name} is a symbolic link", code="zip-entry-link")
    kind = stat.S_IFMT(mode)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR} or attributes & _DOS_SPECIAL:
        raise FormatError(f"the archive's entry {name} is a special file", code="zip-entry-special")
    if mode & _SET_ID and not is_directory:  # directories inherit a group by it; Eclipse's JARs have such ones
        raise FormatError(f"the archive's entry {name} has a setuid or setgid bit", code="zip-entry-set-id")
    if (attributes & _DOS_DIRECTORY or kind == stat.S_IFDIR) if not is_directory else kind == stat.S_IFREG:
        raise FormatError(
            f"the archive's entry {name} is a file by its name or by its attributes, and a directory by the other",
            code="zip-entry-kind",
        )
