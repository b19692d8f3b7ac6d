"""Other readers of ZIP archives, and what each sees: the names and bytes of the files, or nothing where it refuses.

Readers that are libraries read many archives in one process; programs are run once for each archive.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from signpath_ci.formats import FormatError
from signpath_ci.formats.zip import open_archive

_HERE = Path(__file__).parent
_NODE_MODULES = _HERE.parents[1] / "platforms" / "node_modules"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
_DEADLINE = 300

Seen = dict[str, str]
"""Names of files, with the SHA-256 of their content."""
Sight = tuple[str, Path, Seen | None]
"""What a reader sees of an archive; `None`: it refuses it."""

PROGRAMS: dict[str, tuple[list[str], bool]] = {
    # name: (command, whether the archive comes through a pipe)
    "unzip": (["unzip", "-qq", "-o", "{archive}", "-d", "{target}"], False),
    "7z": (["7z", "x", "-y", "-bd", "-bso0", "-bse0", "-o{target}", "{archive}"], False),
    "bsdtar": (["bsdtar", "-x", "-f", "{archive}", "-C", "{target}"], False),
    "bsdtar, streaming": (["bsdtar", "-x", "-f", "-", "-C", "{target}"], True),
}


def ours(data: Path) -> Seen | None:
    """Return what this project's reader sees."""
    try:
        with data.open("rb") as file, open_archive(file) as archive:
            seen = {entry.name: hashlib.sha256(archive.open(entry).read()).hexdigest() for entry in archive.entries}
    except FormatError:
        return None
    return {name: digest for name, digest in seen.items() if not name.endswith("/")}


def others(archives: Sequence[Path]) -> Iterator[Sight]:
    """Give what all readers see of all archives."""
    commands = [[python, "-I", str(_HERE / "python_reader.py")] for python in pythons()]
    commands.append(["java", str(_HERE / "Readers.java")])
    commands.append(["node", str(_HERE / "readers.cjs"), str(_NODE_MODULES.parent / "package.json")])
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(_library, archives, command) for command in commands]
        running += [pool.submit(_program, name, archive) for archive in archives for name in PROGRAMS]
        for future in running:
            yield from future.result()


@cache
def pythons() -> tuple[str, ...]:
    """Return this Python, and one of each other version from 3.10 on that there is."""
    found = {sys.version_info[1]: sys.executable}
    named = [path for minor in range(10, 20) if (path := shutil.which(f"python3.{minor}")) is not None]
    installed = sorted(map(str, (Path.home() / ".pyenv" / "versions").glob("3.*/bin/python3")))
    for python in (*named, *installed):
        asked = [python, "-I", "-c", "import sys; print(sys.version_info[1])"]
        said = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
        if said.returncode == 0 and int(said.stdout) >= 10:
            found.setdefault(int(said.stdout), python)
    return tuple(found.values())


def _library(archives: Sequence[Path], command: list[str]) -> list[Sight]:
    answer = subprocess.run(
        command, input="".join(f"{path}\n" for path in archives), capture_output=True, text=True, encoding="utf-8",
        env=_ENVIRONMENT, timeout=_DEADLINE, check=False,
    )  # fmt: skip
    lines = [line.split("\t") for line in answer.stdout.splitlines()]
    assert {Path(path) for _, path, _ in lines} == set(archives), answer.stderr[-2000:]
    return [(name, Path(path), None if seen.startswith("!") else _parsed(seen)) for name, path, seen in lines]


def _parsed(seen: str) -> Seen:
    entries = [entry.split("=") for entry in seen.split(";") if entry]
    names = [bytes.fromhex(name).decode("utf-8") for name, _ in entries]
    found = {name: digest for name, (_, digest) in zip(names, entries, strict=True) if not name.endswith("/")}
    twice = {name for name in names if names.count(name) > 1}
    return {**found, **{f"{name} (twice)": "" for name in twice}}


def _program(name: str, archive: Path) -> list[Sight]:
    command, is_piped = PROGRAMS[name]
    with tempfile.TemporaryDirectory() as target:
        ended = subprocess.run(
            [part.format(archive=archive, target=target) for part in command],
            input=archive.read_bytes() if is_piped else b"",
            capture_output=True, env=_ENVIRONMENT, timeout=_DEADLINE, check=False,
        )  # fmt: skip
        return [(name, archive, None if ended.returncode else _tree(Path(target)))]


def _tree(directory: Path) -> Seen:
    def content(path: Path) -> str:
        return f"link to {path.readlink()}" if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()

    files = [path for path in directory.rglob("*") if path.is_symlink() or not path.is_dir()]
    return {path.relative_to(directory).as_posix(): content(path) for path in files}


def differences(archives: Sequence[Path], known: Callable[[str, Path], bool] = lambda *_: False) -> list[str]:
    """Return what others see differently in archives that this project's reader accepts; others are left out."""
    accepted = {path: seen for path in archives if (seen := ours(path)) is not None}
    return [
        f"{name} sees {_shown(seen)} in {path.name} instead of {_shown(accepted[path])}"
        for name, path, seen in others(list(accepted))
        if seen is not None and seen != accepted[path] and not known(name, path)
    ]


def _shown(seen: Seen) -> str:
    return "{" + ", ".join(f"{name!r}: {digest[:8]}" for name, digest in seen.items()) + "}"
