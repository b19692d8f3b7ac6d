"""Deep signing: every file inside a ZIP archive that can be signed, and inside the ZIP archives in it."""

from __future__ import annotations

import shutil
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from signpath_ci.formats import FormatError
from signpath_ci.formats.jar import is_signature_related
from signpath_ci.formats.registry import FORMATS, Kind, package
from signpath_ci.formats.zip import Archive, Budget, open_archive
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import jar
from signpath_ci.sandbox.signers.errors import CannotSignError
from signpath_ci.sandbox.signers.formats import sign_as

_CHUNK = 1 << 20
_ALSO_SIGNED = ("zip", "powershell")  # what need not be signed, but is, besides what must be
_EXTRA_HEADER = struct.Struct("<HH")
_ZIP64_EXTRA = 0x0001


def sign(
    source: BinaryIO,
    target: BinaryIO,
    *,
    signer: Signer,
    time_stamp: Callable[[bytes], bytes],
    directory: Path,
    name: str = "",
) -> None:
    """Write a copy of a ZIP archive in which every file that can be signed is; a JAR is signed as a whole.

    Everything else stays: the other entries' bytes, and order, names, times, attributes, comments and compression.

    Args:
        source: the archive, seekable.
        target: an empty file, seekable.
        signer: whose signature the files get.
        time_stamp: returns an RFC 3161 token for a signature's value.
        directory: where temporary files may lie; they need as much room as the biggest entries.
        name: of the archive, which tells packages whose content fits several formats.

    Raises:
        CannotSignError: there is no file in it that can be signed, or one that can't; the archive is damaged,
            encrypted, or unpacks to more than there is room for.
    """
    try:
        count = _Deep(signer, time_stamp, directory).sign(source, target, Budget(), name)
    except FormatError as error:
        raise CannotSignError(f"The ZIP archive can not be signed: {error}.") from error
    if not count:
        raise CannotSignError("The ZIP archive can not be signed: there is no file in it that can be.")


@dataclass(frozen=True)
class _Deep:
    signer: Signer
    time_stamp: Callable[[bytes], bytes]
    directory: Path

    def sign(self, source: BinaryIO, target: BinaryIO, budget: Budget, name: str) -> int:
        """Return how many signatures were made."""
        count = 0
        with open_archive(source, budget) as archive, zipfile.ZipFile(target, "w", allowZip64=True) as copy:
            copy.comment = archive.file.comment
            if package([info.filename for info in archive.entries], name) == "jar":
                self._sign_jar(archive, copy)
                return 1
            for info in archive.entries:
                kind = archive.kind(info)
                if kind is None or not (FORMATS[kind].must_be_signed or kind in _ALSO_SIGNED):
                    with archive.open(info) as entry:
                        _add(copy, info, entry, info.file_size)
                    continue
                with self._scratch() as signed, archive.extracted(info, self.directory) as member:
                    if kind == "zip":
                        inside = self.sign(member, signed, budget, info.filename)
                    else:
                        inside = 1
                        self._sign_member(kind, member, signed, info.filename)
                    # An archive with nothing to sign in it is not touched.
                    result = signed if inside else member
                    size = result.seek(0, 2)
                    result.seek(0)
                    _add(copy, info, result, size)
                    count += inside
        return count

    def _sign_member(self, kind: Kind, member: BinaryIO, signed: BinaryIO, name: str) -> None:
        try:
            sign_as(kind, member, signed, signer=self.signer, time_stamp=self.time_stamp)
        except CannotSignError as error:
            raise CannotSignError(f"{name} in the ZIP archive: {error}") from error

    def _sign_jar(self, archive: Archive, copy: zipfile.ZipFile) -> None:
        files = jar.signature_files(archive, signer=self.signer, time_stamp=self.time_stamp)
        # The manifest comes first, as the specification's tools write it and readers of streams expect it.
        for name, data in files.items():
            copy.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        for info in archive.entries:
            if not is_signature_related(info.filename):
                with archive.open(info) as entry:
                    _add(copy, info, entry, info.file_size)

    @contextmanager
    def _scratch(self) -> Iterator[BinaryIO]:
        with tempfile.TemporaryFile(dir=self.directory) as file:
            yield cast("BinaryIO", file)


def _add(copy: zipfile.ZipFile, info: zipfile.ZipInfo, content: BinaryIO, size: int) -> None:
    new = zipfile.ZipInfo(info.filename, info.date_time)
    new.compress_type = info.compress_type
    new.comment = info.comment
    new.create_system = info.create_system
    new.internal_attr = info.internal_attr
    new.external_attr = info.external_attr
    new.extra = _without_zip64(info.extra)
    new.file_size = size  # decides whether room for 64-bit sizes is left
    with copy.open(new, "w") as entry:
        shutil.copyfileobj(content, entry, _CHUNK)


def _without_zip64(extra: bytes) -> bytes:
    """Drop the extended information extra field (APPNOTE.TXT 4.5.3): the library writes it where it is needed."""
    kept = b""
    while len(extra) >= _EXTRA_HEADER.size:
        identifier, size = _EXTRA_HEADER.unpack_from(extra)
        end = _EXTRA_HEADER.size + size
        if identifier != _ZIP64_EXTRA:
            kept += extra[:end]
        extra = extra[end:]
    return kept + extra
