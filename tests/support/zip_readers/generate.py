"""Archives that are nearly right: generated field by field, and mutated; the same seed gives the same ones."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tests.support.raw_zip import (
    LARGE,
    Ending,
    RawEntry,
    build,
    deflate,
    descriptor,
    extra,
    streamed,
    unicode_path,
    zip64,
)

NAMES = [
    *(
        b"a.txt",
        b"b.txt",
        b"A.TXT",
        b"dir/",
        b"dir/a",
        b"dir/b",
        b"dir",
        b"d/e/f/g",
        b"META-INF/MANIFEST.MF",
        b"META-INF/",
    ),
    *("ü.txt".encode(), "u\u0308.txt".encode(), "日本/語.txt".encode(), b"\x81.txt", "e\u0301".encode(), "😀".encode()),
    *(
        b"a\0b",
        b"../a",
        b"/a",
        b"a\\b",
        b"C:a",
        b"a:b",
        b"./a",
        b"a//b",
        b"a/./b",
        b"nul",
        b"a.",
        b"a ",
        b" a",
        b"-a",
        b"@a",
    ),
    *(
        b"a;1",
        b"[a]",
        b"a*b",
        b"a?b",
        b"~a",
        b"__MACOSX/._a.txt",
        b"a\tb",
        b"%41",
        b"a'b",
        b'a"b',
        b"$a",
        b"#a",
        b"^a",
        b"a|b",
    ),
    *(b"x" * 200, b"__proto__", b"constructor", b"1", b"0", b".", b"..", b"", b"\xff\xfe", b".hidden", b"toString"),
]
_HOSTS = [0, 0, 3, 3, 3, 3, 6, 7, 10, 11, 14, 19, 30, 255]
_ATTRIBUTES = [
    *(0, 0x20, 0x10, 0x8, 0x1, 0x80, 0x400, 0o100644 << 16, 0o100755 << 16, 0o40755 << 16, 0o40755 << 16 | 0x10),
    *(
        0o120777 << 16,
        0xFFFF0010,
        0o644 << 16,
        0o100644 << 16 | 0x8020,
        0o104755 << 16,
        0o10644 << 16,
        1 << 31,
        0xFFFFFFFF,
    ),
]
# Of the fields of records: signature, offset, width.
_FIELDS = [
    *((b"PK\3\4", offset, 2) for offset in (4, 6, 8, 10, 12, 26, 28)),
    *((b"PK\3\4", offset, 4) for offset in (14, 18, 22)),
    *((b"PK\1\2", offset, 2) for offset in (4, 6, 8, 10, 12, 14, 28, 30, 32, 34, 36)),
    *((b"PK\1\2", offset, 4) for offset in (16, 20, 24, 38, 42)),
    *((b"PK\5\6", offset, 2) for offset in (4, 6, 8, 10, 20)),
    *((b"PK\5\6", offset, 4) for offset in (12, 16)),
    *((b"PK\6\6", offset, 4) for offset in (4, 12, 16, 20, 24, 32, 40, 48)),
    *((b"PK\6\7", offset, 4) for offset in (4, 8, 16)),
    *((b"PK\7\x08", offset, 4) for offset in (0, 4, 8, 12, 16, 20)),
]


class Generator:
    """Makes archives.

    Args:
        seed: of all that is chosen.
        corpus: archives that mutation starts from, besides those that are generated.
    """

    def __init__(self, seed: int, corpus: Sequence[bytes] = ()) -> None:
        self._random = random.Random(seed)
        self._corpus = list(corpus)

    def archives(self) -> Iterator[bytes]:
        """Give archives without end."""
        while True:
            data = self._archive()
            yield data
            for _ in range(3):
                yield self._mutated(self._random.choice([data, *self._corpus][: 1 + len(self._corpus)]))

    def _archive(self) -> bytes:
        pick = self._random
        names = pick.sample(NAMES, pick.choice([0, 1, 1, 2, 2, 3]))
        entries = [self._entry(name) for name in names]
        ending = Ending()
        if pick.random() < 0.3:
            ending = replace(ending, is_large=True)
        if pick.random() < 0.2:
            ending = replace(ending, comment=pick.choice([b"text", b"x" * 20_000, b"PK", b"PK\5\6", b"\n"]))
        return build(*entries, ending=ending)

    def _entry(self, name: bytes) -> RawEntry:
        pick = self._random
        content = b"" if name.endswith(b"/") else self._content()
        entry = RawEntry(
            name=name, content=content, method=pick.choice([0, 8]), host=pick.choice(_HOSTS),
            attributes=pick.choice(_ATTRIBUTES) if pick.random() < 0.5 else 0,
            flags=(0 if name.isascii() and pick.random() < 0.8 else 0x800) | pick.choice([0, 0, 0, 2, 4, 6, 1, 0x1000]),
            comment=pick.choice([b"", b"", b"", b"comment", b"PK\1\2"]),
        )  # fmt: skip
        packed = len(deflate(content)) if entry.method else len(content)
        small: dict[str, Any] = {"size": len(content), "packed": packed, "extra": b""}
        form = pick.random()
        if form < 0.35:
            entry = streamed(entry, pick.choice(["<III", "<4sIII", "<4sIII", "<IQQ", "<4sIQQ"]))
        elif form < 0.45:
            entry = replace(entry, descriptor=descriptor(entry))
        elif form < 0.55:
            entry = replace(entry, local={"size": LARGE, "packed": LARGE, "extra": zip64(len(content), packed)})
        elif form < 0.65:
            entry = replace(entry, size=LARGE, packed=LARGE, extra=zip64(len(content), packed), local=small)
        elif form < 0.7:
            entry = replace(entry, size=LARGE, extra=zip64(len(content)), local=small)
        more = pick.choice([b"", b"", b"", *self._extras(name, content, packed)])
        if pick.random() < 0.5:
            entry = replace(entry, extra=entry.extra + more)
        if pick.random() < 0.3:
            entry = replace(entry, local={**entry.local, "extra": entry.local.get("extra", b"") + more})
        return entry

    def _extras(self, name: bytes, content: bytes, packed: int) -> list[bytes]:
        other = self._random.choice(NAMES)
        return [
            extra(0x5455, b"\1time"), extra(0xCAFE, b""), extra(0x7875, b"\1\4\0\0\0\0\4\0\0\0\0"), bytes(3), b"odd",
            extra(0x000A, bytes(32)), extra(0x000D, bytes(12)), extra(0x000D, bytes(12) + other),
            extra(0x9901, bytes(7)),
            extra(0x756E, bytes(4) + struct.pack("<HIHH", 0o120777, len(other), 0, 0) + other),
            extra(0x756E, bytes(4) + struct.pack("<HIHH", 0o100644, 0, 0, 0)),
            unicode_path(name, name.decode("utf-8", "replace")), unicode_path(name, "x"), unicode_path(b"x", "x"),
            zip64(len(content), packed), zip64(len(content)), zip64(1, 2, 3), zip64(),
            extra(0x6375, b"\1\0\0\0\0text"),
            extra(0x6C78, struct.pack("<BHI", 7, 788, 0o120777 << 16)), extra(0x0017, bytes(8)),
            extra(0x7855, bytes(4)),
            extra(0x334D, bytes(20)), extra(0x2605, b"ZPIT" + bytes(10)), extra(0xA220, bytes(8)),
            extra(0xD935, bytes(4)),
            extra(0x0008, b"\1"), extra(0x5356, bytes(8)), extra(0x4453, bytes(12)), extra(0x0009, bytes(8)),
        ]  # fmt: skip

    def _content(self) -> bytes:
        pick = self._random
        inner = RawEntry(name=b"a.txt", content=b"inner", method=pick.choice([0, 8]))
        start = b"start"
        choices = [
            b"", b"content", b"x" * 5000, b"PK\7\x08", b"PK\3\4", b"PK\5\6" + bytes(18), build(inner),
            build(streamed(inner)),
            build(inner) + b"behind", start + descriptor(RawEntry(name=b"", content=start, method=0)) + b"PK\3\4rest",
            b"PK\6\7" + bytes(16), b"APK Sig Block 42", b"PK\7\x08" + bytes(20), bytes(40), b"\x50\x4b\x07\x08" * 8,
        ]  # fmt: skip
        return pick.choice(choices)

    def _mutated(self, data: bytes) -> bytes:
        pick = self._random
        changed = bytearray(data)
        for _ in range(pick.choice([1, 1, 1, 2, 3])):
            way = pick.random()
            if way < 0.6:
                self._change_field(changed)
            elif way < 0.8 and changed:
                changed[pick.randrange(len(changed))] ^= 1 << pick.randrange(8)
            elif way < 0.9:
                start = pick.randrange(len(changed) + 1)
                changed[start:start] = pick.choice([b"\0", b"x", b"PK\3\4", bytes(changed[: pick.randrange(60)])])
            else:
                start = pick.randrange(len(changed) + 1)
                del changed[start : start + pick.choice([1, 4, 30])]
        return bytes(changed)

    def _change_field(self, data: bytearray) -> None:
        pick = self._random
        signature, offset, width = pick.choice(_FIELDS)
        places = [place for place in range(len(data)) if data.startswith(signature, place)]
        if not places:
            return
        place = pick.choice(places) + offset
        old = int.from_bytes(data[place : place + width], "little")
        limit = (1 << 8 * width) - 1
        new = pick.choice(
            [0, 1, limit, old + 1, old - 1, old ^ 1 << pick.randrange(8 * width), pick.randrange(limit), 8]
        )
        if place + width <= len(data):
            data[place : place + width] = (new & limit).to_bytes(width, "little")
