"""Packages from wheels that a lock pins by hash: unpacked once, and compared with the wheels before each use.

A cache is not trusted by its name. The wheels are kept with what was unpacked of them: their hashes are in the lock,
and every file that Python would import must be the same as in its wheel. What else lies there is refused.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from signpath_ci.files import read_bounded

WHEELS, PACKAGES = "wheels", "packages"
_LARGEST = 256 * 1024**2
_HASH = re.compile(rb"--hash=sha256:([0-9a-f]{64})")


class WheelError(Exception):
    """What lies in a cache is not what the lock says; the text says in what."""


def unpack(directory: Path, requirements: bytes) -> None:
    """Unpack the wheels of a directory into it, beside them.

    Args:
        directory: holds the wheels in `wheels`; gets `packages`.
        requirements: the lock, in pip's format.

    Raises:
        WheelError: a wheel is not in the lock.
        OSError: a file can't be read or written.
    """
    for name, content in _contents(directory, requirements):
        path = directory / PACKAGES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)


def check(directory: Path, requirements: bytes) -> None:
    """Compare what was unpacked with the wheels, and the wheels with the lock.

    Args:
        directory: as in `unpack`.
        requirements: the lock, in pip's format.

    Raises:
        WheelError: something differs, is missing, or is there besides.
        OSError: a file can't be read.
    """
    packages = directory / PACKAGES
    found = {path.relative_to(packages).as_posix(): path for path in packages.rglob("*") if not _is_directory(path)}
    for name, content in _contents(directory, requirements):
        path = found.pop(str(name), None)
        if path is None or path.is_symlink() or read_bounded(path, most=len(content)) != content:
            raise WheelError(f"{name} is not as in its wheel")
    if found:
        raise WheelError(f"{min(found)} is of no wheel")


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _contents(directory: Path, requirements: bytes) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Give the files of all wheels by their names; only of wheels that the lock names by their hash."""
    hashes = {found.decode() for found in _HASH.findall(requirements)}
    wheels = sorted((directory / WHEELS).glob("*"))
    if not wheels:
        raise WheelError("there are no wheels")
    for wheel in wheels:
        data = read_bounded(wheel, most=_LARGEST) or b""
        if hashlib.sha256(data).hexdigest() not in hashes:
            raise WheelError(f"{wheel.name} is not in the lock")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                name = _place(info)
                if name is not None:
                    yield name, archive.read(info)


def _place(info: zipfile.ZipInfo) -> PurePosixPath | None:
    """Return where a wheel's file goes; `None`: nowhere, as scripts do.

    Source: Binary distribution format (PEP 427), "The .data directory".
    """
    name = PurePosixPath(info.filename)
    if info.is_dir():
        return None
    if name.parts[0].endswith(".data"):
        return PurePosixPath(*name.parts[2:]) if name.parts[1] in {"purelib", "platlib"} else None
    return name
