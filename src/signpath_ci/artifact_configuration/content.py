"""What a file's content says about it: its format, its metadata."""

from __future__ import annotations

import struct
from typing import BinaryIO
from xml.parsers import expat

from signpath_ci.formats import FormatError
from signpath_ci.formats.containers import Layout

_COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
_STARTS = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"MSCF", "cab"),
    (_COMPOUND, "ole"),
    (b"\xed\xab\xee\xdb", "rpm"),
    (b"!<arch>\n", "deb"),
)
_TITLES = {
    "pe": "a PE file (program or DLL)",
    "zip": "a ZIP archive",
    "cab": "a cabinet file",
    "ole": "an OLE file, such as an MSI installer",
    "rpm": "an RPM package",
    "deb": "a Debian package",
    "xml": "an XML file",
    "": "of another format",
}
LAYOUTS: dict[str, Layout] = {
    **dict.fromkeys(("zip-file", "jar-file", "nupkg-file", "opc-file", "appx-file", "msix-file", "apk-file"), "zip"),
    "cab-file": "cab",
    "msi-file": "msi",
}
"""Elements of files whose inner files are found here, and how they hold them; those of others are not."""
_EXPECTED: dict[str, str] = {
    "pe-file": "pe",
    "msi-file": "ole",
    "cab-file": "cab",
    "office-oxml-file": "zip",
    "office-binary-file": "ole",
    "xml-file": "xml",
    "rpm-file": "rpm",
    "deb-file": "deb",
    **{element: layout for element, layout in LAYOUTS.items() if layout == "zip"},
}
_ELEMENTS = {
    "pe": "pe-file",
    "cab": "cab-file",
    "zip": "zip-file",
    "ole": "msi-file",
    "xml": "xml-file",
    "rpm": "rpm-file",
    "deb": "deb-file",
}
_DIRECTORIES = {0x10B: 96, 0x20B: 112}
_SECURITY = 4
_VERSION_NAMES = {
    "product-name": "ProductName",
    "product-version": "ProductVersion",
    "file-version": "FileVersion",
    "company-name": "CompanyName",
    "copyright": "LegalCopyright",
    "original-filename": "OriginalFilename",
}
_MAX_XML = 2 << 20


def format_of(head: bytes) -> str:
    """Return a short name of the format that a file's first bytes tell; empty where they tell none."""
    for start, name in _STARTS:
        if head.startswith(start):
            return name
    if head.startswith(b"MZ"):
        offset = int.from_bytes(head[60:64], "little")
        return "pe" if offset + 4 > len(head) or head[offset : offset + 4] == b"PE\0\0" else ""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<") or head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "xml"
    return ""


def mismatch(kind: str, head: bytes) -> tuple[str, str] | None:
    """Return what a file is instead of what its element says, and the element for that; `None` where it fits."""
    expected = _EXPECTED.get(kind)
    found = format_of(head)
    if expected is None or found == expected:
        return None
    return _TITLES[found], _ELEMENTS.get(found, "file")


def is_unsigned_pe(head: bytes) -> bool:
    """Whether a file is a PE file whose headers lie in its first bytes, and that carries no signature."""
    if format_of(head) != "pe":
        return False
    try:
        (offset,) = struct.unpack_from("<I", head, 60)
        (magic,) = struct.unpack_from("<H", head, offset + 24)
        place = offset + 24 + _DIRECTORIES[magic] + _SECURITY * 8
        (size,) = struct.unpack_from("<I", head, place + 4)
    except (struct.error, KeyError):
        return False
    return not size


def metadata(kind: str, file: BinaryIO) -> dict[str, str]:
    """Return what restrictions of an element look at, by the attributes' names, as far as the file has it.

    Raises:
        FormatError: the file is damaged, or of another format.
    """
    # The readers are imported here, as most configurations restrict nothing of the kind.
    if kind == "pe-file":
        from signpath_ci.formats.pe_version import read_version_strings

        strings = read_version_strings(file)
        return {name: strings[key] for name, key in _VERSION_NAMES.items() if key in strings}
    if kind == "msi-file":
        from signpath_ci.formats.msi_database import InstallerDatabase

        return InstallerDatabase(file).summary()
    return _root_element(file)


def _root_element(file: BinaryIO) -> dict[str, str]:
    """Return name and namespace of an XML file's root element; nothing behind it is read."""
    file.seek(0)
    found: dict[str, str] = {}
    parser = expat.ParserCreate(namespace_separator="\x1f")

    def begin(name: str, _attributes: dict[str, str]) -> None:
        if not found:
            namespace, _, local = name.rpartition("\x1f")
            found.update({"root-element-name": local, "root-element-namespace": namespace})

    parser.StartElementHandler = begin
    left = _MAX_XML
    while not found and left > 0 and (data := file.read(1 << 14)):
        left -= len(data)
        try:
            parser.Parse(data, False)
        except expat.ExpatError as error:
            if not found:
                raise FormatError(f"it is not well-formed XML ({expat.ErrorString(error.code)})") from None
    if not found:
        raise FormatError("it is not well-formed XML")
    return found
