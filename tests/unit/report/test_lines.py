from __future__ import annotations

import io

from signpath_ci.model import Submission
from signpath_ci.report import CompositeReporter, Reporter
from signpath_ci.report.lines import LineReporter
from tests.support.stories import REJECTION_LINES, tell_of_rejection
from tests.support.values import LINK, REQUEST_ID, FakeTime, artifact, status, submission, verdict


def _tell_everything(reporter: Reporter) -> None:
    reporter.artifact_read(artifact())
    reporter.uploading(10, 1536)
    reporter.submitted(submission())
    reporter.status_changed(status("InProgress", "Processing"), 0.0)
    reporter.still_waiting(1.0)
    reporter.status_changed(status("Completed", "Completed", final=True), 2.04)
    reporter.downloading(10, 0)
    reporter.downloaded(artifact("app.signed.exe", sha256="cd" * 32))
    reporter.verified((verdict(),))
    reporter.explained(("field  here", "branch main"))
    reporter.close()


def test_the_log_tells_the_story() -> None:
    stream = io.StringIO()

    _tell_everything(LineReporter(stream, FakeTime().clock))

    assert stream.getvalue().splitlines() == [
        "Signing app.exe, 1.5 KiB",
        f"  SHA-256 before: {'ab' * 32}",
        f"Signing request {REQUEST_ID}",
        f"  {LINK}",
        "12:00:00 InProgress (Processing) after 0.0 s",
        "12:00:00 Completed after 2.0 s",
        "Downloaded the signed file, 1.5 KiB",
        f"  SHA-256 after: {'cd' * 32}",
        "Verified app.signed.exe: trusted by root; same content as submitted",
        "  format: pe",
        "  signer: CN=Acme",
        f"  thumbprint: {'cd' * 32}",
        "  timestamp: 2026-06-01 12:30:15 UTC by CN=TSA",
        f"  digest: sha256 {'ef' * 32}",
        "  field  here",
        "  branch main",
    ]


def test_what_failed_is_told_before_what_did_not() -> None:
    stream = io.StringIO()

    tell_of_rejection(CompositeReporter(LineReporter(stream, FakeTime().clock)))

    assert stream.getvalue().splitlines() == [
        "Signing app.exe, 1.5 KiB",
        f"  SHA-256 before: {'ab' * 32}",
        f"Signing request {REQUEST_ID}",
        f"  {LINK}",
        "12:00:00 Completed after 5.0 s",
        "Downloaded the signed file, 1.5 KiB",
        f"  SHA-256 after: {'cd' * 32}",
        *REJECTION_LINES,
    ]


def test_several_reporters_all_hear_everything() -> None:
    alone, one, two = io.StringIO(), io.StringIO(), io.StringIO()

    _tell_everything(LineReporter(alone, FakeTime().clock))
    _tell_everything(CompositeReporter(LineReporter(one, FakeTime().clock), LineReporter(two, FakeTime().clock)))

    assert (one.getvalue(), two.getvalue()) == (alone.getvalue(), alone.getvalue())


def test_a_long_transfer_or_wait_says_something_every_30_seconds() -> None:
    stream, time = io.StringIO(), FakeTime()
    reporter = LineReporter(stream, time.clock)

    for step in range(100):
        time.seconds = float(step)
        if step < 40:
            reporter.uploading(step << 20, 40 << 20)
        elif step < 70:
            reporter.still_waiting(step - 40.0)
        else:
            reporter.downloading(step << 20, 100 << 20)

    assert stream.getvalue().splitlines() == [
        "Uploading: 30.0 MiB of 40.0 MiB",
        "12:01:00 still waiting, 20 s so far",
        "Downloading: 90.0 MiB of 100.0 MiB",
    ]


def test_what_a_server_says_can_form_no_line_and_no_command() -> None:
    stream = io.StringIO()
    reporter = LineReporter(stream, FakeTime().clock)

    reporter.submitted(Submission(signing_request_id="1\n::error::x", web_link="::set-output name=a::b\x1b]0;x\x07"))
    reporter.status_changed(status("##vso[task.complete result=Succeeded;]"), 0.0)

    assert stream.getvalue().splitlines() == [
        "Signing request 1 ::error::x",
        "  : :set-output name=a::b?]0;x?",
        "12:00:00 # #vso[task.complete result=Succeeded;] after 0.0 s",
    ]
