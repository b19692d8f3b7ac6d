"""Windows Installer files (.msi, .msp, .mst): where their signature is, what it covers.

Source: [MS-CFB] for the container; what is hashed, and in which order, as Windows' subject interface package does it
and osslsigncode 2.9 likewise: all streams but the signature's, each storage's class identifier behind what is in it;
and, where there is a stream `MsiDigitalSignatureEx`, in front of that a hash of the names, sizes and times.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from signpath_ci.formats import FormatError
from signpath_ci.formats.authenticode import INSTALLER, Part, Subject
from signpath_ci.formats.compound import CompoundFile, Entry
from signpath_ci.formats.compound_room import known_blocks

if TYPE_CHECKING:
    from hashlib import _Hash

SUBJECT_TYPE = INSTALLER
SIGNATURE = "\5DigitalSignature".encode("utf-16-le")
METADATA_DIGEST = "\5MsiDigitalSignatureEx".encode("utf-16-le")
_MAX_SIGNATURE = 1 << 24


def read_subject(file: BinaryIO) -> Subject:
    """Read an installer file.

    Raises:
        FormatError: it is damaged.
        UnsupportedError: it is too big, or of an unknown version.
    """
    compound = CompoundFile(file)
    root = compound.root
    special = {e.name: e for e in root.children if e.name in {SIGNATURE, METADATA_DIGEST}}
    if any(not e.is_stream or e.size > _MAX_SIGNATURE for e in special.values()):
        raise FormatError("its signature has an impossible size")
    message = b"".join(compound.read(special[SIGNATURE])) if SIGNATURE in special else None
    metadata = b"".join(compound.read(special[METADATA_DIGEST])) if METADATA_DIGEST in special else None
    if metadata is not None and not message:
        raise FormatError("it has a part of a signature, but not the signature")

    def prefix(algorithm: str) -> bytes:
        if metadata is None:
            return b""
        names = hashlib.new(algorithm)
        _hash_metadata(root, names, is_root=True)
        if not hmac.compare_digest(names.digest(), metadata):
            raise FormatError("names, sizes or times in it were changed after it was signed")
        return metadata

    return Subject(
        type=SUBJECT_TYPE,
        signatures=(message,) if message else (),
        parts=lambda: _parts(compound, root),
        leftovers=compound.leftovers,
        known=partial(known_blocks, file),
        prefix=prefix,
    )


def _signed(storage: Entry, *, is_root: bool) -> list[Entry]:
    return [e for e in storage.children if not (is_root and e.name in {SIGNATURE, METADATA_DIGEST})]


def _hash_metadata(storage: Entry, hashed: _Hash, *, is_root: bool) -> None:
    hashed.update((b"" if is_root else storage.name) + storage.class_id + storage.state)
    hashed.update(b"" if is_root else storage.times)
    for entry in _signed(storage, is_root=is_root):
        if entry.is_stream:
            hashed.update(entry.name + entry.size.to_bytes(4, "little") + entry.state + entry.times)
        else:
            _hash_metadata(entry, hashed, is_root=False)


def _parts(compound: CompoundFile, storage: Entry, path: str = "") -> Iterator[Part]:
    """Yield every stream with its path: the signed hash itself does not tell where one ends."""
    for entry in _signed(storage, is_root=not path):
        name = f"{path}{entry.path}"
        if entry.is_stream:
            yield name, compound.read(entry)
        else:
            yield from _parts(compound, entry, f"{name}/")
    yield f"{path}(storage)", iter([storage.class_id])
