"""Several files in one ZIP: one request, one approval; the same files always give the same bytes.

That is what a receipt goes by: a later run, on another machine too, knows its request again. So nothing is compressed
(compressors differ), no time of a file goes in, and the order is that of the names.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from signpath_ci.errors import LocalFileError, UsageError
from signpath_ci.formats import FormatError
from signpath_ci.formats.zip import ArchiveWriter, Names
from signpath_ci.signing.artifact import empty_error, read_blocks
from signpath_ci.signing.inputs import directory_of
from signpath_ci.signing.target import disk_errors


def common_directory(given: Iterable[Path]) -> Path:
    """Return the directory that names in the bundle are relative to: the deepest that has all that is given in it.

    Raises:
        UsageError: there is none, as between two drives.
    """
    try:
        common = Path(os.path.commonpath([_absolute(directory_of(path)) for path in given]))
    except ValueError:
        raise UsageError(
            "Files of different drives can't be in one bundle.",
            hint="Copy them into one directory first.",
            code="unsuitable-bundle-file",
        ) from None
    here = Path.cwd()
    return common.relative_to(here) if common.is_relative_to(here) else common


def member_names(files: Iterable[Path], root: Path) -> dict[PurePosixPath, Path]:
    """Return the name in the bundle of each file, in the order of the names.

    Raises:
        UsageError: a file's name can't be in a ZIP.
    """
    names: dict[PurePosixPath, Path] = {}
    accepted = Names()
    for file in files:
        # macOS may give names in another form, which stands for the same file there.
        name = unicodedata.normalize("NFC", _absolute(file).relative_to(_absolute(root)).as_posix())
        try:
            accepted.add(name)
        except FormatError as error:
            raise UsageError(
                f"{file} can't be in a bundle under its name: {error}.", hint="Rename it.", code=error.code
            ) from None
        names[PurePosixPath(name)] = file
    return dict(sorted(names.items()))


def write_bundle(members: Mapping[PurePosixPath, Path], target: Path, *, may_be_empty: bool = False) -> None:
    """Write files as a ZIP.

    Args:
        members: the files by their names in it.
        target: of the ZIP.
        may_be_empty: a file without a byte is no error.

    Raises:
        LocalFileError: one is empty or can't be read, or the ZIP not be written.
    """
    with disk_errors(target), target.open("xb") as raw:
        writer = ArchiveWriter(raw)
        for name, file in members.items():
            try:
                size = file.stat().st_size
            except OSError:  # whoever reads it says what is wrong with it
                size = 0
            try:
                written = writer.add(str(name), read_blocks(file), size=size)
            except FormatError as error:
                raise LocalFileError(f"{file} can't be packed: {error}.", code=error.code) from None
            if not written and not may_be_empty:
                raise empty_error(file)
        try:
            writer.finish()
        except FormatError as error:
            raise UsageError(
                f"{target.name} can't be written: {error}.", hint="Name fewer files.", code=error.code
            ) from None


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - `..` is taken away, links stay: names are what was given
