"""Cabinets and installer files with other files in them: well-kept tools write these anew, where they are installed.

gcab writes cabinets, msitools' msibuild changes the streams and tables of an installer file.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from signpath_ci.artifact_configuration.content import LAYOUTS
from signpath_ci.formats.cab_members import CabinetArchive, CabinetFile
from signpath_ci.formats.containers import Container, Member, open_container
from signpath_ci.formats.msi_database import InstalledFile, InstallerDatabase
from signpath_ci.formats.zip import Budget
from signpath_ci.sandbox.signers.errors import CannotSignError

_CHUNK = 1 << 20
_TIMEOUT = 300
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
"""An identifier of Windows Installer: nothing in it has a meaning in SQL."""


@contextmanager
def unpacked(kind: str, source: BinaryIO, budget: Budget) -> Iterator[Container]:
    """Open a cabinet or an installer file whose files are to be changed.

    Raises:
        CannotSignError: the sandbox can't write files of this kind, or a tool that does is not installed.
    """
    tools = {"cab-file": ("gcab",), "msi-file": ("gcab", "msibuild")}.get(kind)
    if tools is None:
        raise CannotSignError(f"the sandbox can't change the files inside a <{kind}>")
    for tool in tools:
        if shutil.which(tool) is None:
            raise CannotSignError(f"{tool}, which writes the container anew, is not installed")
    with open_container(LAYOUTS[kind], source, budget) as container:
        yield container


def write(kind: str, source: BinaryIO, container: Container, changed: Mapping[str, BinaryIO], target: BinaryIO) -> None:
    """Write a container anew.

    Args:
        kind: of the container.
        source: it.
        container: the same, opened by `unpacked`.
        changed: the new content of files, by their paths.
        target: an empty file.

    Raises:
        CannotSignError: a tool failed, or a file's name can't be given to it.
    """
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if kind == "cab-file":
            written = _cabinet(directory, CabinetArchive(source), changed, {})
        else:
            written = _installer(directory, source, container, changed)
        with written.open("rb") as file:
            shutil.copyfileobj(file, target, _CHUNK)


def _cabinet(
    directory: Path, cabinet: CabinetArchive, changed: Mapping[str, BinaryIO], names: Mapping[str, str]
) -> Path:
    """Write a cabinet with the same files in the same order.

    Args:
        directory: an empty one.
        cabinet: the present one.
        changed: new contents.
        names: what the keys of `changed` are for the names in the cabinet; the same where there is none.
    """
    files = directory / "files"
    files.mkdir()
    for file in cabinet.files:
        path = files / _relative(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as copy:
            content = changed.get(names.get(file.path, file.path))
            if content is None:
                copy.writelines(cabinet.read(file))
            else:
                content.seek(0)
                shutil.copyfileobj(content, copy, _CHUNK)
    written = directory / "written.cab"
    _run("gcab", "--create", "--zip", str(written), *(str(_relative(file)) for file in cabinet.files), cwd=files)
    return written


def _relative(file: CabinetFile) -> PurePosixPath:
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or file.path.startswith("-") or not file.path.isprintable():
        raise CannotSignError(f"the name {file.path!r} in the cabinet can't be that of a file")
    return path


def _installer(directory: Path, source: BinaryIO, container: Container, changed: Mapping[str, BinaryIO]) -> Path:
    written = directory / "written.msi"
    with written.open("wb") as copy:
        source.seek(0)
        shutil.copyfileobj(source, copy, _CHUNK)
    database = InstallerDatabase(source)
    installed: dict[str, InstalledFile] = {member.path: _key(member) for member in container.members}
    for cabinet in sorted({str(installed[path].cabinet) for path in changed}):
        if not _KEY.fullmatch(cabinet):
            raise CannotSignError(f"the installer file has a cabinet with the name {cabinet!r}")
        scratch = directory / f"cabinet-{len(list(directory.iterdir()))}"
        scratch.mkdir()
        present = scratch / "present.cab"
        with present.open("wb") as file:
            file.writelines(database.cabinet(cabinet))
        with present.open("rb") as file:
            names = {one.key: path for path, one in installed.items() if one.cabinet == cabinet}
            made = _cabinet(scratch, CabinetArchive(file), changed, names)
        _run("msibuild", str(written), "-a", cabinet, str(made), cwd=directory)
    for path, content in changed.items():
        size, hashes = _measured(content)
        key = installed[path].key
        if not _KEY.fullmatch(key):
            raise CannotSignError(f"the installer file has a file with the key {key!r}")
        queries = [f"UPDATE `File` SET `FileSize` = {size} WHERE `File` = '{key}'"]  # noqa: S608 - checked above
        if database.has_table("MsiFileHash"):
            values = ", ".join(f"`HashPart{number}` = {value}" for number, value in enumerate(hashes, 1))
            queries.append(f"UPDATE `MsiFileHash` SET {values} WHERE `File_` = '{key}'")  # noqa: S608 - as above
        for query in queries:
            _run("msibuild", str(written), "-q", query, cwd=directory)
    return written


def _key(member: Member) -> InstalledFile:
    key: InstalledFile = member.key
    return key


def _measured(content: BinaryIO) -> tuple[int, list[int]]:
    """Return the size of a file, and the four parts of its MD5 that Windows Installer keeps of unversioned files."""
    digest = hashlib.md5(usedforsecurity=False)
    size = content.seek(0)
    while data := content.read(_CHUNK):
        digest.update(data)
        size += len(data)
    parts = [int.from_bytes(digest.digest()[at : at + 4], "little", signed=True) for at in range(0, 16, 4)]
    return size, parts


def _run(*command: str, cwd: Path) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise CannotSignError(f"{command[0]} is not installed")
    try:
        # S603: an absolute path, no shell; names were checked.
        done = subprocess.run(  # noqa: S603 - see above
            [program, *command[1:]], cwd=cwd, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CannotSignError(f"{command[0]} did not end within {_TIMEOUT} s") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise CannotSignError(f"{command[0]} failed: {last}")
