"""Rules for every test, and what tests of all directories share.

By default a sample of the tests runs, which takes minutes; with `--full` all of them do, with more examples:

- `@pytest.mark.full`: only with `--full`.
- `@pytest.mark.sample(n)`: without `--full`, only `n` of a test's parameters, evenly spread.
- Properties (`@given`): 20 examples, or 200.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from signpath_ci.sandbox.child import running_sandbox
from tests.support import http
from tests.support.needs import INSTALLED_BY, missing_tools
from tests.support.pe import LAUNCHERS
from tests.support.program import Program, RequestsOf, Sandbox, job_environment, sandbox_root

# A busy machine is slow, and that is no defect.
settings.register_profile("sample", deadline=None, max_examples=20)
settings.register_profile("full", deadline=None, max_examples=200)

_PLATFORM_VARIABLES = ("SIGNPATH_", "GITHUB_", "GITEA_", "GITLAB_", "CI_", "RUNNER_", "BUILD_", "SYSTEM_", "AGENT_")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run all tests, with more examples; not only a sample")
    parser.addoption("--no-skips", action="store_true", help="fail where a test is skipped")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("full" if config.getoption("full") else "sample")


def pytest_xdist_auto_num_workers() -> int:
    """Tests wait for processes and servers half of their time: two for each processor keep it busy."""
    return 2 * len(os.sched_getaffinity(0))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("full"):
        return
    left_out = {item for item in items if item.get_closest_marker("full")}
    for _, group in groupby(items, lambda item: item.nodeid.partition("[")[0]):
        cases = list(group)
        marker = cases[0].get_closest_marker("sample")
        if marker and len(cases) > marker.args[0]:
            step = (len(cases) - 1) / max(marker.args[0] - 1, 1)
            left_out |= set(cases) - {cases[round(number * step)] for number in range(marker.args[0])}
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=list(left_out))


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(_PLATFORM_VARIABLES) or name in {"CI", "TF_BUILD"} or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what nobody removes among the files of the run, which pytest removes."""
    tempfile.tempdir = str(tmp_path_factory.mktemp("temporary"))
    yield
    tempfile.tempdir = None


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """What the sandbox of these tests says about itself: one for each process that runs tests."""
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
        answer = http.get(f"{sandbox_root(sandbox)}/sandbox/requests", timeout=10)
        answer.raise_for_status()
        return [entry for entry in answer.json() if entry["unsigned_sha256"] == sha256]

    return listed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    tools = missing_tools([report.longrepr[2] for report in skipped])
    if tools:
        named = "; ".join(f"{tool} ({INSTALLED_BY[tool]})" for tool in tools)
        terminalreporter.write_line(f"{len(skipped)} tests were skipped. Missing: {named}", yellow=True)
    if skipped and terminalreporter.config.getoption("no_skips"):
        terminalreporter.write_line("error: --no-skips is given, and tests were skipped.", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("no_skips") and exitstatus == 0 and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
