"""Real small disks that only a test's own processes see: a tmpfs in a name space of users and mounts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.support.needs import reason

_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")
PAGE = 4096
"""Bytes in which a tmpfs counts its space, on all usual machines."""


@dataclass(frozen=True)
class Disk:
    """A mounted disk.

    Attributes:
        directory: where the processes of `prefix` see it; for all others an empty directory.
        inside: the same, for this process.
        namespace: the id of the process that keeps it mounted.
    """

    directory: Path
    inside: Path
    namespace: int

    def prefix(self, directory: Path) -> tuple[str, ...]:
        """Return what to put before a command so that it sees the disk; it runs in `directory`."""
        enter = ("nsenter", f"--target={self.namespace}", "--user", "--mount", "--preserve-credentials")
        return (*enter, "sh", "-c", 'cd "$0" && exec "$@"', str(directory))

    def fill(self, *, but: int = 0) -> None:
        """Leave no byte of space, but for some pages."""
        block = bytes(PAGE)
        with (self.inside / "filler").open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(block)
            except OSError:
                file.truncate(file.tell() // PAGE * PAGE - but * PAGE)

    def free(self) -> None:
        """Give the space back."""
        (self.inside / "filler").unlink()

    def make_read_only(self) -> None:
        """Let nobody write any more."""
        command = (*self.prefix(Path("/")), "mount", "-o", "remount,ro", str(self.directory))
        subprocess.run(command, check=True, timeout=60)

    @property
    def names(self) -> list[str]:
        """All paths on the disk but the filler's, in order."""
        paths = (str(path.relative_to(self.inside)) for path in self.inside.rglob("*"))
        return sorted(path for path in paths if path != "filler")


@contextmanager
def disk_at(directory: Path, *, pages: int = 4096, files: int = 0) -> Iterator[Disk]:
    """Mount a disk.

    Args:
        directory: where; made where it does not exist.
        pages: its size.
        files: the most files and directories that it takes; 0: any number.
    """
    directory.mkdir(exist_ok=True)
    mount = f'mount -t tmpfs -o size={pages * PAGE},nr_inodes={files} none "$0" && echo mounted && exec cat'
    with subprocess.Popen(
        [*_UNSHARE, "sh", "-c", mount, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as keeper:
        assert keeper.stdin
        assert keeper.stdout
        assert keeper.stdout.readline() == "mounted\n"
        yield Disk(directory, Path(f"/proc/{keeper.pid}/root{directory}"), keeper.pid)
        keeper.stdin.close()  # it ends, and the disk with it


@cache
def _can_mount() -> bool:
    try:
        tried = subprocess.run(
            [*_UNSHARE, "mount", "-t", "tmpfs", "none", "/tmp"], capture_output=True, timeout=60, check=False
        )
    except FileNotFoundError:
        return False
    return tried.returncode == 0


needs_disks = pytest.mark.skipif(not _can_mount(), reason=reason("unshare"))
