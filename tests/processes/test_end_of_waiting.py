"""When nobody waits any more: a deadline, a time after which the request is canceled, a canceled job."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.commands.test_receipts import _sha256
from tests.support.program import Program, RequestsOf, finish

GRACE = 7.5  # seconds that GitHub gives a canceled job


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("keep", [False, True])
def test_a_canceled_job_cancels_the_request_that_it_submitted(
    program: Program, executable: Path, requests_of: RequestsOf, number: signal.Signals, keep: bool
) -> None:
    options = ("--keep-on-interrupt",) if keep else ()
    with program.start("sign", executable, "--signing-policy-slug", "release-signing", *options) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "WaitingForApproval" in line:
                break
        process.send_signal(number)
        sent = time.monotonic()
        finished = finish(process)
        took = time.monotonic() - sent

    [recorded] = requests_of(_sha256(executable))
    assert finished.code == 128 + number
    assert took < GRACE
    assert recorded["status"] == ("WaitingForApproval" if keep else "Canceled")
    assert ("stays alive, see http" if keep else "is Canceled.") in finished.error
    assert recorded["id"] in finished.error


def test_a_canceled_job_leaves_a_request_alone_that_another_run_submitted(
    program: Program, executable: Path, requests_of: RequestsOf
) -> None:
    release = ("--signing-policy-slug", "release-signing", "--receipt", "r.json")
    assert program("submit", executable, *release).code == 0
    with program.start("sign", executable, *release) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "WaitingForApproval" in line:
                break
        process.send_signal(signal.SIGTERM)
        finished = finish(process)

    assert finished.code == 143
    assert [found["status"] for found in requests_of(_sha256(executable))] == ["WaitingForApproval"]


def test_a_request_can_be_canceled_after_a_time(program: Program, executable: Path, requests_of: RequestsOf) -> None:
    finished = program("sign", executable, "--signing-policy-slug", "release-signing", "--cancel-after", "1", "--json")

    assert finished.code == 4
    assert "--cancel-after" in finished.error
    assert finished.json["status"] == "Canceled"
    assert [found["status"] for found in requests_of(_sha256(executable))] == ["Canceled"]


def test_a_request_cannot_be_canceled_after_the_waiting(
    program: Program, executable: Path, requests_of: RequestsOf
) -> None:
    finished = program("sign", executable, "--cancel-after", "2h")

    assert finished.code == 2
    assert "--wait-for-completion-timeout" in finished.error
    assert requests_of(_sha256(executable)) == []


def test_a_wait_that_the_job_cannot_outlive_is_warned_of(program: Program, executable: Path) -> None:
    job = {"GITLAB_CI": "true", "CI_JOB_TIMEOUT": "3600"}
    finished = program("sign", executable, "--wait-for-completion-timeout", "8h", **job)

    assert finished.code == 0
    assert "this job is ended after 3600 s" in finished.err
