"""The sandbox's pages with many requests stored, and a large file through upload and download: time, size, memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import requests

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.child import running_sandbox
from signpath_ci.sandbox.signing_request import Event, SigningRequest
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.store import Store

_REQUESTS = 20_000
_TRIES = 9
_FILE_BYTES = 1024**3
_PAGES = {
    "first page": "",
    "last page": f"?page={_REQUESTS // 50}",
    "text that nothing has": "?text=nothing-has-this",
    "branch and status": "?branch=main&status=Failed",
}


def measure() -> str:
    """Return the tables."""
    with tempfile.TemporaryDirectory() as name:
        state = Path(name) / "state"
        _fill(state)
        with running_sandbox(["--state", str(state), "--processing-seconds", "0"]) as sandbox:
            return f"{_list_table(sandbox)}\n\n{_transfer_table(sandbox, Path(name))}"


def _fill(state: Path) -> None:
    state.mkdir()
    store = Store(state)
    start = datetime.now(timezone.utc) - timedelta(minutes=_REQUESTS)
    states = (State.COMPLETED, State.COMPLETED, State.COMPLETED, State.PROCESSING_FAILED)
    model = SigningRequest(
        state=State.COMPLETED,
        created="",
        submitter="ci",
        project_slug="demo",
        signing_policy_slug="test-signing",
        artifact_configuration_slug="initial",
        file_name="",
        origin=RecordedOrigin(
            repository_url="https://github.com/acme/app", branch="main", commit="0" * 40, scm="git", build_url=None
        ),
        unsigned_sha256="0" * 64,
    )
    for number in range(_REQUESTS):
        at = (start + timedelta(minutes=number)).isoformat()
        history = tuple(Event(at=at, state=each) for each in (State.QUEUED_FOR_PROCESSING, State.PROCESSING))
        store.add(
            replace(
                model,
                id=f"{number:08}-0000-4000-8000-000000000000",
                state=states[number % len(states)],
                created=at,
                file_name=f"app-{number}.zip",
                description=f"Build {number}",
                history=history,
            )
        )
    store.close()


def _list_table(sandbox: dict[str, Any]) -> str:
    rows = [f"| list of {_REQUESTS:,} requests | median | size |", "| --- | --- | --- |"]
    with requests.Session() as session:
        for name, query in _PAGES.items():
            seconds, size = [], 0
            for _ in range(_TRIES):
                started = time.perf_counter()
                answer = session.get(sandbox["web_url"] + query, timeout=60)
                seconds.append(time.perf_counter() - started)
                answer.raise_for_status()
                size = len(answer.content)
            rows.append(f"| {name} | {statistics.median(seconds) * 1000:.0f} ms | {size / 1000:.0f} KB |")
    return "\n".join(rows)


def _transfer_table(sandbox: dict[str, Any], directory: Path) -> str:
    file, pid = directory / "large.bin", _child()
    with file.open("wb") as handle:
        handle.truncate(_FILE_BYTES)
    rows = [f"| {_FILE_BYTES // 1024**2} MiB by page | time | peak memory of the sandbox |", "| --- | --- | --- |"]
    web = sandbox["web_url"]
    command = ["curl", "--silent", "--fail", "--location", "--output", os.devnull, "--write-out", "%{url_effective}"]
    started = time.perf_counter()
    upload = [*command, "--form", "policy=release-signing", "--form", f"artifact=@{file}", f"{web}/sign"]
    page = subprocess.run(upload, check=True, capture_output=True, text=True).stdout
    rows.append(f"| upload | {time.perf_counter() - started:.1f} s | {_peak_mib(pid)} MiB |")
    started = time.perf_counter()
    subprocess.run([*command, f"{page}/UnsignedArtifact"], check=True, capture_output=True)
    rows.append(f"| download | {time.perf_counter() - started:.1f} s | {_peak_mib(pid)} MiB |")
    return "\n".join(rows)


def _child() -> int:
    """Return the process of the sandbox, the only child of this one."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()
    return int(children[-1])


def _peak_mib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024
