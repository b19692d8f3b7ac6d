"""Block maps: the same as those of electron-builder's own tool."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import zlib
from itertools import count

import pytest

from signpath_ci.release_metadata import block_map

# Of the JSON that `buildBlockMap` of app-builder-lib 26.17.0 writes for `_sample(size)`.
RECORDED = {
    0: "f2b5892ba320529997efe9d968bad725383d3ee42d0ebd19ac2a010485396831",
    1: "f50da023ad9381a53c9c0191223bf6e8389d1b9452315f2dca7fb5fc890bb0bf",
    8191: "8f82caf37db9c81ba3753d1704dd45b5683242699e7e29dde6d0491957803cfb",
    8192: "617205f8bb3b80a966c5274898548406d51043e45dd730d40998095278ea0e05",
    8193: "09951ec1bb0ae99b2e7d1ce9b5d4d6b2ac6976318d2510f3d539500f0a9f8198",
    32768: "0d0cffd200410ba68a8e009698205605e6e9f20b6ee49181ead202e5560f87b5",
    32769: "de27ee89a112b70149c696faeff429f7ad2896cc21253ef4036bc4301fcc68df",
    1500000: "885e5892cd438dfb10c4e1788cb0194a1292dc5e5bbe60a28ddcc54ec4074672",
}


def _sample(size: int) -> bytes:
    """Return the same bytes each time: noise, with a run of zeros in it, in which no block ends early."""
    noise = random.Random(size).randbytes(size)
    return (noise[: size // 2] + bytes(100_000) + noise[size // 2 :])[:size] if size > 200_000 else noise


def _json(data: bytes) -> bytes:
    return gzip.decompress(block_map.encode(block_map.build(io.BytesIO(data))))


@pytest.mark.parametrize(("size", "digest"), RECORDED.items())
def test_is_what_electron_builder_writes(size: int, digest: str) -> None:
    assert hashlib.sha256(_json(_sample(size))).hexdigest() == digest


def test_the_file_is_read_back() -> None:
    made = block_map.build(io.BytesIO(b"content"))
    assert made["files"][0]["sizes"] == [7]
    assert block_map.decode(block_map.encode(made)) == made


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not gzip",
        gzip.compress(b"[]"),
        gzip.compress(b'{"files": 1}'),
        gzip.compress(b"[" * 100_000),
        gzip.compress(b'{"files": []}') + b"more",
        gzip.compress(b'{"files": []}')[:-1],
        zlib.compress(b'{"files": []}'),
        gzip.compress(b" " * (block_map.LARGEST + 1)),
    ],
    ids=count(),  # the bytes hold the time
)
def test_other_files_are_no_block_maps(data: bytes) -> None:
    assert block_map.decode(data) is None


def test_blocks_are_cut_where_the_content_says_so() -> None:
    data = _sample(300_000)
    shifted = block_map.build(io.BytesIO(b"0123456789" + data))["files"][0]
    first = block_map.build(io.BytesIO(data))["files"][0]
    assert len(set(first["checksums"]) & set(shifted["checksums"])) >= len(first["checksums"]) - 2
    assert json.dumps(first) != json.dumps(shifted)
    assert all(size <= 32768 for size in first["sizes"])
