"""`signpath-ci sign` as a job runs it: the real command, the real sandbox, an independent judge."""

from __future__ import annotations

import hashlib
import os
import pty
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support import http
from tests.support.oracles import needs_osslsigncode, osslsigncode_accepts
from tests.support.program import Program, RequestsOf, Sandbox, finish, sandbox_root


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_goes_in_and_a_signed_verified_file_comes_out(
    program: Program, executable: Path, requests_of: RequestsOf
) -> None:
    before = executable.read_bytes()

    finished = program("sign", executable, "--json")

    assert finished.code == 0, finished.err
    result = finished.json
    signed = executable.with_name("app.signed.exe")
    [recorded] = requests_of(_sha256(executable))
    [verdict] = result.pop("verification").pop("verdicts")
    [file] = result.pop("files")
    assert (file["path"], file["sha256"]) == (str(signed), _sha256(signed))
    assert result == {
        "signing_request_id": recorded["id"],
        "status": "Completed",
        "workflow_status": "Completed",
        "web_link": result["web_link"],
        "input": str(executable),
        "output": str(signed),
        "outputs": [str(signed)],
        "unsigned_sha256": _sha256(executable),
        "signed_sha256": _sha256(signed),
        "artifact_configuration_sha256": None,
        "error": None,
    }
    assert (verdict["file"], verdict["trust"], verdict["identity"]) == (str(signed), "root", "same")
    assert verdict["timestamp"] is not None
    assert (recorded["times_signed"], recorded["signed_sha256"]) == (1, _sha256(signed))
    assert executable.read_bytes() == before
    assert sorted(path.name for path in executable.parent.iterdir()) == ["app.exe", "app.signed.exe"]
    assert http.get(result["web_link"], timeout=10).status_code == 200


@needs_osslsigncode
def test_an_independent_verifier_accepts_what_comes_out(program: Program, sandbox: Sandbox, executable: Path) -> None:
    finished = program("sign", executable, "-o", "out.exe")

    assert (finished.code, finished.out) == (0, "out.exe\n")
    osslsigncode_accepts(program.directory / "out.exe", root=Path(sandbox["trust_root"]))


def test_the_story_stands_on_standard_error_and_only_the_path_on_standard_output(
    program: Program, executable: Path
) -> None:
    finished = program("sign", executable.name)

    assert (finished.code, finished.out) == (0, "app.signed.exe\n")
    for words in ("Signing app.exe", "Signing request ", "Completed after ", "SHA-256 after: ", "trusted by root"):
        assert words in finished.err


def test_a_directory_takes_the_file_under_its_own_name(program: Program, executable: Path) -> None:
    (program.directory / "signed").mkdir()

    assert program("sign", executable, "-o", "signed/").out == "signed/app.exe\n"
    assert "signed/app.exe exists already" in program("sign", executable, "-o", "signed").error


def test_an_existing_output_is_replaced_only_when_told_so(program: Program, executable: Path) -> None:
    output = executable.with_name("app.signed.exe")
    output.write_text("mine", encoding="utf-8")

    refused = program("sign", executable)
    assert (refused.code, output.read_text(encoding="utf-8")) == (8, "mine")
    assert "--force" in refused.error

    assert program("sign", executable, "--force").code == 0
    assert program("verify", output, "--unsigned", executable).code == 0


def test_a_wrong_subject_is_found_before_the_file_gets_its_name(program: Program, executable: Path) -> None:
    finished = program("sign", executable, "--subject", "Somebody Else")

    assert finished.code == 7
    assert "Somebody Else" in finished.error
    assert not executable.with_name("app.signed.exe").exists()


def test_a_file_that_cannot_be_signed_ends_as_failed(program: Program) -> None:
    text = program.directory / "readme.txt"
    text.write_text("not an executable", encoding="utf-8")

    finished = program("sign", text, "--verify", "off", "--json")

    assert finished.code == 4
    assert (finished.json["status"], finished.json["workflow_status"]) == ("Failed", "ProcessingFailed")
    assert finished.json["error"]["exit_code"] == 4
    assert [path.name for path in program.directory.iterdir()] == ["readme.txt"]


def test_what_cannot_be_verified_is_said_before_it_is_submitted(program: Program, requests_of: RequestsOf) -> None:
    text = program.directory / "readme.txt"
    text.write_text("not an executable either", encoding="utf-8")

    finished = program("sign", text)

    assert (finished.code, requests_of(_sha256(text))) == (2, [])
    assert "--verify off" in finished.error


def test_executables_in_a_zip_are_signed_and_the_rest_stays(program: Program, executable: Path) -> None:
    archive = program.directory / "app.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(executable, "bin/app.exe")
        file.writestr("readme.txt", "hello")

    finished = program("sign", archive, "--json")

    assert finished.code == 0, finished.err
    [verdict] = finished.json["verification"]["verdicts"]
    assert (verdict["member"], verdict["trust"], verdict["identity"]) == ("bin/app.exe", "root", "same")
    with zipfile.ZipFile(program.directory / "app.signed.zip") as signed:
        assert signed.namelist() == ["bin/app.exe", "readme.txt"]
        assert signed.read("readme.txt") == b"hello"


def test_a_request_that_waits_for_its_approval_outlives_the_deadline(
    program: Program, executable: Path, requests_of: RequestsOf
) -> None:
    finished = program(
        "sign", executable, "--json", "--signing-policy-slug", "release-signing", "--wait-for-completion-timeout", "1"
    )

    assert finished.code == 5
    assert finished.json["status"] == "WaitingForApproval"
    assert finished.json["web_link"] in finished.error
    waiting = [entry for entry in requests_of(_sha256(executable)) if entry["status"] == "WaitingForApproval"]
    assert [entry["id"] for entry in waiting] == [finished.json["signing_request_id"]]


@pytest.mark.parametrize(("decision", "code", "status"), [("approve", 0, "Completed"), ("deny", 4, "Denied")])
def test_an_approval_decides(
    program: Program, sandbox: Sandbox, executable: Path, decision: str, code: int, status: str
) -> None:
    with program.start("sign", executable, "--json", "--signing-policy-slug", "release-signing") as process:
        assert process.stderr is not None
        request_id = ""
        for line in process.stderr:  # ends by itself where the process does
            if line.startswith("Signing request "):
                request_id = line.split()[-1]
            if "WaitingForApproval" in line:
                break
        answer = http.post(f"{sandbox_root(sandbox)}/sandbox/requests/{request_id}/{decision}", timeout=10)
        assert answer.ok
        finished = finish(process)

    assert (finished.code, finished.json["status"]) == (code, status)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_with_the_code_that_shells_know(
    program: Program, executable: Path, number: signal.Signals, code: int
) -> None:
    with program.start("sign", executable, "--signing-policy-slug", "release-signing") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "WaitingForApproval" in line:
                break
        process.send_signal(number)
        finished = finish(process)

    assert finished.code == code
    assert finished.error.startswith(f"Interrupted by {number.name}.")
    assert [path.name for path in program.directory.iterdir()] == ["app.exe"]


def test_a_terminal_shows_progress(program: Program, executable: Path) -> None:
    reader, writer = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "signpath_ci", "sign", str(executable)],
        env={**program.environment, "TERM": "xterm"},
        cwd=program.directory,
        stdout=subprocess.DEVNULL,
        stderr=writer,
    )
    os.close(writer)
    shown = b""
    try:
        while block := os.read(reader, 65536):
            shown += block
    except OSError:
        pass  # how a pseudo-terminal on Linux says that its other end is closed
    os.close(reader)

    assert process.wait(timeout=60) == 0
    assert b"\x1b[?25l" in shown, "a bar hides the cursor"
    assert b"Completed" in shown
