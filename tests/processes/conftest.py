"""The fixtures of these tests: a real sandbox, and the real command in a real process."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from signpath_ci.sandbox.child import running_sandbox
from tests.support.pe import LAUNCHERS
from tests.support.program import Program, RequestsOf, Sandbox, job_environment, sandbox_root


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    state = tmp_path_factory.mktemp("sandbox")
    with running_sandbox(["--processing-seconds", "0", "--state", str(state)]) as said:
        yield said


@pytest.fixture
def program(sandbox: Sandbox, tmp_path: Path) -> Program:
    return Program(tmp_path, job_environment(sandbox))


@pytest.fixture
def executable(tmp_path: Path) -> Path:
    """A real Windows executable in the job's directory, with data behind it that makes it this test's own."""
    path = tmp_path / "app.exe"
    path.write_bytes(LAUNCHERS["x64"].read_bytes() + uuid.uuid4().bytes)
    return path


@pytest.fixture
def requests_of(sandbox: Sandbox) -> RequestsOf:
    """The sandbox's own record of the requests for a file, by its SHA-256."""

    def listed(sha256: str) -> list[dict[str, Any]]:
        import requests

        answer = requests.get(f"{sandbox_root(sandbox)}/sandbox/requests", timeout=10)
        answer.raise_for_status()
        return [entry for entry in answer.json() if entry["unsigned_sha256"] == sha256]

    return listed
