"""The database in a Windows Installer file: which files it installs where, and its summary information.

The layout of tables and string pool is not documented by Microsoft; source: the behaviour of msitools and Wine's
msi.dll, whose notes agree. Summary information: [MS-OLEPS] "Object Linking and Embedding Property Set Data Structures".
Tables are read as a whole, at most 64 MiB of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

from signpath_ci.formats import FormatError
from signpath_ci.formats.compound import CompoundFile, Entry
from signpath_ci.values import dataclass

_MAX_STREAM = 64 << 20
_MAX_FILES = 100_000
_MAX_STRINGS = 2_000_000
_MAX_DEPTH = 64
_TABLE = 0x4840  # in front of the name of a table's stream
_TWO, _ONE, _END = 0x3800, 0x4800, 0x4840  # code points that stand for two and for one character of a name
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
_LONG_REFERENCES = 0x80000000
_STRING, _SIZE, _NULLABLE = 0x0800, 0x00FF, 0x1000  # of a column's type
_BINARY = 0x0900  # the whole type, but for whether it is nullable
_TEXT = 0x0D40
_CODE_PAGE_UTF_8 = 65001
_SUMMARY = "\5SummaryInformation"
_PROPERTIES = {3: "subject", 4: "author"}
_CODE_PAGE = 1
_LPSTR, _LPWSTR, _I2 = 30, 31, 2

_Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class InstalledFile:
    """A file that an installer file holds.

    Attributes:
        path: in the tree of an administrative installation, with slashes.
        key: its name in the cabinet.
        size: in bytes.
        cabinet: name of the stream with the cabinet; `None`: it lies outside of the installer file.
    """

    path: str
    key: str
    size: int
    cabinet: str | None


class InstallerDatabase:
    """The database of an open installer file.

    Args:
        file: seekable; stays open as long as this is used.

    Raises:
        FormatError: it is not an installer file, or is damaged.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._compound = CompoundFile(file)
        self._streams = {_decoded(e.path): e for e in self._compound.root.children if e.is_stream}
        try:
            self._strings, self._reference_size = self._string_pool()
            self._columns = self._all_columns()
        except (struct.error, LookupError) as error:
            raise FormatError("its tables are damaged") from error

    def files(self) -> tuple[InstalledFile, ...]:
        """Return the files, in the order in which the cabinets hold them.

        Raises:
            FormatError: the tables are damaged, or name too many files.
        """
        try:
            return tuple(self._files())
        except (struct.error, LookupError, TypeError) as error:
            raise FormatError("its tables are damaged") from error

    def has_table(self, name: str) -> bool:
        """Whether there is a table of this name, with rows in it."""
        return f"!{name}" in self._streams

    def cabinet(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a cabinet inside the installer file.

        Raises:
            FormatError: it is not there.
        """
        if name not in self._streams:
            raise FormatError(f"its cabinet {name} is missing")
        return self._compound.read(self._streams[name])

    def summary(self) -> dict[str, str]:
        """Return `subject` and `author` of the summary information, as far as they are there.

        Raises:
            FormatError: it is damaged.
        """
        entry = next((e for e in self._compound.root.children if e.is_stream and e.path == _SUMMARY), None)
        try:
            return {} if entry is None else _summary(self._bytes(entry))
        except (struct.error, LookupError) as error:
            raise FormatError("its summary information is damaged") from error

    def _bytes(self, entry: Entry) -> bytes:
        if entry.size > _MAX_STREAM:
            raise FormatError(f"its stream {_decoded(entry.path)} is too big")
        return b"".join(self._compound.read(entry))

    def _table_bytes(self, name: str) -> bytes:
        entry = self._streams.get(f"!{name}")
        return b"" if entry is None else self._bytes(entry)

    def _string_pool(self) -> tuple[list[str], int]:
        pool, data = self._table_bytes("_StringPool"), self._table_bytes("_StringData")
        if not pool:
            raise FormatError("it has no tables")
        if len(pool) > 4 * _MAX_STRINGS:
            raise FormatError(f"it has more than {_MAX_STRINGS} texts")
        (header,) = struct.unpack_from("<I", pool)
        encoding = _encoding(header & 0xFFFFFF)
        strings, offset, at = [""], 0, 4
        while at + 4 <= len(pool):
            size, references = struct.unpack_from("<HH", pool, at)
            at += 4
            if not size and references:  # a long string: its size needs an entry of its own
                if at + 4 > len(pool):
                    break
                (size,) = struct.unpack_from("<I", pool, at)
                at += 4
            strings.append(data[offset : offset + size].decode(encoding, "replace"))
            offset += size
        if offset > len(data):
            raise FormatError("its texts are cut off")
        return strings, 3 if header & _LONG_REFERENCES else 2

    def _all_columns(self) -> dict[str, list[tuple[str, int]]]:
        layout = [("Table", _TEXT), ("Number", 2), ("Name", _TEXT), ("Type", 2)]
        found: dict[str, list[tuple[int, str, int]]] = {}
        for row in self._rows(self._table_bytes("_Columns"), layout):
            found.setdefault(row["Table"], []).append((row["Number"], row["Name"], row["Type"] & 0xFFFF))
        return {table: [(name, kind) for _, name, kind in sorted(columns)] for table, columns in found.items()}

    def _table(self, name: str) -> Iterator[_Row]:
        return self._rows(self._table_bytes(name), self._columns.get(name, []))

    def _rows(self, data: bytes, columns: list[tuple[str, int]]) -> Iterator[_Row]:
        """Yield the rows of a table, which is kept column by column."""
        sizes = [self._width(kind) for _, kind in columns]
        if not sizes:
            return
        count = len(data) // sum(sizes)
        starts, start = [], 0
        for size in sizes:
            starts.append(start)
            start += size * count
        for number in range(count):
            row: _Row = {}
            for (name, kind), size, begin in zip(columns, sizes, starts, strict=True):
                at = begin + number * size
                value = int.from_bytes(data[at : at + size], "little")
                if kind & ~_NULLABLE == _BINARY:
                    row[name] = value
                elif kind & _STRING:
                    row[name] = self._strings[value]
                else:
                    row[name] = value - (1 << 8 * size - 1) if value else None
            yield row

    def _width(self, kind: int) -> int:
        if kind & ~_NULLABLE == _BINARY:
            return 2
        if kind & _STRING:
            return self._reference_size
        return 2 if kind & _SIZE <= 2 else 4  # noqa: PLR2004 - bytes

    def _files(self) -> Iterator[InstalledFile]:
        directories = {row["Directory"]: row for row in self._table("Directory")}
        components = {row["Component"]: row["Directory_"] for row in self._table("Component")}
        media = sorted((row["LastSequence"] or 0, row["Cabinet"]) for row in self._table("Media"))
        paths: dict[str, str] = {}
        rows = sorted(self._table("File"), key=lambda row: row["Sequence"] or 0)
        if len(rows) > _MAX_FILES:
            raise FormatError(f"it has more than {_MAX_FILES} files")
        for row in rows:
            directory = components[row["Component_"]]
            if directory not in paths:
                paths[directory] = _directory_path(directories, directory)
            cabinet = next((name for last, name in media if (row["Sequence"] or 0) <= last), "")
            yield InstalledFile(
                path=paths[directory] + _long_name(row["FileName"]),
                key=row["File"],
                size=row["FileSize"] or 0,
                cabinet=cabinet[1:] if cabinet.startswith("#") else None,
            )


def _directory_path(directories: dict[str, _Row], name: str) -> str:
    parts: list[str] = []
    depth = 0
    while name:
        depth += 1
        if depth > _MAX_DEPTH:
            raise FormatError("its directories run in a circle, or are too deep")
        row = directories[name]
        parent = row["Directory_Parent"]
        if not parent or parent == name:
            break  # the root: TARGETDIR
        own = _long_name(row["DefaultDir"].rpartition(":")[2])
        if own != ".":
            parts.append(own)
        name = parent
    return "".join(f"{part}/" for part in reversed(parts))


def _long_name(name: str) -> str:
    return name.rpartition("|")[2]


def _decoded(name: str) -> str:
    """Return the name of a stream: two characters of it were packed into one; `!` stands in front of a table's."""
    found = []
    for character in name:
        code = ord(character)
        if code == _TABLE:
            found.append("!")
        elif _TWO <= code < _ONE:
            found.append(_ALPHABET[code - _TWO & 0x3F] + _ALPHABET[(code - _TWO) >> 6 & 0x3F])
        elif _ONE <= code < _END:
            found.append(_ALPHABET[code - _ONE])
        else:
            found.append(character)
    return "".join(found)


def _encoding(code_page: int) -> str:
    if code_page in {0, _CODE_PAGE_UTF_8}:
        return "utf-8"
    name = f"cp{code_page}"
    try:
        "".encode(name)
    except LookupError:
        return "latin-1"
    return name


def _summary(data: bytes) -> dict[str, str]:
    (offset,) = struct.unpack_from("<I", data, 44)
    (_, count) = struct.unpack_from("<II", data, offset)
    if count > 1000:  # noqa: PLR2004 - far more than there are
        raise FormatError("its summary information is damaged")
    places = {}
    for number in range(count):
        identifier, place = struct.unpack_from("<II", data, offset + 8 + 8 * number)
        places[identifier] = offset + place
    encoding = "utf-8"
    if _CODE_PAGE in places:
        (kind, value) = struct.unpack_from("<HxxH", data, places[_CODE_PAGE])
        encoding = _encoding(value) if kind == _I2 else encoding
    found = {}
    for identifier, name in _PROPERTIES.items():
        if identifier not in places:
            continue
        (kind, size) = struct.unpack_from("<HxxI", data, places[identifier])
        start = places[identifier] + 8
        if kind == _LPSTR:
            found[name] = data[start : start + size].decode(encoding, "replace").rstrip("\0")
        elif kind == _LPWSTR:
            found[name] = data[start : start + 2 * size].decode("utf-16-le", "replace").rstrip("\0")
    return found
