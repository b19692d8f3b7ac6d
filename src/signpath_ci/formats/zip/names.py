"""Names that are the same for every reader and on every system."""

from __future__ import annotations

import re
import unicodedata

from signpath_ci.formats import FormatError
from signpath_ci.formats.zip.entry import UTF_8

MAX_NAME_SIZE = 4096
"""Of a name, in bytes: the longest path that Linux takes."""
MAX_DEPTH = 128
"""Of directories inside each other."""

_PLAIN = re.compile(r"[ !#-)+-.0-9;=@-\[\]-{}~]+")  # printable ASCII without / \ : and what Windows does not take
# Controls, formatting such as a change of the writing direction, halves of characters, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Systems whose names unzip decodes by a code page even where they are declared as UTF-8: DOS, OS/2, one of Windows NT.
_OF_CODE_PAGES, _NTFS_OF_CODE_PAGES = frozenset({0, 6}), 11 << 8 | 50
_VERSION = re.compile(r";[0-9]*\Z")
_OBJECT = "__proto__"
_REPLACED = str.maketrans(dict.fromkeys('*?<>|"', "_"))
"""What Windows takes in no name, and unzip and 7-Zip write as an underscore there."""
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])", re.IGNORECASE
)


def is_reserved(name: str) -> bool:
    """Tell whether Windows takes a name for a device, whatever its extension.

    <https://learn.microsoft.com/windows/win32/fileio/naming-a-file>
    """
    return _RESERVED.fullmatch(name.partition(".")[0].rstrip(" ")) is not None


def shown(raw: bytes) -> str:
    """Return a name for a message, whatever its bytes."""
    return raw[:200].decode("ascii", "backslashreplace")


def decode_name(raw: bytes, *, flags: int, made_by: int) -> str:
    """Return a name that readers decode alike.

    Args:
        raw: the name in the directory.
        flags: general purpose flags.
        made_by: "version made by" (4.4.2): the system in the upper byte.

    Raises:
        FormatError: it is too long, not ASCII and not declared as UTF-8, not UTF-8, or of a system whose names unzip
            takes for others whatever they are declared as.
    """
    if len(raw) > MAX_NAME_SIZE:
        raise FormatError(
            f"the archive has a name of {len(raw)} bytes; the limit is {MAX_NAME_SIZE}: {shown(raw)}...",
            code="zip-name-length",
        )
    try:
        name = raw.decode("utf-8" if flags & UTF_8 else "ascii")
    except UnicodeDecodeError:
        why = "is not UTF-8, as which it is declared" if flags & UTF_8 else "is not ASCII, nor declared as UTF-8"
        raise FormatError(
            f"the archive's name {shown(raw)} {why}: readers decode it differently", code="zip-name-encoding"
        ) from None

    if not name.isascii() and (made_by >> 8 in _OF_CODE_PAGES or made_by == _NTFS_OF_CODE_PAGES):
        raise FormatError(
            f"the archive's name {shown(raw)} is not ASCII, and stated to be of DOS or Windows: readers decode it"
            " differently",
            code="zip-name-encoding",
        )
    return name


class Names:
    """The names of one archive, none of which is another one on any system. The cost is linear in their length."""

    def __init__(self) -> None:
        self._directories: dict[tuple[int, str], int] = {}  # number of the directory above, part -> number
        self._listed: set[int] = set()  # directories with an entry of their own
        self._taken: dict[tuple[int, str], str] = {}  # number of the directory above, folded part -> part

    def add(self, name: str) -> None:
        """Check one more name.

        Raises:
            FormatError: it would lead elsewhere on some system, can't be seen, or is another name there.
        """
        if not name:
            raise _unsafe(name, "no name", code="zip-name-path")
        _check_characters(name)
        if name == _OBJECT:
            raise _unsafe(name, "a name that JavaScript takes for something else", code="zip-name-reserved")
        parts = name.split("/")
        last = parts.pop()  # empty for a directory
        if len(parts) > MAX_DEPTH:
            raise FormatError(
                f"the archive has {len(parts)} directories inside each other; the limit is {MAX_DEPTH}",
                code="zip-name-depth",
            )
        number = 0
        for part in parts:
            known = self._directories.get((number, part))
            if known is None:
                self._take(number, part, name)
                known = self._directories[number, part] = len(self._directories) + 1
            number = known
        if last:
            if _VERSION.search(last):
                raise _unsafe(name, "a version of VMS in its name, which unzip takes away", code="zip-name-end")
            self._take(number, last, name)
        elif number in self._listed:
            raise _collision(name, name)
        else:
            self._listed.add(number)

    def _take(self, directory: int, part: str, name: str) -> None:
        _check_part(part, name)
        key = (directory, _folded(part))
        if key in self._taken:
            raise _collision(name, self._taken[key])
        self._taken[key] = part


def _folded(part: str) -> str:
    """Return what is the same for all spellings that a system takes for one: by case, by normalisation, on Windows."""
    part = part.translate(_REPLACED)
    if part.isascii():
        return part.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", part).casefold())


def _check_characters(name: str) -> None:
    if _PLAIN.fullmatch(name.replace("/", "")):
        is_windows_path = False
    else:
        if any(unicodedata.category(character) in _UNSEEN for character in name):
            raise _unsafe(name, "control characters in its name", code="zip-name-control")
        if unicodedata.normalize("NFC", name) != name:
            raise _unsafe(
                name, "a name that some readers change: it is not in Unicode's form NFC", code="zip-name-form"
            )
        if "\\" in name:
            raise _unsafe(name, "a backslash in its name", code="zip-name-backslash")
        is_windows_path = ":" in name
    if name.startswith("/"):
        raise _unsafe(name, "an absolute path", code="zip-name-absolute")
    if is_windows_path:
        raise _unsafe(name, "a drive or stream in its name", code="zip-name-drive")


def _check_part(part: str, name: str) -> None:
    if part in {"", ".", ".."}:
        raise _unsafe(name, "a path that leads elsewhere", code="zip-name-path")
    if part[-1] in ". ":
        raise _unsafe(name, "a name that ends in a dot or blank, which Windows takes away", code="zip-name-end")
    if is_reserved(part):
        raise _unsafe(name, "a name that Windows takes for a device", code="zip-name-reserved")


def _unsafe(name: str, what: str, *, code: str) -> FormatError:
    return FormatError(f"the archive has an entry with {what}: {shown(name.encode('utf-8'))}", code=code)


def _collision(name: str, other: str) -> FormatError:
    return FormatError(
        f"the archive has two entries that are one, or are on some systems: {name} and {other}",
        code="zip-name-collision",
    )
