"""PE files for tests: the real launchers that distlib ships, and small ones built to order."""

from __future__ import annotations

import struct
from importlib.metadata import files
from pathlib import Path

LAUNCHERS = {
    architecture: next(Path(f.locate()) for f in files("distlib") or () if f.name == name)
    for architecture, name in (("x86", "t32.exe"), ("x64", "t64.exe"), ("arm64", "t64-arm.exe"))
}
"""Real executables by their architecture, unsigned."""

_PE_OFFSET = 64


def build_pe(
    *,
    content: bytes = b"\xc3" * 512,
    is_64: bool = True,
    directories: int = 16,
    table: bytes = b"",
    security: tuple[int, int] | None = None,
    section: tuple[int, int] | None = None,
    appended: bytes = b"",
) -> bytes:
    """Build a PE file with one section.

    Args:
        content: of the section, whose data starts at 512.
        is_64: PE32+ instead of PE32.
        directories: how many data directories the headers have.
        table: the certificate table, behind the content.
        security: offset and size in the security directory; `None`: those of `table`.
        section: size and offset of the section's data as its header gives them; `None`: the true ones.
        appended: behind everything.
    """
    base = 112 if is_64 else 96
    optional = bytearray(base + directories * 8)
    struct.pack_into("<H", optional, 0, 0x20B if is_64 else 0x10B)
    struct.pack_into("<I", optional, 60, 512)
    struct.pack_into("<I", optional, base - 4, directories)
    content_end = 512 + len(content)
    if directories > 4:
        where = security or ((content_end, len(table)) if table else (0, 0))
        struct.pack_into("<II", optional, base + 32, *where)
    size, offset = section or (len(content), 512)
    section_header = struct.pack("<8s8xII16x", b".text", size, offset)
    headers = b"".join(
        (
            b"MZ".ljust(60, b"\0") + struct.pack("<I", _PE_OFFSET),
            struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664 if is_64 else 0x14C, 1, 0, 0, 0, len(optional), 0x22),
            bytes(optional),
            section_header,
        )
    )
    return headers.ljust(512, b"\0") + content + table + appended


def certificate_entry(message: bytes, *, length: int | None = None, revision: int = 0x200, kind: int = 2) -> bytes:
    """Build a WIN_CERTIFICATE entry, padded to 8 bytes."""
    entry = struct.pack("<IHH", 8 + len(message) if length is None else length, revision, kind) + message
    return entry + bytes(-len(entry) % 8)


def imagehlp_checksum(data: bytes) -> int:
    """Compute a PE file's checksum the slow and obvious way: 16-bit words, end-around carry, plus the length."""
    field = int.from_bytes(data[60:64], "little") + 24 + 64
    padded = data[:field] + bytes(4) + data[field + 4 :] + bytes(len(data) % 2)
    total = 0
    for (word,) in struct.iter_unpack("<H", padded):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total + len(data)


def stored_checksum(data: bytes) -> int:
    """Read the checksum that stands in a PE file."""
    field = int.from_bytes(data[60:64], "little") + 24 + 64
    return int.from_bytes(data[field : field + 4], "little")
