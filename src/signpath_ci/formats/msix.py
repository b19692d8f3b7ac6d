"""MSIX and APPX packages, and bundles of them: what their signature covers, and how one is put in.

The entry `AppxSignature.p7x` is `PKCX` and an Authenticode message. In the place of one hash it has five: of the
archive's data (AXPC) and directory (AXCD) without that entry, of `[Content_Types].xml` (AXCT), of the block map (AXBM),
and of the catalog for code integrity (AXCI), where there is one. Sources: Microsoft's msix-packaging, osslsigncode 2.9
and jsign, which agree.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.authenticode import Reading, Subject, SubjectType, sip_info
from signpath_ci.formats.block_map import NAME as BLOCK_MAP
from signpath_ci.formats.block_map import BlockMap, read_block_map
from signpath_ci.formats.content_types import NAME as CONTENT_TYPES
from signpath_ci.formats.content_types import read_content_types
from signpath_ci.formats.package import Package
from signpath_ci.formats.xml_elements import MAX_SIZE, read_elements
from signpath_ci.formats.zip import STORED, Archive, Entry
from signpath_ci.values import dataclass

SIGNATURE = "AppxSignature.p7x"
PACKAGE = sip_info(0x01010000, bytes.fromhex("4bdfc50a07cee24db76e23c839a09fd1"))
BUNDLE = sip_info(0x01010000, bytes.fromhex("b3585f0fdeaa9a4ba43495742d92eceb"))
_HEADER = b"PKCX"
_CHUNK = 1 << 18
_MANIFEST, _BUNDLE_MANIFEST = "AppxManifest.xml", "AppxMetadata/AppxBundleManifest.xml"
_CODE_INTEGRITY = "AppxMetadata/CodeIntegrity.cat"
_UNLISTED = frozenset({CONTENT_TYPES, BLOCK_MAP, SIGNATURE, _CODE_INTEGRITY})
"""Entries that the block map leaves out."""
_SIGNATURE_TYPE = "application/vnd.ms-appx.signature"
_OVERRIDE = f'Override PartName="/{SIGNATURE}" ContentType="{_SIGNATURE_TYPE}"/>'
_TYPES_END = re.compile(rb"</([A-Za-z0-9_.-]+:)?Types\s*>\s*\Z")
_ATTRIBUTES = {
    "CN": "2.5.4.3",
    "SN": "2.5.4.4",
    "SERIALNUMBER": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "S": "2.5.4.8",
    "ST": "2.5.4.8",
    "STREET": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "T": "2.5.4.12",
    "TITLE": "2.5.4.12",
    "POSTALCODE": "2.5.4.17",
    "PHONE": "2.5.4.20",
    "G": "2.5.4.42",
    "I": "2.5.4.43",
    "E": "1.2.840.113549.1.9.1",
    "DC": "0.9.2342.19200300.100.1.25",
}
"""Of names, as Windows writes them (CertNameToStr)."""
_ATTRIBUTE = re.compile(r'\s*(?:OID\.)?([A-Za-z0-9.]+)\s*=\s*(?:"((?:[^"]|"")*)"|([^,;+"]*?))\s*(?:[,;+]|\Z)')


@dataclass(frozen=True, kw_only=True)
class MsixSubject(Subject):
    """A package as what an Authenticode signature is for; instead of one hash of its parts it has several."""

    package: Package

    def digest(self, algorithm: str, reading: Reading | None = None) -> bytes:  # noqa: ARG002 - there is just one
        """Return the marked digests that are signed in the place of one."""
        data = hashlib.new(algorithm)
        for piece in self.package.data():
            data.update(piece)
        marked = {
            b"AXPC": data.digest(),
            b"AXCD": hashlib.new(algorithm, self.package.directory()).digest(),
            b"AXCT": hashlib.new(algorithm, read(self.package.archive, CONTENT_TYPES)).digest(),
            b"AXBM": hashlib.new(algorithm, read(self.package.archive, BLOCK_MAP)).digest(),
        }
        if _CODE_INTEGRITY in self.package.archive.by_name:
            marked[b"AXCI"] = hashlib.new(algorithm, read(self.package.archive, _CODE_INTEGRITY)).digest()
        return b"APPX" + b"".join(mark + digest for mark, digest in marked.items())


def read_package(file: BinaryIO, archive: Archive) -> MsixSubject:
    """Read a package or a bundle.

    Raises:
        FormatError: its signature is not its last entry, or not one of a package.
    """
    package = Package(file, archive, SIGNATURE)
    message = package.message
    if message is not None and not message.startswith(_HEADER):
        raise FormatError("its signature is not one of a package: it does not start with PKCX")
    return MsixSubject(
        type=subject_type(archive),
        signatures=() if message is None else (message[len(_HEADER) :],),
        parts=lambda: ((entry.name, _content(archive, entry)) for entry in package.entries),
        package=package,
    )


def subject_type(archive: Archive) -> SubjectType:
    """Return what a signature must say that it is for."""
    return BUNDLE if _BUNDLE_MANIFEST in archive.by_name else PACKAGE


def signature_entry(message: bytes) -> bytes:
    """Return the content of the signature's entry."""
    return _HEADER + message


def block_map(archive: Archive) -> BlockMap:
    """Read the block map of a package.

    Raises:
        FormatError: there is none, or it is malformed.
    """
    return read_block_map(read(archive, BLOCK_MAP))


def check_files(package: Package) -> None:
    """Require that each entry is a part of the package, and is what the block map or the bundle's manifest says.

    Raises:
        FormatError: one is not.
    """
    archive = package.archive
    files = [entry for entry in package.entries if not entry.is_directory]
    types = read_content_types(read(archive, CONTENT_TYPES))
    types.check(entry.name for entry in files)
    if package.signature is not None and types.of(SIGNATURE) != _SIGNATURE_TYPE:
        raise FormatError(f"{CONTENT_TYPES} does not name the signature", code="part-unknown")
    listed = [entry for entry in files if entry.name not in _UNLISTED]
    if _BUNDLE_MANIFEST in archive.by_name:
        packages = _bundled(archive)
        for name, (offset, size) in packages.items():
            entry = archive.by_name.get(name)
            if entry is None or entry.method != STORED or (entry.data_offset, entry.size) != (offset, size):
                raise FormatError(f"{name} is not where the bundle's manifest says", code="block-map-mismatch")
        listed = [entry for entry in listed if entry.name not in packages]
    block_map(archive).check(archive, listed)


def publisher(archive: Archive) -> tuple[tuple[str, str], ...]:
    """Return the publisher that the manifest names: identifiers of attributes, and their values, the first one first.

    Raises:
        FormatError: it names none, or more than one.
    """
    found: list[str] = []

    def start(_: str, name: str, attributes: Mapping[str, str]) -> None:
        if name == "Identity" and "Publisher" in attributes:
            found.append(attributes["Publisher"])

    name = _BUNDLE_MANIFEST if _BUNDLE_MANIFEST in archive.by_name else _MANIFEST
    read_elements(read(archive, name), start, what=name)
    if len(found) != 1:
        raise FormatError(f"{name} names {len(found)} publishers instead of one")
    return read_name(found[0])


def read_name(text: str) -> tuple[tuple[str, str], ...]:
    """Read a distinguished name as Windows writes it.

    Raises:
        FormatError: it is not one.
    """
    attributes, position = [], 0
    while position < len(text):
        match = _ATTRIBUTE.match(text, position)
        if match is None or match.end() == position:
            raise FormatError(f"the publisher {text!r} is not a distinguished name")
        key, quoted, plain = match.groups()
        identifier = key if key[0].isdigit() else _ATTRIBUTES.get(key.upper())
        if identifier is None:
            raise UnsupportedError(f"the publisher {text!r} has an attribute {key} that is not known")
        attributes.append((identifier, plain if quoted is None else quoted.replace('""', '"')))
        position = match.end()
    return tuple(attributes)


def with_signature_type(types: bytes) -> bytes:
    """Return a `[Content_Types].xml` that names the signature.

    Raises:
        FormatError: it is malformed.
    """
    if read_content_types(types).of(SIGNATURE) == _SIGNATURE_TYPE:
        return types
    end = _TYPES_END.search(types)
    if end is None:
        raise FormatError(f"{CONTENT_TYPES} has no end, or is not UTF-8")
    return types[: end.start()] + b"<" + (end[1] or b"") + _OVERRIDE.encode("ascii") + types[end.start() :]


def types_differ(signed: bytes | None, submitted: bytes | None) -> bool:
    """Tell whether two files `[Content_Types].xml` differ by more than the type of the signature."""
    parts = f"/{SIGNATURE}".lower()
    found = []
    for data in (signed, submitted):
        types = read_content_types(data or b"")
        found.append((types.by_extension, {part: t for part, t in types.by_part.items() if part != parts}))
    return found[0] != found[1]


def read(archive: Archive, name: str) -> bytes:
    """Return the content of an entry that a package must have.

    Raises:
        FormatError: it has none.
    """
    entry = archive.by_name.get(name)
    if entry is None:
        raise FormatError(f"it has no {name}")
    return archive.read(entry, limit=MAX_SIZE)


def _content(archive: Archive, entry: Entry) -> Iterator[bytes]:
    stream = archive.open(entry)
    return iter(lambda: stream.read(_CHUNK), b"")


def _bundled(archive: Archive) -> dict[str, tuple[int, int]]:
    """Return the packages in a bundle by their names, with the offsets and sizes that its manifest states."""
    found: dict[str, tuple[int, int]] = {}

    def start(_: str, name: str, attributes: Mapping[str, str]) -> None:
        # Packages of a flat bundle lie beside it, and have no offset.
        if name == "Package" and "Offset" in attributes:
            try:
                path = attributes["FileName"].replace("\\", "/")
                if path in found:
                    raise FormatError(f"the bundle's manifest names {path} twice", code="block-map-mismatch")
                found[path] = (int(attributes["Offset"]), int(attributes["Size"]))
            except (KeyError, ValueError) as error:
                raise FormatError("the bundle's manifest is malformed", code="xml-malformed") from error

    read_elements(read(archive, _BUNDLE_MANIFEST), start, what=_BUNDLE_MANIFEST)
    return found
