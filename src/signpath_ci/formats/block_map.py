"""`AppxBlockMap.xml`: the size of every file of a package, and the hash of each of its blocks of 64 KiB.

Source: Microsoft, "App package block map" and its schema; what makeappx writes. Windows checks files against it when it
installs them, block by block.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.xml_elements import read_elements
from signpath_ci.formats.zip import Archive, Entry

NAME = "AppxBlockMap.xml"
_BLOCK = 64 << 10
_NAMESPACE = "http://schemas.microsoft.com/appx/2010/blockmap"
_METHODS = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}


@dataclass
class _File:
    size: int
    header_size: int | None
    hashes: list[bytes] = field(default_factory=list)
    packed_sizes: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class BlockMap:
    """The files of a package by the names of their entries, and the algorithm of the hashes."""

    algorithm: str
    files: Mapping[str, _File]

    def check(self, archive: Archive, entries: list[Entry]) -> None:
        """Require that the files of a package are those of the block map.

        Args:
            archive: the package.
            entries: those that the block map must list.

        Raises:
            FormatError: one is missing on either side, or is not what the block map says.
        """
        present = {_path(entry.name): entry for entry in entries}
        for names, what in (
            (present.keys() - self.files.keys(), "not in the block map"),
            (self.files.keys() - present.keys(), "in the block map, but not in the package"),
        ):
            if names:
                raise FormatError(f"{min(names)} is {what}", code="block-map-mismatch")
        for name, entry in present.items():
            self._check(name, archive, entry, self.files[name])

    def _check(self, name: str, archive: Archive, entry: Entry, file: _File) -> None:
        blocks = -(-entry.size // _BLOCK)
        if file.size != entry.size or len(file.hashes) != blocks:
            raise FormatError(f"{name} has another size than the block map says", code="block-map-mismatch")
        if file.header_size not in {None, entry.data_offset - entry.offset}:
            raise FormatError(f"{name} starts at another place than the block map says", code="block-map-mismatch")
        # The data may end with a block of deflate that is empty: up to 5 bytes more.
        if file.packed_sizes and not 0 <= entry.packed_size - sum(file.packed_sizes) <= 5:  # noqa: PLR2004 - see above
            raise FormatError(f"{name} has another packed size than the block map says", code="block-map-mismatch")
        stream = archive.open(entry)
        for expected in file.hashes:
            if not hmac.compare_digest(hashlib.new(self.algorithm, stream.read(_BLOCK)).digest(), expected):
                raise FormatError(f"{name} has other content than the block map says", code="block-map-mismatch")
        if stream.read(1):
            raise FormatError(f"{name} has another size than the block map says", code="block-map-mismatch")


def read_block_map(data: bytes) -> BlockMap:
    """Read a block map.

    Raises:
        FormatError: it is malformed, or lists a file twice.
        UnsupportedError: it uses another hash algorithm.
    """
    files: dict[str, _File] = {}
    methods: list[str] = []
    last: list[_File] = []

    def start(namespace: str, name: str, attributes: Mapping[str, str]) -> None:
        if namespace != _NAMESPACE:  # later additions, e.g. hashes of whole files, which are for quicker updates
            return
        try:
            if name == "BlockMap":
                methods.append(attributes["HashMethod"])
            elif name == "File":
                path = attributes["Name"].lower()
                if path in files:
                    raise FormatError(f"the block map lists {attributes['Name']} twice", code="block-map-mismatch")
                header = attributes.get("LfhSize")
                files[path] = _File(int(attributes["Size"]), None if header is None else int(header))
                last[:] = [files[path]]
            elif name == "Block":
                last[0].hashes.append(base64.b64decode(attributes["Hash"], validate=True))
                if "Size" in attributes:
                    last[0].packed_sizes.append(int(attributes["Size"]))
        except (KeyError, IndexError, ValueError, binascii.Error) as error:
            raise FormatError(f"the block map is malformed (element {name})", code="xml-malformed") from error

    read_elements(data, start, what=NAME)
    if len(methods) != 1 or methods[0] not in _METHODS:
        raise UnsupportedError(f"the block map uses an algorithm that is not supported ({', '.join(methods)})")
    return BlockMap(_METHODS[methods[0]], files)


def _path(name: str) -> str:
    return unquote(name).replace("/", "\\").lower()
