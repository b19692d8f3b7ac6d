"""Run `sign --receipt` and kill it at its n-th write or call, for n = 1, 2, ...; a helper of `test_kill`.

One process that has everything imported forks each run, so that a run costs milliseconds. Arguments: a directory.
The environment: as for `signpath-ci sign`. Standard output: one JSON object a line for each n.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from signpath_ci import cli
from signpath_ci.api import rest, transport
from signpath_ci.clock import Clock
from signpath_ci.commands import sign
from signpath_ci.workflows.process import Process

_IMPORTED = (rest, transport, sign)
_KILLS = 2  # runs for one input that are killed, before one that is not
_SIZE = 300 * 1024  # bytes; the upload takes several pieces


class _Killer:
    """Counts points, and ends the process at the n-th."""

    def __init__(self, number: int) -> None:
        self._left = number

    def watch(self, owner: Any, name: str) -> None:
        """Make the beginning and the end of each call of a function a point."""
        function = getattr(owner, name)

        def watched(*arguments: Any, **more: Any) -> Any:
            self._point()
            result = function(*arguments, **more)
            self._point()
            return result

        setattr(owner, name, watched)

    def _point(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def _run(directory: Path, kill_at: int) -> int:
    """Sign in a child process; return its exit code, negative where it was killed."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 99
    try:
        killer = _Killer(kill_at)
        for name in ("write", "fsync", "link", "replace", "unlink", "ftruncate"):
            killer.watch(os, name)
        for name in ("send", "getresponse", "connect"):
            killer.watch(http.client.HTTPConnection, name)
        arguments = [
            "sign", str(directory / "app.bin"), "-o", str(directory / "signed.bin"), "--force",
            "--receipt", str(directory / "receipt.json"), "--verify", "off",
        ]  # fmt: skip
        process = Process(
            environment=os.environ,
            directory=directory,
            stdout=io.StringIO(),
            stderr=io.StringIO(),
            clock=Clock(sleep=lambda seconds: time.sleep(min(seconds, 0.02))),
        )
        command, settings = cli.parse(arguments, os.environ)
        command.run(settings, process)
        code = 0
    finally:
        os._exit(code)


def main() -> None:
    root = Path(sys.argv[1])
    number, was_killed = 0, True
    while was_killed:
        number += 1
        directory = root / str(number)
        directory.mkdir()
        content = os.urandom(_SIZE)
        (directory / "app.bin").write_bytes(content)
        codes = [_run(directory, number) for _ in range(_KILLS)]
        was_killed = codes[0] < 0
        last = _run(directory, 0)
        said = {
            "number": number,
            "codes": codes,
            "last": last,
            "sha256": hashlib.sha256(content).hexdigest(),
            "receipt": json.loads((directory / "receipt.json").read_text(encoding="utf-8")),
            "signed_sha256": hashlib.sha256((directory / "signed.bin").read_bytes()).hexdigest(),
            "files": sorted(path.name for path in directory.iterdir()),
        }
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
