"""Files on disk as the ZIP archive that they will be uploaded as, without making it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from signpath_ci.formats.containers import HEAD, Member

ZIP_START = b"PK\x03\x04"
"""What such an archive would begin with."""


class LocalFiles:
    """A container of files on disk.

    Args:
        files: the files by their paths in the archive, with slashes.
    """

    directories: tuple[str, ...] = ()

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.members = tuple(Member(name, path.stat().st_size, path) for name, path in files.items())

    def head(self, member: Member) -> bytes:
        """Return the first bytes of a file."""
        with cast("Path", member.key).open("rb") as file:
            return file.read(HEAD)

    @contextmanager
    def extracted(self, member: Member) -> Iterator[BinaryIO]:
        """Open a file."""
        with cast("Path", member.key).open("rb") as file:
            yield file


Source = BinaryIO | LocalFiles
"""An artifact: a file, or files that will be uploaded as a ZIP archive."""
