from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from signpath_ci.report.lines import LineReporter
from signpath_ci.report.terminal import TerminalReporter
from signpath_ci.workflows.process import Process, reporter_for


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _process(stderr: io.StringIO) -> Process:
    return Process(environment={}, directory=Path(), stdout=io.StringIO(), stderr=stderr)


def test_a_terminal_gets_bars_and_a_log_gets_lines() -> None:
    assert type(reporter_for(_process(Terminal()))) is TerminalReporter
    assert type(reporter_for(_process(io.StringIO()))) is LineReporter


def test_a_terminal_without_the_extra_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "signpath_ci.report.terminal")
    monkeypatch.setitem(sys.modules, "rich.console", None)

    assert type(reporter_for(_process(Terminal()))) is LineReporter
