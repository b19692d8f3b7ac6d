"""ZIP archives for tests."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.pe import LAUNCHERS

STAMP = (2021, 2, 3, 4, 5, 6)


def build_zip(
    entries: Mapping[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED, comment: bytes = b"a comment"
) -> bytes:
    """Build an archive with these entries, in this order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = comment
        for name, data in entries.items():
            info = zipfile.ZipInfo(name, STAMP)
            info.compress_type = compression
            info.external_attr = 0o755 << 16
            info.comment = f"about {name}".encode()
            archive.writestr(info, data)
    return buffer.getvalue()


def release() -> dict[str, bytes]:
    """Return the entries of a typical archive, with an archive inside."""
    return {
        "README.txt": b"read me\n" * 100,
        "bin/": b"",
        "bin/app.exe": LAUNCHERS["x64"].read_bytes(),
        "bin/name with blanks and ünïcode.dll": LAUNCHERS["x86"].read_bytes(),
        "inner.zip": build_zip({"deep/tool.exe": LAUNCHERS["arm64"].read_bytes(), "data": bytes(1000)}),
        "plain.zip": build_zip({"text": b"nothing to sign"}),
        "app.jar": build_zip({"META-INF/MANIFEST.MF": b"", "native.dll": LAUNCHERS["x86"].read_bytes()}),
        "empty": b"",
    }


SIGNED_MEMBERS = ["bin/app.exe", "bin/name with blanks and ünïcode.dll", "inner.zip/deep/tool.exe", "app.jar"]
"""The files in `release` that are to be signed."""


def contents(path: Path) -> dict[str, bytes]:
    """Read an archive."""
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def hostile() -> dict[str, tuple[bytes, str]]:
    """Return archives that are refused, with words of the reason."""
    good = build_zip({"a.exe": LAUNCHERS["x86"].read_bytes()}, comment=b"")
    encrypted = bytearray(good)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[good.index(signature) + offset] |= 1
    strange = bytearray(good)
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        struct.pack_into("<H", strange, good.index(signature) + offset, 9)
    bomb = bytearray(good)
    struct.pack_into("<I", bomb, good.index(b"PK\x01\x02") + 24, 0xFFFFFFF0)
    twice = bytearray(build_zip({"a.exe": b"1", "b.exe": b"2"}, comment=b""))
    damaged = bytearray(good)
    damaged[2000:2100] = bytes(100)
    nested = good
    for _ in range(5):
        nested = build_zip({"next.zip": nested}, comment=b"")
    directory = bytearray(good)
    struct.pack_into("<I", directory, len(good) - 22 + 12, 1 << 30)
    return {
        "encrypted": (bytes(encrypted), "a.exe is encrypted"),
        "a compression from elsewhere": (bytes(strange), "compressed by method 9, which is not supported"),
        "bomb": (bytes(bomb), "a.exe can't be 4294967280 bytes"),
        "a name twice": (
            bytes(twice).replace(b"b.exe", b"a.exe"),
            "two entries that are one, or are on some systems: a.exe and a.exe",
        ),
        "damaged data": (bytes(damaged), "the archive's entry a.exe "),
        "cut off": (good[:-30], "no end record"),
        "too deep": (nested, "too many archives are inside each other"),
        "a huge directory": (bytes(directory), "the archive's directory does not end where its end record begins"),
        "an empty archive": (build_zip({}), "nothing in it is signed"),
        "nothing to sign": (build_zip({"text": b"text"}), "nothing in it is signed"),
    }
