"""PowerShell scripts: where their signature is, what it covers, how it is put in.

The signature is a block of comments at the end, the CMS message as Base64 in lines of 64. It covers the text before
it, as UTF-16LE and with its byte order mark, without the line break in front of the block. Source: what Windows' script
subject interface package writes, and osslsigncode 2.9 likewise.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.authenticode import SCRIPT, Subject, whole
from signpath_ci.formats.registry import SCRIPT_END

SUBJECT_TYPE = SCRIPT
BEGIN = "# SIG # Begin signature block"
_MARKER = re.compile(r"^# SIG # (?:Begin|End) signature block.*$", re.IGNORECASE | re.MULTILINE)
_BLOCK = re.compile(rf"(?:\A|\r?\n){BEGIN}\r?\n((?:# [A-Za-z0-9+/=]+\r?\n)+){SCRIPT_END}(?:\r?\n)*\Z")
_MAX_SIZE = 64 << 20  # of a script; hashing one takes about four times that in memory
_LINE = 64


@dataclass(frozen=True)
class _Script:
    text: str
    encoding: str
    message: bytes | None


def read_subject(file: BinaryIO) -> Subject:
    """Read a script.

    Raises:
        FormatError: its signature block is damaged, or not at the end.
        UnsupportedError: it is no UTF-8 and no UTF-16LE, or huge.
    """
    return _subject(_read(file))


def _subject(script: _Script) -> Subject:
    return Subject(
        type=SUBJECT_TYPE,
        signatures=() if script.message is None else (script.message,),
        parts=lambda: whole(iter([script.text.encode("utf-16-le")])),
    )


def write_signed(source: BinaryIO, target: BinaryIO, *, algorithm: str, sign: Callable[[bytes], bytes]) -> None:
    """Copy a script with a new signature in the place of any that it has.

    Args:
        source: the script.
        target: an empty file.
        algorithm: a name that `hashlib.new` knows.
        sign: gets the hash, returns the DER-encoded CMS message.

    Raises:
        FormatError: as `read_subject`.
    """
    script = _read(source)
    message = sign(_subject(script).digest(algorithm))
    encoded = base64.b64encode(message).decode("ascii")
    lines = [BEGIN, *(f"# {encoded[n : n + _LINE]}" for n in range(0, len(encoded), _LINE)), SCRIPT_END, ""]
    target.write((script.text + "\r\n" + "\r\n".join(lines)).encode(script.encoding))


def _read(file: BinaryIO) -> _Script:
    file.seek(0)
    data = file.read(_MAX_SIZE + 1)
    if len(data) > _MAX_SIZE:
        raise UnsupportedError("it is too big for a script")
    encoding = "utf-16-le" if data.startswith(codecs.BOM_UTF16_LE) else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnsupportedError("its text is neither UTF-8 nor UTF-16 with a byte order mark") from error
    markers = [match.group().rstrip("\r") for match in _MARKER.finditer(text)]
    if not markers:
        return _Script(text, encoding, None)
    if markers != [BEGIN, SCRIPT_END]:
        raise FormatError("it does not have exactly one signature block")
    block = _BLOCK.search(text, max(0, text.index(BEGIN) - 2))
    if block is None:
        raise FormatError("its signature block is damaged, or there is something behind it, which no signature covers")
    try:
        message = base64.b64decode("".join(line[2:] for line in block[1].splitlines()), validate=True)
    except binascii.Error as error:
        raise FormatError("its signature block is damaged: that is no Base64") from error
    return _Script(text[: block.start()], encoding, message)
