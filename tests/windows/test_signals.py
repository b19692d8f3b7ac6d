"""Ctrl-C on Windows: the run ends soon, also in a call that gets no answer."""

from __future__ import annotations

import os
import pty
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.windows.conftest import WindowsProgram, names_in, requests_of, wait_for_new_request

_DEADLINE = 60.0


@dataclass(frozen=True)
class Console:
    """A run in a console of its own: Ctrl-C needs one, and Wine makes one of a terminal."""

    process: subprocess.Popen[bytes]
    controller: int

    def press_ctrl_c(self) -> tuple[bytes, float]:
        """Press Ctrl-C; return what is shown until the run has ended, and the seconds that this took."""
        os.write(self.controller, b"\x03")
        started = time.monotonic()
        shown = _read_to_the_end(self.controller, self.process)
        return shown, time.monotonic() - started


@contextmanager
def console(windows: WindowsProgram, *arguments: str, **environment: str) -> Iterator[Console]:
    """Start the program in a console."""
    directory = Path(windows.prefix[0]).parent
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [
            *("setsid", "--ctty", "--wait", "wine"),
            *(str(directory / "python" / "python.exe"), *windows.command, *arguments),
        ],
        cwd=windows.directory,
        env={
            **windows.environment,
            "WINEPREFIX": str(directory / "prefix"),
            "WINEDEBUG": "-all",
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm",
            **environment,
        },
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        try:
            yield Console(process, controller)
        finally:
            os.close(controller)


def test_ctrl_c_ends_a_run_whose_call_is_not_answered(windows: WindowsProgram, program_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/Api"
        with console(windows, "sign", program_file.name, SIGNPATH_API_URL=url) as run:
            silent.settimeout(_DEADLINE)
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)  # the call has been sent: from now on nothing is answered
                shown, seconds = run.press_ctrl_c()

    assert b"SIGINT" in shown
    assert seconds < _DEADLINE / 2


def test_ctrl_c_cancels_a_request_that_waits_for_an_approval(
    windows: WindowsProgram, program_file: Path, sandbox: dict[str, Any]
) -> None:
    known = len(requests_of(sandbox))
    with console(windows, "sign", program_file.name, SIGNPATH_SIGNING_POLICY_SLUG="release-signing") as run:
        request = wait_for_new_request(sandbox, known)
        shown, _ = run.press_ctrl_c()

    assert b"SIGINT" in shown
    assert [r["status"] for r in requests_of(sandbox) if r["id"] == request["id"]] == ["Canceled"]
    assert names_in(windows.directory) == [program_file.name]


def _read_to_the_end(controller: int, process: subprocess.Popen[bytes]) -> bytes:
    shown, end = b"", time.monotonic() + _DEADLINE
    while piece := _read(controller):
        shown += piece
        if time.monotonic() > end:
            os.killpg(process.pid, signal.SIGKILL)
    return shown


def _read(controller: int) -> bytes:
    """Return what the terminal shows next; nothing once its programs have ended, or after a minute of silence."""
    if not select.select([controller], [], [], _DEADLINE)[0]:
        return b""
    try:
        return os.read(controller, 4096)
    except OSError:  # Linux' way of saying that nobody has the terminal open
        return b""
