"""Deep signing: every PE file inside a ZIP archive, and inside the ZIP archives in it."""

from __future__ import annotations

import shutil
import struct
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from signpath_ci.formats import FormatError
from signpath_ci.formats.zip import Budget, open_archive
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import pe
from signpath_ci.sandbox.signers.errors import CannotSignError

_CHUNK = 1 << 20
_EXTRA_HEADER = struct.Struct("<HH")
_ZIP64_EXTRA = 0x0001


def sign(
    source: BinaryIO, target: BinaryIO, *, signer: Signer, time_stamp: Callable[[bytes], bytes], directory: Path
) -> None:
    """Write a copy of a ZIP archive in which every PE file is signed.

    Everything else stays: the other entries' bytes, and order, names, times, attributes, comments and compression.

    Args:
        source: the archive, seekable.
        target: an empty file, seekable.
        signer: whose signature the files get.
        time_stamp: returns an RFC 3161 token for a signature's value.
        directory: where temporary files may lie; they need as much room as the biggest entries.

    Raises:
        CannotSignError: there is no PE file in it, or one that can't be signed; the archive is damaged, encrypted,
            or unpacks to more than there is room for.
    """
    try:
        count = _sign_archive(
            source, target, Budget(), partial(pe.sign, signer=signer, time_stamp=time_stamp), directory
        )
    except FormatError as error:
        raise CannotSignError(f"The ZIP archive can not be signed: {error}.") from error
    if not count:
        raise CannotSignError("The ZIP archive can not be signed: there is no PE file in it.")


def _sign_archive(
    source: BinaryIO, target: BinaryIO, budget: Budget, sign_pe: Callable[[BinaryIO, BinaryIO], None], directory: Path
) -> int:
    """Return how many files were signed."""
    count = 0
    with open_archive(source, budget) as archive, zipfile.ZipFile(target, "w", allowZip64=True) as copy:
        copy.comment = archive.file.comment
        for info in archive.entries:
            kind = archive.kind(info)
            if kind is None:
                with archive.open(info) as entry:
                    _add(copy, info, entry, info.file_size)
                continue
            with archive.extracted(info, directory) as member, tempfile.TemporaryFile(dir=directory) as temporary:
                signed = cast("BinaryIO", temporary)
                if kind == "zip":
                    inside = _sign_archive(member, signed, budget, sign_pe, directory)
                else:
                    inside = 1
                    try:
                        sign_pe(member, signed)
                    except CannotSignError as error:
                        raise CannotSignError(f"{info.filename} in the ZIP archive: {error}") from error
                # An archive without a PE file in it is not touched.
                result = signed if inside else member
                size = result.seek(0, 2)
                result.seek(0)
                _add(copy, info, result, size)
                count += inside
    return count


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
