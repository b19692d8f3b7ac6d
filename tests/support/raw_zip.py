"""ZIP archives written field by field, so that each can be wrong."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field, replace
from typing import Any

STORED, DEFLATED = 0, 8
LARGE = 0xFFFFFFFF


def deflate(data: bytes) -> bytes:
    """Compress as a ZIP archive has it."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def extra(identifier: int, data: bytes) -> bytes:
    """Return one extra field."""
    return struct.pack("<HH", identifier, len(data)) + data


def zip64(*values: int) -> bytes:
    """Return a ZIP64 field."""
    return extra(1, b"".join(value.to_bytes(8, "little") for value in values))


def unicode_path(header_name: bytes, name: str) -> bytes:
    """Return a Unicode Path field."""
    return extra(0x7075, b"\x01" + zlib.crc32(header_name).to_bytes(4, "little") + name.encode())


@dataclass(frozen=True, kw_only=True)
class RawEntry:
    """An entry. What is `None` is as it should be; `local` replaces fields in the local header only.

    Attributes:
        descriptor: behind the data; flag 8 is set where there is one.
        before: bytes in front of the local header.
        listed: whether the directory has it.
    """

    name: bytes
    content: bytes = b"content"
    method: int = DEFLATED
    data: bytes | None = None
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    packed: int | None = None
    extra: bytes = b""
    comment: bytes = b""
    host: int = 3
    attributes: int = 0o100644 << 16
    disk: int = 0
    offset: int | None = None
    descriptor: bytes | None = None
    before: bytes = b""
    listed: bool = True
    local: dict[str, Any] = field(default_factory=dict)

    def resolved(self) -> RawEntry:
        """Return it with all fields."""
        if self.data is not None:
            data = self.data
        else:
            data = deflate(self.content) if self.method == DEFLATED else self.content
        return replace(
            self,
            data=data,
            flags=self.flags | (8 if self.descriptor is not None else 0),
            crc=zlib.crc32(self.content) if self.crc is None else self.crc,
            size=len(self.content) if self.size is None else self.size,
            packed=len(data) if self.packed is None else self.packed,
        )


def descriptor(entry: RawEntry, form: str = "<4sIII") -> bytes:
    """Return the data descriptor of an entry; other forms are `<III`, `<4sIQQ` and `<IQQ`."""
    full = entry.resolved()
    values = (full.crc, full.packed, full.size)
    return struct.pack(form, *((b"PK\x07\x08",) if "s" in form else ()), *values)


def streamed(entry: RawEntry, form: str = "<4sIII") -> RawEntry:
    """Return an entry whose sizes stand behind it only."""
    return replace(entry, descriptor=descriptor(entry, form), local={"crc": 0, "packed": 0, "size": 0, **entry.local})


def _local(entry: RawEntry) -> bytes:
    e = replace(entry, **entry.local)
    return (
        struct.pack(
            "<4s5H3I2H", b"PK\3\4", 20, e.flags, e.method, 0, 33, e.crc, e.packed, e.size, len(e.name), len(e.extra)
        )
        + e.name
        + e.extra
    )


def _central(e: RawEntry, offset: int) -> bytes:
    return (
        struct.pack(
            "<4s6H3I5H2I",
            *(b"PK\1\2", 20 | e.host << 8, 20, e.flags, e.method, 0, 33, e.crc, e.packed, e.size),
            *(
                len(e.name),
                len(e.extra),
                len(e.comment),
                e.disk,
                0,
                e.attributes,
                offset if e.offset is None else e.offset,
            ),
        )
        + e.name
        + e.extra
        + e.comment
    )


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The records at the end; `None` is what is true.

    Attributes:
        is_large: with ZIP64 records, and placeholders in the end record.
        large: fields that are different in the ZIP64 record.
        locator: where the locator leads to.
        gap: bytes in front of the end records.
        middle: bytes between the ZIP64 record and its locator.
        end: bytes behind the locator.
    """

    disk: int = 0
    directory_disk: int = 0
    count_here: int | None = None
    count: int | None = None
    size: int | None = None
    offset: int | None = None
    comment: bytes = b""
    comment_size: int | None = None
    behind: bytes = b""
    is_large: bool = False
    large: dict[str, int] = field(default_factory=dict)
    large_size: int = 44
    locator: int | None = None
    disks: int = 1
    gap: bytes = b""
    middle: bytes = b""


def build(*entries: RawEntry, ending: Ending | None = None, before_directory: bytes = b"") -> bytes:
    """Write an archive."""
    body, records, count = bytearray(), bytearray(), 0
    for given in entries:
        entry = given.resolved()
        body += entry.before
        offset = len(body)
        body += _local(entry) + (entry.data or b"") + (entry.descriptor or b"")
        if entry.listed:
            records += _central(entry, offset)
            count += 1
    body += before_directory
    e = ending or Ending()
    true = {
        "disk": 0,
        "directory_disk": 0,
        "count_here": count,
        "count": count,
        "size": len(records),
        "offset": len(body),
    }
    tail = e.gap
    if e.is_large:
        values = {**true, **e.large}
        place = len(body) + len(records) + len(e.gap)
        tail += struct.pack("<4sQ2H2L4Q", b"PK\6\6", e.large_size, 45, 45, *values.values()) + e.middle
        tail += struct.pack("<4sLQL", b"PK\6\7", 0, place if e.locator is None else e.locator, e.disks)
    small = []
    for (name, value), placeholder in zip(true.items(), (0, 0, 0xFFFF, 0xFFFF, LARGE, LARGE), strict=True):
        stated = getattr(e, name)
        small.append(
            stated
            if stated not in {None, 0} or (stated == 0 and name == "count")
            else placeholder
            if e.is_large
            else value
        )
    comment_size = len(e.comment) if e.comment_size is None else e.comment_size
    tail += struct.pack("<4s4H2LH", b"PK\5\6", *small, comment_size) + e.comment + e.behind
    return bytes(body + records) + tail
