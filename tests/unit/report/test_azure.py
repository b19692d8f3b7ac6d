from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from signpath_ci.report import CompositeReporter
from signpath_ci.report.azure import AzureReporter
from signpath_ci.report.lines import LineReporter
from tests.support.stories import (
    DOWNLOAD,
    FAILURE_SUMMARY,
    REJECTION_LINES,
    REJECTION_SUMMARY,
    SUMMARY,
    tell_of_denial,
    tell_of_hostility,
    tell_of_rejection,
    tell_of_success,
)
from tests.support.values import LINK, REQUEST_ID, FakeTime


def _reporter(directory: Path) -> tuple[AzureReporter, io.StringIO]:
    stream = io.StringIO()
    return AzureReporter(stream, {"AGENT_TEMPDIRECTORY": str(directory)}), stream


def test_a_whole_run(tmp_path: Path) -> None:
    reporter, stream = _reporter(tmp_path)

    tell_of_success(reporter)

    summary = tmp_path / f"signpath-{REQUEST_ID}.md"
    assert stream.getvalue().splitlines() == [
        "##vso[task.setsecret]tok%AZP25en",
        "##[group]Submit app.exe",
        "##vso[task.setprogress value=50;]Uploading",
        "##vso[task.setprogress value=100;]Uploading",
        "##[endgroup]",
        f"##vso[task.setvariable variable=SigningRequestId;isOutput=true;]{REQUEST_ID}",
        f"##vso[task.setvariable variable=SigningRequestWebUrl;isOutput=true;]{LINK}",
        f"##vso[task.setvariable variable=SignedArtifactDownloadUrl;isOutput=true;]{DOWNLOAD}",
        f"##vso[task.logissue type=warning;]The signing request {REQUEST_ID} waits for approval: {LINK}",
        "##vso[task.logissue type=warning;]the connector is slow",
        "##[group]The signed artifact",
        "##[endgroup]",
        "##vso[task.setvariable variable=Status;isOutput=true;]Completed",
        "##vso[task.setvariable variable=Signed;isOutput=true;]true",
        "##vso[task.setvariable variable=SignedArtifactPath;isOutput=true;]out dir/app.signed.exe",
        f"##vso[task.uploadsummary]{summary}",
    ]
    assert summary.read_text("utf-8") == SUMMARY


def test_a_failure_says_why(tmp_path: Path) -> None:
    reporter, stream = _reporter(tmp_path)

    tell_of_denial(reporter)

    summary = tmp_path / f"signpath-{REQUEST_ID}.md"
    assert stream.getvalue().splitlines()[-4:] == [
        "##vso[task.logissue type=error;]It ended as Denied. Ask the approver. [request-not-completed]",
        "##vso[task.setvariable variable=Status;isOutput=true;]Denied",
        "##vso[task.setvariable variable=Signed;isOutput=true;]false",
        f"##vso[task.uploadsummary]{summary}",
    ]
    assert summary.read_text("utf-8") == FAILURE_SUMMARY


def test_a_rejected_file_has_a_row_for_each_failure(tmp_path: Path) -> None:
    reporter, stream = _reporter(tmp_path)

    tell_of_rejection(CompositeReporter(reporter, LineReporter(stream, FakeTime().clock)))

    summary = tmp_path / f"signpath-{REQUEST_ID}.md"
    assert stream.getvalue().splitlines() == [
        "##[group]Submit app.exe",
        "Signing app.exe, 1.5 KiB",
        f"  SHA-256 before: {'ab' * 32}",
        "##[endgroup]",
        f"##vso[task.setvariable variable=SigningRequestId;isOutput=true;]{REQUEST_ID}",
        f"##vso[task.setvariable variable=SigningRequestWebUrl;isOutput=true;]{LINK}",
        f"Signing request {REQUEST_ID}",
        f"  {LINK}",
        "12:00:00 Completed after 5.0 s",
        "##[group]The signed artifact",
        "Downloaded the signed file, 1.5 KiB",
        f"  SHA-256 after: {'cd' * 32}",
        *REJECTION_LINES,
        "##[endgroup]",
        "##vso[task.logissue type=error;]all.zip: b# #vso[x] |.exe: the file is not signed. Ask. [not-signed]",
        "##vso[task.setvariable variable=Status;isOutput=true;]Completed",
        "##vso[task.setvariable variable=Signed;isOutput=true;]false",
        f"##vso[task.uploadsummary]{summary}",
    ]
    assert summary.read_text("utf-8") == REJECTION_SUMMARY


def test_progress_is_told_once_a_tenth(tmp_path: Path) -> None:
    reporter, stream = _reporter(tmp_path)

    for done in range(1000):
        reporter.downloading(done + 1, 1000)
    reporter.downloading(5, 0)

    assert stream.getvalue().splitlines() == [
        *(f"##vso[task.setprogress value={percent};]Downloading" for percent in range(0, 101, 10)),
        "##vso[task.setprogress value=0;]Downloading",
    ]


def test_foreign_text_forms_no_command_and_no_macro(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    reporter, stream = _reporter(tmp_path)

    tell_of_hostility(reporter)

    commands = re.findall(r"##(?:vso)?\[[^\]]*\]", stream.getvalue())
    assert {re.split(r"[ \]]", command)[0] for command in commands} == {
        "##[group",
        "##[endgroup",
        "##vso[task.logissue",
        "##vso[task.setvariable",
        "##vso[task.uploadsummary",
    }
    assert all(re.match(r"##(vso)?\[", line) for line in stream.getvalue().splitlines())
    assert len(commands) == len(stream.getvalue().splitlines())
    assert "\x1b" not in stream.getvalue()
    variables = dict(re.findall(r"variable=(\w+);isOutput=true;\](.*)", stream.getvalue()))
    assert set(variables) == {
        "SigningRequestId",
        "SigningRequestWebUrl",
        "SignedArtifactDownloadUrl",
        "Status",
        "Signed",
    }
    assert all("$(" not in value for value in variables.values())
    assert [record.getMessage() for record in caplog.records] == [
        "SignedArtifactPath is not set: its value holds a macro."
    ]
