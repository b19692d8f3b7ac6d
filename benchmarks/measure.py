"""Running commands and measuring them: wall time, CPU time, and the peak memory of the process itself."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Run:
    """One finished process: its wall time and its CPU time in seconds, and its peak resident memory in MiB."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


_LAUNCHER = """
import json, os, sys, time
null = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
started = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=null)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - started
code = os.waitstatus_to_exitcode(status)
print(json.dumps([code, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]))
"""
# A process of its own, as small as can be: a child's peak memory is never less than that of the process it came from.


def run(command: Sequence[str], environment: Mapping[str, str] | None = None, *, directory: Path | None = None) -> Run:
    """Run a command to its end, in `directory` or here.

    Raises:
        RuntimeError: it failed; the text holds what it wrote to standard error.
    """
    # Compiled modules are part of every normal installation; some machines forbid them by this variable.
    inherited = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    launched = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command],
        cwd=directory,
        env={**inherited, **(environment or {})},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if launched.returncode != 0:
        raise RuntimeError(f"{command[0]} can't be run: {launched.stderr}")
    code, seconds, cpu_seconds, peak_mib = json.loads(launched.stdout)
    if code != 0:
        raise RuntimeError(f"{command[0]} ended with {code}: {launched.stderr}")
    return Run(seconds=seconds, cpu_seconds=cpu_seconds, peak_mib=peak_mib)


def median(runs: Sequence[Run]) -> Run:
    """Return the median of times and of memory."""
    return Run(
        seconds=statistics.median(run.seconds for run in runs),
        cpu_seconds=statistics.median(run.cpu_seconds for run in runs),
        peak_mib=statistics.median(run.peak_mib for run in runs),
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
