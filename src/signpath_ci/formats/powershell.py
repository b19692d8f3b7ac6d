"""PowerShell's scripts and configuration files: where their signature is, what it covers, how it is put in.

The signature is a block of comments at the end, the CMS message as Base64 in lines of 64. It covers the text before
it, as UTF-16LE and with its byte order mark, without the line break in front of the block. Source: what Windows' script
subject interface package (pwrshsip.dll) writes, and osslsigncode 2.9 likewise.

Without a byte order mark Windows takes the text for one in the code page of the machine that signs or verifies, and
osslsigncode for UTF-8. So the text has several readings; any that the signature is of will do, as they all are of the
same bytes.

A script is read whole; it takes about three times its size in memory, and time linear in its size.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

from signpath_ci.formats import FormatError, UncoveredError, UnsupportedError
from signpath_ci.formats.authenticode import SCRIPT, Reading, Subject, whole
from signpath_ci.values import dataclass

_MAX_SIZE = 64 << 20
_CHUNK = 1 << 18
_LINE = 64
_BEGIN, _END = "SIG # Begin signature block", "SIG # End signature block"
_MAX_LINE_BREAKS = 2  # behind the block
_LONGEST_MARKER = 256  # bytes, with what makes it another line
_CONTINUATION, _CONTINUATION_MASK = 0x80, 0xC0  # of bytes that continue a character in UTF-8
_UTF_8 = "utf-8"
# Windows' single-byte code pages, Western Europe's first.
_CODE_PAGES = ("cp1252", *(f"cp125{n}" for n in (0, 1, 3, 4, 5, 6, 7, 8)), "cp874")


def _itself(error: UnicodeError) -> tuple[str, int]:
    """Read a byte that has no character in a code page as Windows does: as the control character of that number."""
    if isinstance(error, UnicodeDecodeError):
        return error.object[error.start : error.end].decode("latin-1"), error.end
    raise error


codecs.register_error("signpath_ci.code_page", _itself)


@dataclass(frozen=True)
class _Script:
    """A script; `data` is the text that the signature covers, as it lies in the file, with its byte order mark."""

    data: bytes
    encoding: str
    readings: tuple[Reading, ...]
    message: bytes | None


@dataclass(frozen=True)
class PowerShell:
    """One syntax of comments: what stands before and behind the text in a line of the block."""

    before: str
    behind: str = ""
    SUBJECT_TYPE = SCRIPT

    def read_subject(self, file: BinaryIO) -> Subject:
        """Read a script.

        Raises:
            FormatError: its signature block is damaged, or not at the end.
            UnsupportedError: it is UTF-16 in big-endian order, or huge.
        """
        return _subject(self._read(file))

    def write_signed(
        self, source: BinaryIO, target: BinaryIO, *, algorithm: str, sign: Callable[[bytes], bytes]
    ) -> None:
        """Copy a script with a new signature in the place of any that it has.

        Args:
            source: the script.
            target: an empty file.
            algorithm: a name that `hashlib.new` knows.
            sign: gets the hash, returns the DER-encoded CMS message.

        Raises:
            FormatError: as `read_subject`.
        """
        script = self._read(source)
        encoded = base64.b64encode(sign(_subject(script).digest(algorithm))).decode("ascii")
        lines = [_BEGIN, *(encoded[n : n + _LINE] for n in range(0, len(encoded), _LINE)), _END]
        block = "".join(f"{self.before}{line}{self.behind}\r\n" for line in lines)
        target.write(script.data + f"\r\n{block}".encode(script.encoding))

    def _read(self, file: BinaryIO) -> _Script:
        file.seek(0)
        data = file.read(_MAX_SIZE + 1)
        if len(data) > _MAX_SIZE:
            raise UnsupportedError("it is too big for a script")
        encoding, readings = _encoding(data)
        begin, end = (f"{self.before}{line}{self.behind}" for line in (_BEGIN, _END))
        starts = [f"{self.before}{line[: -len(' block')]}" for line in (_BEGIN, _END)]
        markers = sorted(place for start in starts for place in _lines_with(data, start, encoding))
        found = [_line_at(data, place, encoding) for place in markers]
        if not found:
            return _Script(data, encoding, readings, None)
        if found != [begin, end]:
            raise FormatError("it does not have exactly one signature block")
        width = len("\n".encode(encoding))
        start = markers[0]
        for line_break in ("\n", "\r"):
            if data[max(0, start - width) : start] == line_break.encode(encoding):
                start -= width
        message = self._message(data[markers[0] :], encoding, begin, end)
        return _Script(data[:start], encoding, readings, message)

    def _message(self, block: bytes, encoding: str, begin: str, end: str) -> bytes:
        line = rf"{re.escape(self.before)}[A-Za-z0-9+/=]+{re.escape(self.behind)}\r?\n"
        try:
            text = block.decode(encoding)
        except UnicodeDecodeError as error:
            raise UncoveredError("there is something behind its signature block, which no signature covers") from error
        match = re.compile(rf"{re.escape(begin)}\r?\n((?:{line})+){re.escape(end)}").match(text)
        if match is None:
            raise FormatError("its signature block is damaged")
        if not re.fullmatch(rf"(?:\r?\n){{0,{_MAX_LINE_BREAKS}}}", text[match.end() :]):
            raise UncoveredError("there is something behind its signature block, which no signature covers")
        lines = (found[len(self.before) : len(found) - len(self.behind)] for found in match[1].splitlines())
        try:
            return base64.b64decode("".join(lines), validate=True)
        except binascii.Error as error:
            raise FormatError("its signature block is damaged: that is not Base64") from error


def _subject(script: _Script) -> Subject:
    pieces = partial(_pieces, script.data, script.encoding)
    return Subject(
        type=SCRIPT,
        signatures=() if script.message is None else (script.message,),
        parts=lambda: whole(pieces()),
        readings=script.readings,
    )


def _encoding(data: bytes) -> tuple[str, tuple[Reading, ...]]:
    """Return the encoding of markers in a text, and the ways to read it, of which the first is the usual one."""
    if data.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le", (Reading(),)
    if data.startswith(codecs.BOM_UTF16_BE):
        raise UnsupportedError("its text is UTF-16 in big-endian order, which SignPath does not sign")
    if data.startswith(codecs.BOM_UTF8):
        if not _is_utf_8(data):
            raise UnsupportedError("its text is not UTF-8, though its byte order mark says so")
        return _UTF_8, (_reading(_UTF_8),)
    if not _is_utf_8(data):
        return "latin-1", tuple(_reading(page, has_mark=has_mark) for page in _CODE_PAGES for has_mark in (True, False))
    pages = () if data.isascii() else _CODE_PAGES
    return _UTF_8, tuple(_reading(name, has_mark=has_mark) for name in (_UTF_8, *pages) for has_mark in (False, True))


def _reading(encoding: str, *, has_mark: bool = False) -> Reading:
    """Return a way to read a text; `has_mark`: with a byte order mark that it does not have, as Windows hashes it."""
    return Reading(
        convert=partial(_as_utf_16, encoding=encoding),
        prefix=codecs.BOM_UTF16_LE if has_mark else b"",
        note="" if encoding == _UTF_8 else f"its text is read in code page {encoding[2:]}",
    )


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode(_UTF_8)
    except UnicodeDecodeError:
        return False
    return True


def _as_utf_16(piece: bytes, encoding: str) -> bytes:
    if encoding == _UTF_8:
        return piece.decode(_UTF_8).encode("utf-16-le")
    return piece.decode(encoding, "signpath_ci.code_page").encode("utf-16-le")


def _pieces(data: bytes, encoding: str) -> Iterator[bytes]:
    """Cut a text into pieces of whole characters."""
    start = 0
    while start < len(data):
        end = start + _CHUNK
        if encoding == _UTF_8:
            while end < len(data) and data[end] & _CONTINUATION_MASK == _CONTINUATION:
                end -= 1
        yield data[start:end]
        start = end


def _lines_with(data: bytes, text: str, encoding: str) -> Iterator[int]:
    """Find the lines that begin with a text, in capital letters or not."""
    wanted, line_break = text.lower().encode(encoding), "\n".encode(encoding)
    lower = data.lower()
    mark = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else len(codecs.BOM_UTF16_LE)
    place = lower.find(wanted)
    while place >= 0:
        is_first = not place or (place == mark and data[:1] in {b"\xef", b"\xff"})
        if is_first or (data[place - len(line_break) : place] == line_break and not place % len(line_break)):
            yield place
        place = lower.find(wanted, place + 1)


def _line_at(data: bytes, place: int, encoding: str) -> str:
    return data[place : place + _LONGEST_MARKER].decode(encoding, "replace").partition("\n")[0].rstrip("\r")


SCRIPTS = PowerShell("# ")
XML = PowerShell("<!-- ", " -->")
MOF = PowerShell("/* ", " */")
