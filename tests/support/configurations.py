"""Artifact configurations for tests, and the files that they are for."""

from __future__ import annotations

import io
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from signpath_ci.artifact_configuration.document import Configuration, DocumentError, read_document
from signpath_ci.artifact_configuration.markup import Problem
from signpath_ci.artifact_configuration.plan import Plan
from signpath_ci.artifact_configuration.resolve import make_plan
from tests.support.needs import needs
from tests.support.pe import build_pe

SIGN = "<authenticode-sign/>"
needs_msitools = needs("msibuild", "gcab")


def document(content: str) -> str:
    """Return a document with this content of its root."""
    return f'<artifact-configuration xmlns="http://signpath.io/artifact-configuration/v1">{content}</artifact-configuration>'


def configuration(content: str) -> Configuration:
    """Return the configuration with this content."""
    return read_document(document(content).encode())


def problems(text: str | bytes) -> tuple[Problem, ...]:
    """Return what is wrong with a document."""
    with pytest.raises(DocumentError) as raised:
        read_document(text.encode() if isinstance(text, str) else text)
    return raised.value.problems


def codes(text: str) -> list[str]:
    """Return the codes of what is wrong with a document of this content."""
    return [problem.rule for problem in problems(document(text))]


def plan(content: str, data: bytes, *, name: str = "artifact.zip", **values: str) -> Plan:
    """Resolve a configuration of this content against a file."""
    return make_plan(configuration(content), io.BytesIO(data), name=name, values=values)


def treated(plan: Plan) -> dict[str, list[str]]:
    """Return the directives of each file that something names, by its path; the artifact has the name `.`."""
    return {
        "/".join(path) or ".": [directive.name for treatment in file.treatments for directive in treatment.directives]
        for path, file in plan.walk()
        if file.treatments
    }


def failures(plan: Plan) -> list[tuple[str, str]]:
    """Return code and file of each problem."""
    return [(problem.rule, problem.file) for problem in plan.problems]


def warnings(plan: Plan) -> set[str]:
    """Return the codes of the warnings."""
    return {warning.rule for warning in plan.warnings}


def versioned_pe(**strings: str) -> bytes:
    """Return a PE file with these strings in its version resource, such as `ProductName`."""

    def block(key: str, value: bytes, *, length: int, kind: int, children: bytes = b"") -> bytes:
        head = key.encode("utf-16-le") + b"\0\0"
        body = _padded(6, head) + value
        body = _padded(6, body) + children if children else body
        return struct.pack("<HHH", 6 + len(body), length, kind) + body

    entries = b""
    for key, text in strings.items():
        value = text.encode("utf-16-le") + b"\0\0"
        entries = _padded(0, entries) + block(key, value, length=len(value) // 2, kind=1)
    table = block("040904b0", b"", length=0, kind=1, children=entries)
    info = block("StringFileInfo", b"", length=0, kind=1, children=table)
    resource = block("VS_VERSION_INFO", bytes(52), length=52, kind=0, children=info)
    address = 0x1000

    def directory(identifier: int, target: int) -> bytes:
        return struct.pack("<12xHHII", 0, 1, identifier, target)

    content = directory(16, 0x80000018) + directory(1, 0x80000030) + directory(1033, 0x48)
    content += struct.pack("<IIII", address + 0x58, len(resource), 0, 0) + resource
    content = content.ljust(-(-len(content) // 512) * 512, b"\0")
    image = bytearray(build_pe(content=content))
    optional = 64 + 24
    struct.pack_into("<II", image, optional + 112 + 2 * 8, address, len(content))
    section = optional + 112 + 16 * 8
    struct.pack_into("<IIII", image, section + 8, len(content), address, len(content), 512)
    return bytes(image)


def _padded(offset: int, data: bytes) -> bytes:
    return data + bytes(-(offset + len(data)) % 4)


_TABLES = (
    "CREATE TABLE `Directory` (`Directory` CHAR(72) NOT NULL, `Directory_Parent` CHAR(72), "
    "`DefaultDir` CHAR(255) NOT NULL LOCALIZABLE PRIMARY KEY `Directory`)",
    "CREATE TABLE `Component` (`Component` CHAR(72) NOT NULL, `ComponentId` CHAR(38), `Directory_` CHAR(72) NOT NULL, "
    "`Attributes` SHORT NOT NULL, `Condition` CHAR(255), `KeyPath` CHAR(72) PRIMARY KEY `Component`)",
    "CREATE TABLE `File` (`File` CHAR(72) NOT NULL, `Component_` CHAR(72) NOT NULL, `FileName` CHAR(255) NOT NULL "
    "LOCALIZABLE, `FileSize` LONG NOT NULL, `Version` CHAR(72), `Language` CHAR(20), `Attributes` SHORT, "
    "`Sequence` LONG NOT NULL PRIMARY KEY `File`)",
    "CREATE TABLE `Media` (`DiskId` SHORT NOT NULL, `LastSequence` LONG NOT NULL, `DiskPrompt` CHAR(64), "
    "`Cabinet` CHAR(255), `VolumeLabel` CHAR(32), `Source` CHAR(72) PRIMARY KEY `DiskId`)",
    "INSERT INTO `Directory` (`Directory`, `Directory_Parent`, `DefaultDir`) VALUES ('TARGETDIR', '', 'SourceDir')",
)


def build_msi(
    directory: Path,
    files: Mapping[str, bytes],
    *,
    subject: str = "A product",
    author: str = "An author",
    cabinet: str = "#data.cab",
) -> bytes:
    """Build an installer file with msitools and gcab.

    Args:
        directory: an empty one to work in.
        files: by their paths in an administrative installation.
        subject: of the summary information.
        author: likewise.
        cabinet: as the Media table names it.
    """
    queries = list(_TABLES)
    names: dict[str, str] = {"": "TARGETDIR"}
    keys = []
    for number, (path, data) in enumerate(files.items(), 1):
        parent = ""
        for part in path.split("/")[:-1]:
            inner = f"{parent}/{part}".lstrip("/")
            if inner not in names:
                names[inner] = f"D{len(names)}"
                queries.append(
                    "INSERT INTO `Directory` (`Directory`, `Directory_Parent`, `DefaultDir`) VALUES "
                    f"('{names[inner]}', '{names[parent]}', 'SHORT{len(names)}|{part}')"
                )
            parent = inner
        key = f"file{number}"
        queries += [
            "INSERT INTO `Component` (`Component`, `ComponentId`, `Directory_`, `Attributes`) VALUES "
            f"('C{number}', '{{00000000-0000-0000-0000-{number:012}}}', '{names[parent]}', 0)",
            "INSERT INTO `File` (`File`, `Component_`, `FileName`, `FileSize`, `Attributes`, `Sequence`) VALUES "
            f"('{key}', 'C{number}', 'F{number}|{path.rpartition('/')[2]}', {len(data)}, 512, {number})",
        ]
        (directory / key).write_bytes(data)
        keys.append(key)
    queries.append(f"INSERT INTO `Media` (`DiskId`, `LastSequence`, `Cabinet`) VALUES (1, {len(files)}, '{cabinet}')")
    _run(directory, "gcab", "-czn", "data.cab", *keys)
    _run(directory, "msibuild", "made.msi", "-s", subject, author, "x64;1033", "{00000000-0000-0000-0000-00000000ABCD}")
    for query in queries:
        _run(directory, "msibuild", "made.msi", "-q", query)
    if cabinet.startswith("#"):
        _run(directory, "msibuild", "made.msi", "-a", cabinet[1:], "data.cab")
    return (directory / "made.msi").read_bytes()


def build_cab(directory: Path, files: Mapping[str, bytes], *, is_compressed: bool = True) -> bytes:
    """Build a cabinet with gcab."""
    for path, data in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(data)
    _run(directory, "gcab", "-c", *(["-z"] if is_compressed else []), "made.cab", *files)
    return (directory / "made.cab").read_bytes()


def _run(directory: Path, *command: str) -> None:
    subprocess.run(command, cwd=directory, check=True, capture_output=True)
