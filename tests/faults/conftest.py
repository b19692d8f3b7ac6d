"""The bench for the cells of the matrix, and a sandbox behind a proxy."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from signpath_ci.sandbox.child import running_sandbox
from tests.faults.bench import Cell, Outcome, bench
from tests.faults.proxy import Exchange, Plan, proxying
from tests.support.pe import LAUNCHERS
from tests.support.program import Program, Sandbox, job_environment


@pytest.fixture(scope="session")
def run_cell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Cell], Outcome]]:
    """Run a cell of the matrix; return how it ended."""
    with bench(tmp_path_factory.mktemp("faults")) as running:
        yield running.run


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    state = tmp_path_factory.mktemp("local-faults")
    with running_sandbox(["--processing-seconds", "0.3", "--state", str(state)]) as said:
        yield said


@pytest.fixture
def program(sandbox: Sandbox, tmp_path: Path) -> Program:
    return Program(tmp_path, {**job_environment(sandbox), "SIGNPATH_SERVICE_UNAVAILABLE_TIMEOUT": "10"})


@pytest.fixture
def job(program: Program) -> Program:
    """The program in a directory with a real Windows executable of this test's own."""
    (program.directory / "app.exe").write_bytes(LAUNCHERS["x64"].read_bytes() + uuid.uuid4().bytes)
    return program


@contextmanager
def at(sandbox: Sandbox, step: str, action: Callable[[Exchange], None]) -> Iterator[str]:
    """Give the URL of the sandbox's API behind a proxy that does something at a step."""
    host, port = sandbox["api_url"].removeprefix("http://").removesuffix("/Api").split(":")
    with proxying((host, int(port)), Plan(step, action)) as proxy:
        yield f"http://127.0.0.1:{proxy.port}/Api"
        assert proxy.broken
