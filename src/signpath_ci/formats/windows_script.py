"""Scripts of the Windows Script Host (.vbs, .js, .wsf): where their signature is, what it covers, how it is put in.

The signature is a block of comments at the end, in a .wsf file the element `signature` in front of the last end tag of
a job: the CMS message as Base64 in lines of 64. It covers the text without the block and without a byte order mark, as
UTF-16LE, and then the position of the block in the text, in UTF-16 code units, as a 32-bit number. Source: what
Windows' script subject interface package (wshext.dll) writes, and jsign 7 likewise.

A script is read whole; hashing one takes about four times its size in memory, and time linear in its size.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.authenticode import Part, Subject, SubjectType, sip_info, whole
from signpath_ci.values import dataclass

_MAX_SIZE = 64 << 20
_LINE = 64
_CHUNK = 1 << 18
_JOB_END = "</job>"
# What Windows takes for the encoding of scripts without a byte order mark, in its Western versions; five bytes have no
# character in it, and stand for themselves.
_ANSI, _ERRORS = "cp1252", "signpath_ci.itself"


def _itself(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeDecodeError):
        return error.object[error.start : error.end].decode("latin-1"), error.end
    if isinstance(error, UnicodeEncodeError):
        return error.object[error.start : error.end].encode("latin-1"), error.end
    raise error


codecs.register_error(_ERRORS, _itself)


@dataclass(frozen=True)
class _Text:
    before: str
    after: str
    mark: bytes
    encoding: str
    message: bytes | None

    def content(self) -> bytes:
        return (self.before + self.after).encode("utf-16-le", "surrogatepass")

    def place(self) -> bytes:
        return (len(self.before.encode("utf-16-le", "surrogatepass")) // 2).to_bytes(4, "little")


@dataclass(frozen=True)
class WindowsScript:
    """One language: how its signature block looks.

    Attributes:
        SUBJECT_TYPE: what a signature must say that it is for.
        begin: the first line of the block.
        line: what the lines between start with.
        end: the last line.
        is_element: the block stands in front of the last end tag of a job, not at the end; and the text may be UTF-8.
    """

    SUBJECT_TYPE: SubjectType
    begin: str
    line: str
    end: str
    is_element: bool = False

    def read_subject(self, file: BinaryIO) -> Subject:
        """Read a script.

        Raises:
            FormatError: its signature block is damaged, or not where it must be.
            UnsupportedError: its encoding is not supported, or it is too big.
        """
        text = self._read(file) if self._has_marker(file) else None

        def parts() -> Iterator[Part]:
            script = text or self._read(file)
            return whole(iter([script.content(), script.place()]))

        # One that is not signed is not decoded: it may have any encoding and size.
        return Subject(
            type=self.SUBJECT_TYPE,
            signatures=(text.message,) if text and text.message is not None else (),
            parts=parts,
            form=_mark(file),
        )

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
        text = self._read(source)
        encoded = base64.b64encode(sign(self.read_subject(source).digest(algorithm))).decode("ascii")
        lines = [f"{self.line}{encoded[n : n + _LINE]}" for n in range(0, len(encoded), _LINE)]
        block = "\r\n".join(["", self.begin, *lines, self.end, ""])
        target.write(text.mark + f"{text.before}{block}{text.after}".encode(text.encoding, _ERRORS))

    def _has_marker(self, file: BinaryIO) -> bool:
        markers = [self.begin.lower().encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be")]
        file.seek(0)
        kept = b""
        while chunk := file.read(_CHUNK):
            kept = kept[-_CHUNK:] + chunk.lower()
            if any(marker in kept for marker in markers):
                return True
        return False

    def _read(self, file: BinaryIO) -> _Text:
        file.seek(0)
        data = file.read(_MAX_SIZE + 1)
        if len(data) > _MAX_SIZE:
            raise UnsupportedError("it is too big for a script")
        mark, encoding = self._encoding(data)
        try:
            text = data[len(mark) :].decode(encoding, _ERRORS if encoding == _ANSI else "strict")
        except UnicodeDecodeError as error:
            raise UnsupportedError(f"its text is not {encoding.upper()}") from error
        markers = re.findall(rf"^(?:{re.escape(self.begin)}|{re.escape(self.end)})", text, re.IGNORECASE | re.MULTILINE)
        if not markers:
            place = text.rfind(_JOB_END) if self.is_element else len(text)
            if place < 0:
                raise UnsupportedError("it has no job, so there is no place for a signature")
            return _Text(text[:place], text[place:], mark, encoding, None)
        if markers != [self.begin, self.end]:
            raise FormatError("it does not have exactly one signature block")
        line = re.escape(self.line)
        block = re.compile(
            rf"\r\n{re.escape(self.begin)}\r\n((?:{line}[A-Za-z0-9+/=]+\r\n)+){re.escape(self.end)}\r\n"
        ).search(text, max(0, text.index(self.begin) - 2))
        if block is None:
            raise FormatError("its signature block is damaged")
        before, after = text[: block.start()], text[block.end() :]
        if after.rfind(_JOB_END) != 0 if self.is_element else after:
            raise FormatError("its signature block is not where it must be, or there is something behind it")
        try:
            lines = (found[len(self.line) :] for found in block[1].splitlines())
            message = base64.b64decode("".join(lines), validate=True)
        except binascii.Error as error:
            raise FormatError("its signature block is damaged: that is not Base64") from error
        return _Text(before, after, mark, encoding, message)

    def _encoding(self, data: bytes) -> tuple[bytes, str]:
        for mark, encoding in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le")):
            if data.startswith(mark):
                return mark, encoding
        if data.startswith(codecs.BOM_UTF16_BE):
            raise UnsupportedError("its text is UTF-16 in big-endian order, which SignPath does not sign")
        if self.is_element and _is_utf_8(data):
            return b"", "utf-8"
        return b"", _ANSI


def _mark(file: BinaryIO) -> bytes:
    """Return a script's byte order mark, which is not hashed, though it says what the bytes behind it mean."""
    file.seek(0)
    start = file.read(len(codecs.BOM_UTF8))
    return next(
        (mark for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) if start.startswith(mark)), b""
    )


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


VBSCRIPT = WindowsScript(
    sip_info(1, bytes.fromhex("4ef029169927b54d8fe5ace10f17ebab")),
    "'' SIG '' Begin signature block",
    "'' SIG '' ",
    "'' SIG '' End signature block",
)
JSCRIPT = WindowsScript(
    sip_info(1, bytes.fromhex("10e0c906ce38d411a2a300104bd35090")),
    "// SIG // Begin signature block",
    "// SIG // ",
    "// SIG // End signature block",
)
WSF = WindowsScript(
    sip_info(1, bytes.fromhex("7005611ace38d411a2a300104bd35090")),
    "<signature>",
    "** SIG ** ",
    "</signature>",
    is_element=True,
)
