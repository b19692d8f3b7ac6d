"""Deep signing: every file inside a ZIP archive that can be signed, and inside the ZIP archives in it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from signpath_ci.formats import FormatError
from signpath_ci.formats.jar import is_signature_related
from signpath_ci.formats.registry import FORMATS, Kind, package
from signpath_ci.formats.zip import DEFLATED, Archive, ArchiveWriter, Budget, Entry, open_archive
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import jar
from signpath_ci.sandbox.signers.errors import CannotSignError
from signpath_ci.sandbox.signers.formats import is_signable, sign_as

_CHUNK = 1 << 20
_ALSO_SIGNED = ("zip", "powershell")  # what need not be signed, but is, besides what must be


def sign(
    source: BinaryIO,
    target: BinaryIO,
    *,
    signer: Signer,
    timestamp: Callable[[bytes], bytes],
    directory: Path,
    name: str = "",
) -> None:
    """Write a copy of a ZIP archive in which every file that can be signed is; a JAR is signed as a whole.

    Everything else stays: the other entries' bytes, and order, names, times, attributes, comments and compression.

    Args:
        source: the archive, seekable.
        target: an empty file, seekable.
        signer: whose signature the files get.
        timestamp: returns an RFC 3161 token for a signature's value.
        directory: where temporary files may lie; they need as much room as the biggest entries.
        name: of the archive, which tells packages whose content fits several formats.

    Raises:
        CannotSignError: there is no file in it that can be signed, or one that can't; the archive is damaged,
            encrypted, or unpacks to more than there is room for.
    """
    try:
        count = _Deep(signer, timestamp, directory).sign(source, target, Budget(), name)
    except FormatError as error:
        raise CannotSignError(f"The ZIP archive can not be signed: {error}.") from error
    if not count:
        raise CannotSignError("The ZIP archive can not be signed: there is no file in it that can be.")


@dataclass(frozen=True)
class _Deep:
    signer: Signer
    timestamp: Callable[[bytes], bytes]
    directory: Path

    def sign(self, source: BinaryIO, target: BinaryIO, budget: Budget, name: str) -> int:
        """Return how many signatures were made."""
        count, copy = 0, ArchiveWriter(target)
        with open_archive(source, budget) as archive:
            kind = package([entry.name for entry in archive.entries], name)
            if is_signable(kind):
                sign_as(kind, source, target, signer=self.signer, timestamp=self.timestamp)
                return 1
            if kind == "jar":
                self._sign_jar(archive, copy)
                count = 1
            else:
                for entry in archive.entries:
                    count += self._sign_entry(archive, entry, copy, budget)
            for entry in archive.unread():
                archive.check(entry)
            copy.finish(archive.comment)
        return count

    def _sign_entry(self, archive: Archive, entry: Entry, copy: ArchiveWriter, budget: Budget) -> int:
        kind = archive.kind(entry)
        if kind is None or not (FORMATS[kind].must_be_signed or kind in _ALSO_SIGNED):
            copy.copy(archive, entry)
            return 0
        with self._scratch() as signed, archive.extracted(entry, self.directory) as member:
            if kind == "zip":
                count = self.sign(member, signed, budget, entry.name)
            else:
                count = 1
                self._sign_member(kind, member, signed, entry.name)
            if count:
                size = signed.seek(0, 2)
                signed.seek(0)
                copy.add(entry.name, iter(lambda: signed.read(_CHUNK), b""), size=size, like=entry)
            else:  # an archive with nothing to sign in it
                copy.copy(archive, entry)
        return count

    def _sign_member(self, kind: Kind, member: BinaryIO, signed: BinaryIO, name: str) -> None:
        try:
            sign_as(kind, member, signed, signer=self.signer, timestamp=self.timestamp)
        except CannotSignError as error:
            raise CannotSignError(f"{name} in the ZIP archive: {error}") from error

    def _sign_jar(self, archive: Archive, copy: ArchiveWriter) -> None:
        files = jar.signature_files(archive, signer=self.signer, timestamp=self.timestamp)
        # The manifest comes first, as the specification's tools write it and readers of streams expect it.
        for name, data in files.items():
            copy.add(name, [data], size=len(data), method=DEFLATED)
        for entry in archive.entries:
            if not is_signature_related(entry.name):
                copy.copy(archive, entry)

    @contextmanager
    def _scratch(self) -> Iterator[BinaryIO]:
        with tempfile.TemporaryFile(dir=self.directory) as file:
            yield cast("BinaryIO", file)
