"""Rules for every test: nothing of the developer's environment leaks in, and CI lets nothing be skipped."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)  # a busy one is slow, and that is no defect
settings.load_profile("any machine")

_PLATFORM_VARIABLES = ("SIGNPATH_", "GITHUB_", "GITEA_", "GITLAB_", "CI_", "RUNNER_", "BUILD_", "SYSTEM_", "AGENT_")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(_PLATFORM_VARIABLES) or name in {"CI", "TF_BUILD"} or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it where tests were skipped although nothing may be missing."""
    if os.environ.get("NO_SKIPPED_TESTS") and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("error: NO_SKIPPED_TESTS is set, and tests were skipped.", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run where tests were skipped although nothing may be missing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NO_SKIPPED_TESTS") and exitstatus == 0 and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
