"""Which format a file has, told by its bytes and never by its name."""

from __future__ import annotations

from typing import BinaryIO, Literal

Kind = Literal["pe", "zip"]

# A ZIP starts with a local file header or, where it is empty, with the end of central directory record
# (APPNOTE.TXT 4.3.7 and 4.3.16). Anything in front of it makes it another kind of file: a self-extracting PE, a script.
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


def detect(file: BinaryIO) -> Kind | None:
    """Tell the kind of `file`, from its position 0; `None` for any other kind."""
    file.seek(0)
    start = file.read(64)
    if start.startswith(_ZIP_STARTS):
        return "zip"
    if start.startswith(b"MZ"):
        file.seek(int.from_bytes(start[60:64], "little"))
        if file.read(4) == b"PE\0\0":
            return "pe"
    return None
