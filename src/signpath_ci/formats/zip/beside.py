"""What an archive holds beside the content of its entries: data that readers skip, and most signatures leave out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from signpath_ci.formats.zip.entry import Entry
from signpath_ci.formats.zip.extra import UNICODE_PATH, ZIP64, split
from signpath_ci.formats.zip.places import LOCAL, SigningBlock

MAX_SIZE = 128
"""Bytes of a comment, or in the extra fields of a header, that are no payload: a commit, times, owners, alignment.

Zeros in extra fields do not count.
"""


def data_beside(
    file: BinaryIO, entries: Iterable[Entry], comment: bytes, signing_block: SigningBlock | None
) -> Iterator[bytes]:
    """Give what could be a payload: an APK signing block, comments and extra fields with more than `MAX_SIZE` bytes.

    Args:
        file: the archive.
        entries: of it.
        comment: of the archive.
        signing_block: where there is one.
    """
    if len(comment) > MAX_SIZE:
        yield comment
    if signing_block is not None:
        file.seek(signing_block.offset)
        yield file.read(signing_block.size)
    for entry in entries:
        if len(entry.comment) > MAX_SIZE:
            yield entry.comment
        start = entry.offset + LOCAL.size + int.from_bytes(entry.record[28:30], "little")
        local = b""
        if entry.data_offset - start > MAX_SIZE:
            file.seek(start)
            local = file.read(entry.data_offset - start)
        for extra in (entry.extra, local):
            if len(extra) > MAX_SIZE and _payload(extra, entry.name) > MAX_SIZE:
                yield extra


def _payload(extra: bytes, name: str) -> int:
    """Return how many bytes of extra fields mean what only their writer knows; the others were checked."""
    return sum(len(data.strip(b"\0")) for kind, data in split(extra, name) if kind not in {ZIP64, UNICODE_PATH})
