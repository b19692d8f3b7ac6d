"""Digests of files, and digests in texts: hexadecimal or base64, MD5 to SHA-512."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import BinaryIO, NamedTuple

from signpath_ci.values import dataclass

ALGORITHMS = {"md5": 16, "sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
"""Bytes of a digest, by the name that `hashlib` gives its algorithm."""
_BY_LENGTH = {length: name for name, length in ALGORITHMS.items()}
_HEX_LENGTHS = sorted((2 * length for length in ALGORITHMS.values()), reverse=True)
_BLOCK = 1024 * 1024

# Each alternative has a fixed length and each attempt a bound, so the cost is linear in the text.
_HEX = re.compile(rf"(?<![0-9A-Za-z])(?:{'|'.join(f'[0-9a-fA-F]{{{n}}}' for n in _HEX_LENGTHS)})(?![0-9A-Za-z])")
_B64 = "[A-Za-z0-9+/]"
_BASE64 = re.compile(
    rf"(?<![A-Za-z0-9+/])(?:{_B64}{{86}}==|{_B64}{{64}}|{_B64}{{43}}=|{_B64}{{27}}=|{_B64}{{22}}==)(?![A-Za-z0-9+/=])"
)


@dataclass(frozen=True, kw_only=True)
class FileDigests:
    """A file's size in bytes, and its digests by the name of their algorithm."""

    size: int
    digests: Mapping[str, bytes]


class Token(NamedTuple):
    """A digest in a text: `text[start:end]`."""

    start: int
    end: int
    algorithm: str
    digest: bytes
    is_hex: bool


def hash_file(file: BinaryIO, algorithms: Collection[str]) -> FileDigests:
    """Read a file to its end, a block at a time, and return its size and digests.

    Raises:
        OSError: it can't be read.
    """
    # Not for security here: MD5 and SHA-1 are what some updaters' files hold.
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    size = 0
    while block := file.read(_BLOCK):
        size += len(block)
        for one in hashes.values():
            one.update(block)
    return FileDigests(size=size, digests={name: one.digest() for name, one in hashes.items()})


def digests_of(data: bytes) -> FileDigests:
    """Return the size and all digests of bytes."""
    found = {name: hashlib.new(name, data, usedforsecurity=False).digest() for name in ALGORITHMS}
    return FileDigests(size=len(data), digests=found)


def tokens(text: str) -> Iterator[Token]:
    """Return everything in a text that may be a digest; its place says where. Linear in the text."""
    for found in _HEX.finditer(text):
        digest = bytes.fromhex(found[0])
        yield Token(found.start(), found.end(), _BY_LENGTH[len(digest)], digest, is_hex=True)
    for found in _BASE64.finditer(text):
        try:
            digest = base64.b64decode(found[0], validate=True)
        except binascii.Error:
            continue
        # Another text could decode to the same bytes: only the one that encoders write is a digest.
        if len(digest) in _BY_LENGTH and base64.b64encode(digest).decode("ascii") == found[0]:
            yield Token(found.start(), found.end(), _BY_LENGTH[len(digest)], digest, is_hex=False)


def written_like(digest: bytes, token: Token, text: str) -> str:
    """Return a digest in the encoding, and the case, of the one that it replaces."""
    if not token.is_hex:
        return base64.b64encode(digest).decode("ascii")
    before = text[token.start : token.end]
    return digest.hex().upper() if before == before.upper() and before != before.lower() else digest.hex()
