"""Which format a file has: told by its bytes; by its name only where the bytes say nothing."""

from __future__ import annotations

from typing import BinaryIO, Literal

Kind = Literal["pe", "zip", "cab", "msi", "powershell", "cms"]

SCRIPT_SUFFIXES = (".ps1", ".psm1", ".psd1")
"""Names of PowerShell scripts; the bytes of unsigned ones say nothing."""
SCRIPT_END = "# SIG # End signature block"
"""The last line of a signed PowerShell script."""
CABINET = b"MSCF"
COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
HEADER_SIZE = 512
"""Of a compound file; what is told here needs no more of any file's start."""
SECTOR_SHIFTS = {3: 9, 4: 12}
"""Of a compound file's sector size, by the version."""

# A ZIP starts with a local file header or, where it is empty, with the end of central directory record
# (APPNOTE.TXT 4.3.7 and 4.3.16). Anything in front of it makes it another kind of file: a self-extracting PE, a script.
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_TAIL = 1 << 16  # a signature block is the end of a script
# DER: ContentInfo with id-signedData behind a length of any size (RFC 5652 section 3); PEM (RFC 7468 section 9).
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_PEM_STARTS = (b"-----BEGIN CMS-----", b"-----BEGIN PKCS7-----")
_SEQUENCE = b"\x30"
# Root class identifiers of .msi, .msp and .mst; Office documents are compound files too.
_INSTALLERS = tuple(bytes((n, 0x10, 0x0C, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46)) for n in (0x84, 0x86, 0x82))


def detect(file: BinaryIO, name: str = "", *, is_end_read: bool = True) -> Kind | None:
    """Tell the kind of `file`, from its position 0; `None` for any other kind.

    Args:
        file: seekable.
        name: of the file; tells an unsigned script, and one whose signature block was taken away.
        is_end_read: whether a signature block at the end tells a script with another name.
    """
    file.seek(0)
    start = file.read(HEADER_SIZE)
    if start.startswith(_ZIP_STARTS):
        return "zip"
    if start.startswith(CABINET):
        return "cab"
    if start.startswith(b"MZ"):
        file.seek(int.from_bytes(start[60:64], "little"))
        if file.read(4) == b"PE\0\0":
            return "pe"
    if start.startswith(COMPOUND):
        return "msi" if _root_class_id(file, start) in _INSTALLERS else None
    if (start.startswith(_SEQUENCE) and _SIGNED_DATA in start[:20]) or start.startswith(_PEM_STARTS):
        return "cms"
    is_script = name.lower().endswith(SCRIPT_SUFFIXES) or (is_end_read and _has_block(file))
    return "powershell" if is_script else None


def _root_class_id(file: BinaryIO, header: bytes) -> bytes:
    """Return a compound file's root class identifier, which says what kind of file it is; empty where there is none."""
    shift = int.from_bytes(header[30:32], "little")
    directory = int.from_bytes(header[48:52], "little")
    if shift not in SECTOR_SHIFTS.values():
        return b""
    file.seek((directory + 1 << shift) + 80)
    return file.read(16)


def _has_block(file: BinaryIO) -> bool:
    file.seek(max(0, file.seek(0, 2) - _TAIL))
    tail = file.read()
    return any(SCRIPT_END.encode(encoding) in tail for encoding in ("utf-8", "utf-16-le"))
