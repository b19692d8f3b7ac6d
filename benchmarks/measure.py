"""Running commands and measuring them: wall time, and the peak memory of the process itself."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Run:
    """One finished process: its wall time in seconds, and its peak resident memory in MiB."""

    seconds: float
    peak_mib: float


def run(command: Sequence[str], environment: Mapping[str, str] | None = None, *, directory: Path | None = None) -> Run:
    """Run a command to its end, in `directory` or here.

    Raises:
        RuntimeError: it failed; the text holds what it wrote to standard error.
    """
    # Compiled modules are part of every normal installation; some machines forbid them by this variable.
    inherited = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    child = subprocess.Popen(
        command,
        cwd=directory,
        env={**inherited, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    words = child.stderr.read() if child.stderr else b""
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.stderr:
        child.stderr.close()
    if child.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {child.returncode}: {words.decode(errors='replace')}")
    return Run(seconds=seconds, peak_mib=usage.ru_maxrss / 1024)


def median(runs: Sequence[Run]) -> Run:
    """Return the median of time and of memory."""
    return Run(
        seconds=statistics.median(run.seconds for run in runs), peak_mib=statistics.median(run.peak_mib for run in runs)
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
