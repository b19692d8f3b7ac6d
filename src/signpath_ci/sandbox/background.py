"""A sandbox in the background: started with --detach, ended with --stop. Its state directory tells both where it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from signpath_ci.errors import UsageError
from signpath_ci.sandbox.store import is_in_use

_PID, _ABOUT, _LOG = "sandbox.pid", "sandbox.json", "sandbox.log"
_STOP_SECONDS = 15.0
_LOOK_EVERY = 0.05


def detach(directory: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
    """Start a sandbox that outlives this process, and return what it says about itself once it is ready.

    Args:
        directory: the state directory.
        arguments: options of `signpath-ci sandbox`, without `--detach`, `--state` and `--json`.
        environment: the environment variables.

    Raises:
        UsageError: one is running there already, or it did not start; the message has what it said.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if is_in_use(directory):
        raise UsageError(
            f"A sandbox is running on {directory} already.",
            hint=f"End it with: signpath-ci sandbox --stop --state {directory}",
            code="sandbox-unusable",
        )
    command = [sys.executable, "-m", "signpath_ci", "sandbox", "--json", "--state", str(directory), *arguments]
    # The options say it all: what the variables said is in them.
    environment = {name: value for name, value in environment.items() if not name.startswith("SIGNPATH_SANDBOX_")}
    with (directory / _LOG).open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 - this program itself
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    line = child.stdout.readline() if child.stdout else b""
    if child.stdout:
        child.stdout.close()
    if not line:
        child.wait()
        said = (directory / _LOG).read_text("utf-8", "replace").strip().splitlines()
        raise UsageError(
            f"The sandbox did not start: {said[-1] if said else 'it said nothing'}",
            hint=f"Its log is {directory / _LOG}.",
            code="sandbox-unusable",
        )
    (directory / _PID).write_text(str(child.pid), "ascii")
    (directory / _ABOUT).write_bytes(line)
    (directory / _ABOUT).chmod(0o600)
    child.returncode = 0  # it is not this process's to wait for
    about: dict[str, Any] = json.loads(line)
    return about


def stop(directory: Path) -> None:
    """End the sandbox of a state directory; what it keeps stays.

    Raises:
        UsageError: none is running there, or it does not end.
    """
    # Only while its lock is held, the number is that of the sandbox, and not of another process after it.
    if not is_in_use(directory):
        raise UsageError(
            f"No sandbox is running on {directory}.", hint="Name its directory with --state.", code="sandbox-unusable"
        )
    try:
        pid = int((directory / _PID).read_text("ascii"))
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The sandbox on {directory} can't be ended: {error}.",
            hint="It was not started with --detach: end it where it was started, with Ctrl+C.",
            code="sandbox-unusable",
        ) from None
    deadline = time.monotonic() + _STOP_SECONDS
    while is_in_use(directory):
        if time.monotonic() > deadline:
            raise UsageError(
                f"The sandbox (process {pid}) did not end within {_STOP_SECONDS:.0f} s.",
                hint="Look at its log, and end the process.",
                code="sandbox-unusable",
            )
        time.sleep(_LOOK_EVERY)
    for name in (_PID, _ABOUT):
        (directory / name).unlink(missing_ok=True)
