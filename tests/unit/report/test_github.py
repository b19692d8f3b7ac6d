from __future__ import annotations

import io
import itertools
import re
from pathlib import Path

import pytest

from signpath_ci.errors import UsageError
from signpath_ci.report import CompositeReporter
from signpath_ci.report.github import GitHubReporter
from signpath_ci.report.lines import LineReporter
from signpath_ci.report.platform import PlatformReporter
from tests.support.stories import (
    DOWNLOAD,
    FAILURE_SUMMARY,
    HOSTILE,
    REJECTION_LINES,
    REJECTION_SUMMARY,
    SUMMARY,
    tell_of_denial,
    tell_of_hostility,
    tell_of_rejection,
    tell_of_success,
)
from tests.support.values import LINK, REQUEST_ID, FakeTime


def _reporter(directory: Path) -> tuple[PlatformReporter, io.StringIO]:
    stream, numbers = io.StringIO(), itertools.count(1)
    environment = {"GITHUB_OUTPUT": str(directory / "output"), "GITHUB_STEP_SUMMARY": str(directory / "summary")}
    return GitHubReporter(stream, environment, delimiter=lambda: f"END{next(numbers)}"), stream


def _outputs(path: Path) -> dict[str, str]:
    """Read an output file as the runner does: the first line that is the delimiter ends a value."""
    found, lines = {}, iter(path.read_bytes().decode().split("\n"))
    for line in lines:
        if line:
            name, _, delimiter = line.partition("<<")
            found[name] = "\n".join(itertools.takewhile(lambda line, end=delimiter: line != end, lines))  # type: ignore[misc] # the default keeps each delimiter
    return found


def test_a_whole_run(tmp_path: Path) -> None:
    reporter, stream = _reporter(tmp_path)

    tell_of_success(reporter)

    assert stream.getvalue().splitlines() == [
        "::add-mask::tok%25en",
        "::group::Submit app.exe",
        "::endgroup::",
        f"::notice title=SignPath::The signing request {REQUEST_ID} waits for approval: {LINK}",
        "::warning title=SignPath::the connector is slow",
        "::group::The signed artifact",
        "::endgroup::",
    ]
    assert (tmp_path / "output").read_text("utf-8") == (
        f"signing-request-id<<END1\n{REQUEST_ID}\nEND1\n"
        f"signing-request-web-url<<END2\n{LINK}\nEND2\n"
        f"signed-artifact-download-url<<END3\n{DOWNLOAD}\nEND3\n"
        "status<<END4\nCompleted\nEND4\n"
        "signed<<END5\ntrue\nEND5\n"
        "signed-artifact-path<<END6\nout dir/app.signed.exe\nEND6\n"
    )
    assert (tmp_path / "summary").read_text("utf-8") == SUMMARY


def test_a_failure_says_why(tmp_path: Path) -> None:
    reporter, stream = _reporter(tmp_path)

    tell_of_denial(reporter)

    assert (
        stream.getvalue().splitlines()[-1]
        == "::error title=SignPath::It ended as Denied. Ask the approver. [request-not-completed]"
    )
    assert _outputs(tmp_path / "output") == {
        "signing-request-id": REQUEST_ID,
        "signing-request-web-url": LINK,
        "status": "Denied",
        "signed": "false",
    }
    assert (tmp_path / "summary").read_text("utf-8") == FAILURE_SUMMARY


def test_a_rejected_file_has_a_row_for_each_failure(tmp_path: Path) -> None:
    reporter, stream = _reporter(tmp_path)

    tell_of_rejection(CompositeReporter(reporter, LineReporter(stream, FakeTime().clock)))

    assert stream.getvalue().splitlines() == [
        "::group::Submit app.exe",
        "Signing app.exe, 1.5 KiB",
        f"  SHA-256 before: {'ab' * 32}",
        "::endgroup::",
        f"Signing request {REQUEST_ID}",
        f"  {LINK}",
        "12:00:00 Completed after 5.0 s",
        "::group::The signed artifact",
        "Downloaded the signed file, 1.5 KiB",
        f"  SHA-256 after: {'cd' * 32}",
        *REJECTION_LINES,
        "::endgroup::",
        "::error title=SignPath::all.zip: b# #vso[x] |.exe: the file is not signed. Ask. [not-signed]",
    ]
    assert (tmp_path / "summary").read_text("utf-8") == REJECTION_SUMMARY


def test_a_failure_before_anything_was_begun_is_an_annotation_alone(tmp_path: Path) -> None:
    reporter, stream = _reporter(tmp_path)

    reporter.failed(UsageError("Not given: 100 % of it.", code="invalid-option"))

    assert stream.getvalue() == "::error title=SignPath::Not given: 100 %25 of it. [invalid-option]\n"
    assert not (tmp_path / "summary").exists()


def test_foreign_text_forms_no_command_and_no_output(tmp_path: Path) -> None:
    reporter, stream = _reporter(tmp_path)

    tell_of_hostility(reporter)

    lines = stream.getvalue().splitlines()
    assert [
        line for line in lines if not re.match(r"::(group|endgroup|notice title=SignPath|error title=SignPath)::", line)
    ] == []
    assert not re.search(r"##(vso)?\[|\x1b", stream.getvalue())
    outputs = _outputs(tmp_path / "output")
    assert set(outputs) == {
        "signing-request-id",
        "signing-request-web-url",
        "signed-artifact-download-url",
        "signed-artifact-path",
        "status",
        "signed",
    }
    assert outputs["signed-artifact-path"] == HOSTILE
    assert re.fullmatch(r"[\w?.-]+", outputs["signing-request-id"])
    assert re.fullmatch(r"https://signpath\.example/[\w:/?#@!&+,;=%~.-]+", outputs["signing-request-web-url"])


def test_a_delimiter_can_not_be_foreseen(tmp_path: Path) -> None:
    reporter = GitHubReporter(io.StringIO(), {"GITHUB_OUTPUT": str(tmp_path / "output")})

    tell_of_success(reporter)

    delimiters = re.findall(r"<<(signpath-[0-9a-f]{32})\n", (tmp_path / "output").read_text("utf-8"))
    assert len(set(delimiters)) == 6


def test_files_that_can_not_be_written_are_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    reporter = GitHubReporter(io.StringIO(), {"GITHUB_STEP_SUMMARY": str(tmp_path)})

    tell_of_success(reporter)

    records = [record.getMessage() for record in caplog.records]
    assert records == [f"{tmp_path} can't be written, the CI system will not know the results: Is a directory"]
