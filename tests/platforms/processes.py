"""Processes whose output somebody follows."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

OnLine = Callable[[str], None]
"""Is given each line of the output as soon as it is there."""


def run_followed(
    command: Sequence[str | Path],
    *,
    directory: Path,
    environment: Mapping[str, str],
    deadline: float,
    on_line: OnLine | None = None,
) -> tuple[int, str]:
    """Run a command to its end; return its exit code, and both outputs together.

    Args:
        command: the program and its arguments.
        directory: where it runs.
        environment: all of it.
        deadline: seconds after which it hangs, by the judgement of the tests: it is killed.
        on_line: follows the output.
    """
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        # All that it has started, too: a job may wait for hours.
        hanging = threading.Timer(deadline, os.killpg, (process.pid, signal.SIGKILL))
        hanging.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if on_line:
                    on_line(line)
        finally:
            hanging.cancel()
    return process.returncode, "".join(lines)
