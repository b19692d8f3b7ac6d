"""Ctrl-C on Windows: the run ends soon, also in a call that gets no answer."""

from __future__ import annotations

import os
import pty
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.windows.conftest import WindowsProgram

_DEADLINE = 60.0


def test_ctrl_c_ends_a_run_whose_call_is_not_answered(windows: WindowsProgram, program_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {
            **windows.environment,
            "SIGNPATH_API_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/Api",
            "WINEPREFIX": str(Path(windows.prefix[0]).parent / "prefix"),
            "WINEDEBUG": "-all",
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm",
        }
        python = str(Path(windows.prefix[0]).parent / "python" / "python.exe")
        controller, terminal = pty.openpty()  # Ctrl-C needs a console, and Wine makes one of a terminal
        command = ["setsid", "--ctty", "--wait", "wine", python, *windows.command, "sign", program_file.name]
        with subprocess.Popen(
            command,
            cwd=windows.directory,
            env=environment,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        ) as process:
            os.close(terminal)
            silent.settimeout(_DEADLINE)
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)  # the call has been sent: from now on nothing is answered
                os.write(controller, b"\x03")
                started = time.monotonic()
                shown = _read_to_the_end(controller, process)
        os.close(controller)

    assert b"SIGINT" in shown
    assert time.monotonic() - started < _DEADLINE / 2


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
