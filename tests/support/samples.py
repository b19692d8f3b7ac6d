"""Unsigned files of every format that can be signed, built to order."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from signpath_ci.formats.asn1 import explicit, integer, object_identifier, octet_string, sequence, set_of, wrapped
from signpath_ci.formats.authenticode import INDIRECT_DATA, PE_IMAGE, IndirectData, write_indirect_data
from signpath_ci.formats.catalog import TRUST_LIST
from signpath_ci.formats.cms import SIGNED_DATA, Algorithm
from tests.support.archives import build_zip
from tests.support.pe import LAUNCHERS

SCRIPT = "Write-Output 'gr\u00fc\u00dfe'\r\nexit 0\r\n"
INSTALLER_CLASS = bytes.fromhex("84100c0000000000c000000000000046")
_SECTOR = 512
_END, _FREE, _FAT_SECTOR = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def build_cab(files: Mapping[str, bytes], *, folders: int = 1) -> bytes:
    """Build a cabinet with uncompressed files in its first folder ("Microsoft Cabinet Format")."""
    content = b"".join(files.values())
    blocks = [content[n : n + 0x8000] for n in range(0, len(content), 0x8000)]
    entries, offset = b"", 0
    for name, data in files.items():
        entries += struct.pack("<IIHHHH", len(data), offset, 0, 0x5A21, 0x6000, 0x20) + name.encode() + b"\0"
        offset += len(data)
    files_offset = 36 + 8 * folders
    data_offset = files_offset + len(entries)
    data = b"".join(struct.pack("<IHH", 0, len(block), len(block)) + block for block in blocks)
    folder = struct.pack("<IHH", data_offset, len(blocks), 0) + bytes(8 * (folders - 1))
    size = data_offset + len(data)
    header = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, size, 0, files_offset, 0, 3, 1, folders, len(files), 0, 7, 0)
    return header + folder + entries + data


@dataclass
class _Node:
    name: str
    kind: int
    data: bytes = b""
    children: tuple[int, ...] = ()


def build_msi(
    streams: Mapping[str, bytes | Mapping[str, bytes]], *, class_id: bytes = INSTALLER_CLASS, version: int = 3
) -> bytes:
    """Build a compound file; a mapping in the mapping is a storage ([MS-CFB])."""
    sector_size = 512 if version == 3 else 4096
    nodes = [_Node("Root Entry", 5)]

    def add(tree: Mapping[str, bytes | Mapping[str, bytes]], parent: int) -> None:
        children = []
        for name, value in sorted(tree.items(), key=lambda item: (len(item[0]), item[0].upper())):
            nodes.append(_Node(name, 2, value) if isinstance(value, bytes) else _Node(name, 1))
            children.append(len(nodes) - 1)
            if not isinstance(value, bytes):
                add(value, len(nodes) - 1)
        nodes[parent].children = tuple(children)

    add(streams, 0)
    sectors: list[bytes] = []
    fat: list[int] = []

    def store(data: bytes) -> int:
        """Append whole sectors as one chain; return the first."""
        pieces = [data[n : n + sector_size].ljust(sector_size, b"\0") for n in range(0, len(data), sector_size)]
        if not pieces:
            return _END
        first = len(sectors)
        sectors.extend(pieces)
        fat.extend([*range(first + 1, first + len(pieces)), _END])
        return first

    mini, mini_fat = b"", []
    starts = {}
    for number, node in enumerate(nodes):
        if node.kind == 2 and len(node.data) >= 4096:
            starts[number] = store(node.data)
        elif node.kind == 2 and node.data:
            first, count = len(mini) // 64, -(-len(node.data) // 64)
            starts[number] = first
            mini += node.data.ljust(count * 64, b"\0")
            mini_fat += [*range(first + 1, first + count), _END]
    starts[0] = store(mini)
    right = {a: b for node in nodes for a, b in zip(node.children, node.children[1:], strict=False)}
    directory = b""
    for number, node in enumerate(nodes):
        name = node.name.encode("utf-16-le", "surrogatepass") + b"\0\0"
        size = len(mini) if node.kind == 5 else len(node.data)
        directory += struct.pack(
            "<64sHBBIII16s4s8s8sIQ",
            name,
            len(name),
            node.kind,
            1,
            _FREE,
            right.get(number, _FREE),
            node.children[0] if node.children else _FREE,
            class_id if node.kind == 5 else bytes(16),
            b"",
            b"",
            bytes(8) if node.kind == 5 else bytes(range(8)),
            starts.get(number, 0 if node.kind == 1 else _END),
            size,
        )
    directory_start = store(directory)
    mini_fat_start = store(
        struct.pack(f"<{len(mini_fat)}I", *mini_fat).ljust(-(-len(mini_fat) * 4 // sector_size) * sector_size, b"\xff")
    )
    count = 1
    while (len(fat) + count) * 4 > count * sector_size:
        count += 1
    places = list(range(len(fat), len(fat) + count))
    fat += [_FAT_SECTOR] * count
    encoded = struct.pack(f"<{len(fat)}I", *fat).ljust(count * sector_size, b"\xff")
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        bytes.fromhex("d0cf11e0a1b11ae1"),
        0x3E,
        version,
        0xFFFE,
        9 if version == 3 else 12,
        6,
        0 if version == 3 else -(-len(directory) // sector_size),
        count,
        directory_start,
        0,
        4096,
        mini_fat_start,
        -(-len(mini_fat) * 4 // sector_size),
        _END,
        0,
    )
    header += struct.pack("<109I", *places, *([_FREE] * (109 - count)))
    return header.ljust(sector_size, b"\0") + b"".join(sectors) + encoded


def trust_list(files: Mapping[str, bytes], *, stated: Mapping[str, bytes] | None = None) -> bytes:
    """Build the list of a catalog (DER): an entry a file, identified by its SHA-256; `stated` is what it is for."""
    entries = []
    for name, data in files.items():
        digest = hashlib.sha256(data).digest()
        indirect = IndirectData(Algorithm.digest("sha256"), hashlib.sha256((stated or files)[name]).digest(), PE_IMAGE)
        attribute = sequence(object_identifier(INDIRECT_DATA), set_of([write_indirect_data(indirect)]))
        entries.append(sequence(octet_string(digest), set_of([attribute])))
    return sequence(
        sequence(object_identifier("1.3.6.1.4.1.311.12.1.1")),
        octet_string(bytes(16)),
        wrapped(0x17, b"260301120000Z"),
        sequence(object_identifier("1.3.6.1.4.1.311.12.1.3"), b"\5\0"),
        sequence(*entries),
    )


def build_catalog(files: Mapping[str, bytes]) -> bytes:
    """Build a catalog that is not signed: a message without signers."""
    content = sequence(object_identifier(TRUST_LIST), wrapped(explicit(0), trust_list(files)))
    message = sequence(integer(1), set_of([]), content, set_of([]))
    return sequence(object_identifier(SIGNED_DATA), wrapped(explicit(0), message))


def build_jar() -> bytes:
    """Build a JAR with a manifest, whose attributes and long names make lines that must be folded."""
    manifest = "Manifest-Version: 1.0\r\nMain-Class: com.example.App\r\n\r\nName: com/example/\r\nSealed: true\r\n\r\n"
    return build_zip(
        {
            "META-INF/": b"",
            "META-INF/MANIFEST.MF": manifest.encode(),
            "com/example/App.class": b"\xca\xfe\xba\xbe" + bytes(500),
            f"com/example/{'long/' * 20}Ünïcode.txt": b"text",
            "META-INF/services/a.Service": b"com.example.App",
        }
    )


def installer_streams() -> dict[str, bytes | Mapping[str, bytes]]:
    """Return the streams of a typical installer file: small, big and empty ones, and a storage."""
    return {
        "\u4840\u3b3f": b"a table" * 10,
        "\u4840\u3b3fx": b"another",
        "Binary.setup": bytes(range(256)) * 40,
        "exactly": bytes(4096),
        "empty": b"",
        "Storage": {"inner": b"inner stream", "big": b"b" * 5000},
        "\5SummaryInformation": b"summary" * 30,
    }


def unsigned_files() -> dict[str, bytes]:
    """Return an unsigned file of each format, by a name that fits it."""
    return {
        "app.exe": LAUNCHERS["x86"].read_bytes(),
        "script.ps1": SCRIPT.encode(),
        "setup.msi": build_msi(installer_streams()),
        "data.cab": build_cab({"a.txt": b"a" * 70000, "b.txt": b"b"}),
        "app.jar": build_jar(),
        "script.vbs": b'WScript.Echo "one"\r\n',
        "script.js": b'WScript.Echo("one");\r\n',
        "script.wsf": b'<job><script language="JScript">WScript.Echo("one");</script></job>\r\n',
        "driver.cat": build_catalog({"one.sys": b"one", "two.dll": b"two"}),
    }
