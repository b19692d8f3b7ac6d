"""A request beyond the run that submitted it: told, fetched, canceled, and signed again under another policy."""

from __future__ import annotations

from pathlib import Path

from tests.support import http
from tests.support.program import Program, Sandbox, finish, sandbox_root


def test_a_run_need_not_wait_and_another_fetches_what_was_signed(program: Program, executable: Path) -> None:
    submitted = program("sign", executable, "--no-wait-for-completion")
    request_id = submitted.out.strip()

    fetched = program("download", request_id, "--unsigned", executable, "--json")

    assert (submitted.code, fetched.code) == (0, 0), fetched.err
    assert fetched.json["signing_request_id"] == request_id
    assert fetched.json["output"] == str(executable.with_name("app.signed.exe"))
    assert fetched.json["verification"]["verdicts"][0]["identity"] == "same"
    assert program("status", request_id).out == "Completed\n"


def test_a_download_needs_a_name_for_the_file(program: Program) -> None:
    finished = program("download", "11111111-2222-3333-4444-555555555555", "-o", "x.exe")
    assert finished.code == 3
    assert "11111111-2222-3333-4444-555555555555" in finished.error


def test_the_tested_candidate_gets_the_release_signature(program: Program, sandbox: Sandbox, executable: Path) -> None:
    candidate = program("sign", executable, "--json").json
    arguments = ("--signing-policy-slug", "release-signing", "--unsigned", executable, "-o", "release.exe", "--json")

    with program.start("resubmit", candidate["signing_request_id"], *arguments) as process:
        assert process.stderr is not None
        request_id = ""
        for line in process.stderr:
            if line.startswith("Signing request "):
                request_id = line.split()[-1]
            if "WaitingForApproval" in line:
                break
        http.post(f"{sandbox_root(sandbox)}/sandbox/requests/{request_id}/approve", timeout=10).raise_for_status()
        finished = finish(process)

    assert finished.code == 0, finished.err
    release = finished.json
    assert release["signing_request_id"] == request_id != candidate["signing_request_id"]
    [tested], [released] = candidate["verification"]["verdicts"], release["verification"]["verdicts"]
    assert released["content_digest"] == tested["content_digest"]
    assert released["signer"]["thumbprint"] != tested["signer"]["thumbprint"]


def test_a_request_can_be_canceled_and_stays_so(program: Program, executable: Path) -> None:
    submitted = program("sign", executable, "--no-wait-for-completion", "--signing-policy-slug", "release-signing")
    request_id = submitted.out.strip()

    assert program("cancel", request_id).out == "Canceled\n"
    assert program("cancel", request_id, "--json").json["is_final"] is True
    assert program("download", request_id, "-o", "x.exe").code == 4


def test_an_unknown_request_is_refused(program: Program) -> None:
    for command in ("status", "cancel"):
        finished = program(command, "00000000-0000-0000-0000-000000000000")
        assert finished.code == 3
        assert finished.error
