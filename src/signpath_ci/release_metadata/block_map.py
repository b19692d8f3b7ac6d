"""Block maps of electron-builder: which blocks a file consists of, so that an updater fetches only those that changed.

The blocks end where a Rabin fingerprint of the last 64 bytes says so: between 8 and 32 KiB, 16 on the average.
Source: `buildBlockMap` of app-builder-lib; the tests compare with its result.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from typing import Any, BinaryIO

SUFFIX = ".blockmap"
LARGEST = 16 * 1024 * 1024
"""Bytes of a block map, compressed or not, at most: that of 2 GB has some 5 MB."""
_SMALLEST_BLOCK, _LARGEST_BLOCK, _WINDOW = 8192, 32768, 64
_BOUNDARY = 16384 - 1
_DIGEST = 18
_POLYNOMIAL = 0xBFE6B8A5BF378D83  # irreducible over GF(2), of degree 63
_DEGREE = 63


def _modulo(value: int) -> int:
    while value.bit_length() > _DEGREE:
        value ^= _POLYNOMIAL << (value.bit_length() - 1 - _DEGREE)
    return value


def _tables() -> tuple[list[int], list[int]]:
    # A byte that comes in: what is above the degree is cleared, and its remainder added.
    push = [(byte << _DEGREE) ^ _modulo(byte << _DEGREE) for byte in range(256)]
    pop = [_modulo(byte << 8 * (_WINDOW - 1)) for byte in range(256)]
    return push, pop


def build(file: BinaryIO) -> dict[str, Any]:
    """Return the block map of a file, read to its end with bounded memory; some 5 MB a second.

    Raises:
        OSError: it can't be read.
    """
    push, pop = _tables()
    checksums: list[str] = []
    sizes: list[int] = []
    buffer = b""
    while True:
        buffer += file.read(_LARGEST_BLOCK * 32)
        at_end = len(buffer) < _LARGEST_BLOCK
        start = 0
        while len(buffer) - start >= _LARGEST_BLOCK or (at_end and start < len(buffer)):
            size = _block_size(buffer[start : start + _LARGEST_BLOCK], push, pop)
            block = buffer[start : start + size]
            checksums.append(base64.b64encode(hashlib.blake2b(block, digest_size=_DIGEST).digest()).decode("ascii"))
            sizes.append(size)
            start += size
        buffer = buffer[start:]
        if at_end:
            break
    return {"version": "2", "files": [{"name": "file", "offset": 0, "checksums": checksums, "sizes": sizes}]}


def _block_size(data: bytes, push: list[int], pop: list[int]) -> int:
    """Return the size of the first block of `data`, of which there is enough for one, or no more."""
    if len(data) < _SMALLEST_BLOCK:
        return len(data)
    value = 0
    for byte in data[_SMALLEST_BLOCK - _WINDOW : _SMALLEST_BLOCK]:
        value = (value << 8) ^ byte
        value ^= push[value >> _DEGREE]
    if value & _BOUNDARY == _BOUNDARY:
        return _SMALLEST_BLOCK
    size = _SMALLEST_BLOCK
    for old, byte in zip(data[_SMALLEST_BLOCK - _WINDOW :], data[_SMALLEST_BLOCK:], strict=False):
        size += 1
        value = ((value ^ pop[old]) << 8) ^ byte
        value ^= push[value >> _DEGREE]
        if value & _BOUNDARY == _BOUNDARY:
            return size
    return size


def encode(block_map: dict[str, Any]) -> bytes:
    """Return a block map as the file that lies beside what it describes."""
    text = json.dumps(block_map, separators=(",", ":"))
    return gzip.compress(text.encode("ascii"), compresslevel=9, mtime=0)


def decode(data: bytes) -> dict[str, Any] | None:
    """Return what a block map's file holds; `None` where it is none, or has more than `LARGEST` bytes."""
    try:
        unpacker = zlib.decompressobj(wbits=31)
        text = unpacker.decompress(data, LARGEST)
        if unpacker.unconsumed_tail or not unpacker.eof or unpacker.unused_data:
            return None
        found = json.loads(text)
    except (zlib.error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("files"), list) else None
