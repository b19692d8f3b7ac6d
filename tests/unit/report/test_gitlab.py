from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from signpath_ci.report import CompositeReporter
from signpath_ci.report.gitlab import GitLabReporter, prefix
from signpath_ci.report.lines import LineReporter
from tests.support.stories import (
    DOWNLOAD,
    REJECTION_LINES,
    tell_of_denial,
    tell_of_hostility,
    tell_of_rejection,
    tell_of_success,
)
from tests.support.values import LINK, REQUEST_ID, FakeTime

NOON = 1780315200
JOB = {"CI_JOB_NAME": "sign: app 1/2"}


def _reporter(directory: Path, **environment: str) -> tuple[GitLabReporter, io.StringIO]:
    stream = io.StringIO()
    return GitLabReporter(stream, {**JOB, **environment}, directory, FakeTime().clock), stream


def test_a_whole_run(tmp_path: Path) -> None:
    reporter, stream = _reporter(tmp_path)

    tell_of_success(reporter)

    assert stream.getvalue() == (
        f"\x1b[0Ksection_start:{NOON}:signpath_1[collapsed=true]\r\x1b[0KSubmit app.exe\n"
        f"\x1b[0Ksection_end:{NOON}:signpath_1\r\x1b[0K\n"
        f"\x1b[1mThe signing request {REQUEST_ID} waits for approval: {LINK}\x1b[0m\n"
        f"\x1b[0Ksection_start:{NOON}:signpath_2[collapsed=true]\r\x1b[0KThe signed artifact\n"
        f"\x1b[0Ksection_end:{NOON}:signpath_2\r\x1b[0K\n"
    )
    assert (tmp_path / "signpath.env").read_text("utf-8") == (
        f"SIGN_APP_1_2_SIGNPATH_SIGNING_REQUEST_ID={REQUEST_ID}\n"
        f"SIGN_APP_1_2_SIGNPATH_SIGNING_REQUEST_WEB_URL={LINK}\n"
        f"SIGN_APP_1_2_SIGNPATH_SIGNED_ARTIFACT_DOWNLOAD_URL={DOWNLOAD}\n"
        "SIGN_APP_1_2_SIGNPATH_SIGNING_REQUEST_STATUS=Completed\n"
        "SIGN_APP_1_2_SIGNPATH_SIGNED=true\n"
        "SIGN_APP_1_2_SIGNPATH_SIGNED_ARTIFACT_PATH=out dir/app.signed.exe\n"
    )


def test_a_request_that_was_denied_is_known_to_later_jobs(tmp_path: Path) -> None:
    reporter, stream = _reporter(tmp_path, SIGNPATH_DOTENV="other.env")

    tell_of_denial(reporter)

    assert (tmp_path / "other.env").read_text("utf-8") == (
        f"SIGN_APP_1_2_SIGNPATH_SIGNING_REQUEST_ID={REQUEST_ID}\n"
        f"SIGN_APP_1_2_SIGNPATH_SIGNING_REQUEST_WEB_URL={LINK}\n"
        "SIGN_APP_1_2_SIGNPATH_SIGNING_REQUEST_STATUS=Denied\n"
        "SIGN_APP_1_2_SIGNPATH_SIGNED=false\n"
    )
    # The error is a line of the log already; nothing else would be looked at.
    assert "Denied" not in stream.getvalue()


def test_a_rejected_file_has_a_row_for_each_failure(tmp_path: Path) -> None:
    reporter, stream = _reporter(tmp_path)

    tell_of_rejection(CompositeReporter(reporter, LineReporter(stream, FakeTime().clock)))

    log = re.sub(r"\x1b\[0Ksection_(start|end):\d+:(\w+)(\[collapsed=true\])?\r\x1b\[0K", r"<\1 \2>", stream.getvalue())
    assert log.splitlines() == [
        "<start signpath_1>Submit app.exe",
        "Signing app.exe, 1.5 KiB",
        f"  SHA-256 before: {'ab' * 32}",
        "<end signpath_1>",
        f"Signing request {REQUEST_ID}",
        f"  {LINK}",
        "12:00:00 Completed after 5.0 s",
        "<start signpath_2>The signed artifact",
        "Downloaded the signed file, 1.5 KiB",
        f"  SHA-256 after: {'cd' * 32}",
        *REJECTION_LINES,
        "<end signpath_2>",
    ]
    assert (tmp_path / "signpath.env").read_text("utf-8") == (
        f"SIGN_APP_1_2_SIGNPATH_SIGNING_REQUEST_ID={REQUEST_ID}\n"
        f"SIGN_APP_1_2_SIGNPATH_SIGNING_REQUEST_WEB_URL={LINK}\n"
        "SIGN_APP_1_2_SIGNPATH_SIGNING_REQUEST_STATUS=Completed\n"
        "SIGN_APP_1_2_SIGNPATH_SIGNED=false\n"
    )


def test_foreign_text_forms_no_section_and_no_variable(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    reporter, stream = _reporter(tmp_path)

    tell_of_hostility(reporter)

    ours = r"\x1b\[0Ksection_(start|end):\d+:signpath_\d(\[collapsed=true\])?\r\x1b\[0K|\x1b\[[01]m"
    assert "\x1b" not in re.sub(ours, "", stream.getvalue())
    assert "\r" not in re.sub(ours, "", stream.getvalue())
    lines = (tmp_path / "signpath.env").read_text("utf-8").splitlines()
    assert [line.partition("=")[0].removeprefix("SIGN_APP_1_2_SIGNPATH_") for line in lines] == [
        "SIGNING_REQUEST_ID",
        "SIGNING_REQUEST_WEB_URL",
        "SIGNED_ARTIFACT_DOWNLOAD_URL",
        "SIGNING_REQUEST_STATUS",
        "SIGNED",
    ]
    assert all(re.fullmatch(r"\w+=[\w:/?#@!&+,;=%~.-]+", line) for line in lines)
    assert [record.getMessage() for record in caplog.records] == [
        "SIGN_APP_1_2_SIGNPATH_SIGNED_ARTIFACT_PATH is not handed on: its value is not one plain line."
    ]


@pytest.mark.parametrize(
    ("job", "name"),
    [
        ("submit-signing-request", "SUBMIT_SIGNING_REQUEST_"),
        ("sign: [a, b] 1/2", "SIGN_A_B_1_2_"),
        ("2 sign", "_2_SIGN_"),
        ("signé\nX=1", "SIGN_X_1_"),
        ("签", ""),
        ("", ""),
    ],
)
def test_variables_begin_with_the_name_of_the_job(job: str, name: str) -> None:
    assert prefix(job) == name
