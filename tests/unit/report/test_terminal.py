from __future__ import annotations

import io

from signpath_ci.report.terminal import TerminalReporter
from tests.support.values import LINK, REQUEST_ID, FakeTime, artifact, status, submission, verdict


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_bars_while_something_goes_on_and_keeps_the_lines() -> None:
    stream = Terminal()
    reporter = TerminalReporter(stream, FakeTime().clock)

    reporter.artifact_read(artifact())
    reporter.uploading(0, 1536)
    reporter.uploading(1536, 1536)
    reporter.submitted(submission())
    reporter.status_changed(status("[bold]InProgress"), 0.0)
    reporter.still_waiting(1.0)
    reporter.status_changed(status("Completed", final=True), 1.0)
    reporter.downloading(0, 0)
    reporter.downloading(2048, 2048)
    reporter.downloaded(artifact("app.signed.exe"))
    reporter.verified((verdict(),))
    reporter.close()

    shown = stream.getvalue()
    for text in (
        "Signing app.exe",
        "Uploading",
        REQUEST_ID,
        LINK,
        "[bold]InProgress",
        "Completed",
        "Downloading",
        "CN=Acme",
    ):
        assert text in shown


def test_closing_in_the_middle_gives_the_cursor_back() -> None:
    stream = Terminal()
    reporter = TerminalReporter(stream, FakeTime().clock)

    reporter.uploading(0, 10)
    reporter.close()

    assert stream.getvalue().count("\x1b[?25l") == stream.getvalue().count("\x1b[?25h") == 1


def test_a_status_can_not_command_the_terminal() -> None:
    stream = Terminal()
    reporter = TerminalReporter(stream, FakeTime().clock)

    reporter.status_changed(status("In\x1b]0;owned\x07Progress\u202e\n::error::x"), 0.0)
    reporter.close()

    shown = stream.getvalue()
    assert "\x1b]0;" not in shown
    assert "\u202e" not in shown
    assert "\n::error" not in shown


def test_a_terminal_that_has_gone_costs_no_signature() -> None:
    class Gone(Terminal):
        def write(self, _text: str) -> int:
            raise OSError(5, "Input/output error")

    reporter = TerminalReporter(Gone(), FakeTime().clock)

    reporter.uploading(0, 1)
    reporter.uploading(1, 1)
    reporter.submitted(submission())
    reporter.status_changed(status("InProgress"), 0.0)
    reporter.status_changed(status("Completed", final=True), 1.0)
    reporter.downloading(1, 1)
    reporter.downloaded(artifact("app.signed.exe"))
    reporter.close()
