"""How long commands take that do almost nothing: what every step of a pipeline pays."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import median, run, table

_ROUNDS = 15
_BARE = "`python -c pass`"
_GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "acme/app",
    "GITHUB_REPOSITORY_OWNER": "acme",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_RUN_ID": "1",
    "GITHUB_RUN_NUMBER": "1",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_ACTOR": "someone",
    "GITHUB_WORKFLOW": "build",
    "GITHUB_WORKFLOW_REF": "acme/app/.github/workflows/build.yml@refs/heads/main",
}


def measure() -> str:
    """Return the table of start-up times, in milliseconds and against a bare interpreter."""
    python, program = sys.executable, str(Path(sys.executable).with_name("signpath-ci"))
    with tempfile.TemporaryDirectory() as directory:
        commit = _checkout(Path(directory))
        before = Path.cwd()
        os.chdir(directory)
        try:
            commands = {
                _BARE: ([python, "-c", "pass"], {}),
                "`signpath-ci --help`": ([program, "--help"], {}),
                "`signpath-ci origin`, on GitHub, in a checkout": (
                    [program, "origin"],
                    {**_GITHUB, "GITHUB_SHA": commit},
                ),
            }
            rows = []
            runs = {name: [run(command, environment)] for name, (command, environment) in commands.items()}
            for _ in range(_ROUNDS):
                for name, (command, environment) in commands.items():
                    runs[name].append(run(command, environment))
        finally:
            os.chdir(before)
    bare = median(runs[_BARE][1:])
    for name, measured in runs.items():
        found = median(measured[1:])
        times = [f"{found.seconds * 1000:.0f} ms", f"{found.cpu_seconds * 1000:.0f} ms"]
        rows.append([name, *times, f"{found.cpu_seconds / bare.cpu_seconds:.1f}"])
    return table(["command", f"median of {_ROUNDS}", "CPU time", "against a bare interpreter"], rows)


def _checkout(directory: Path) -> str:
    git = ["git", "-C", str(directory), "-c", "user.name=Bench", "-c", "user.email=bench@example.invalid"]
    subprocess.run([*git, "init", "--quiet", "--initial-branch=main"], check=True)
    (directory / "file").write_text("content", encoding="utf-8")
    subprocess.run([*git, "add", "file"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message=first"], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
