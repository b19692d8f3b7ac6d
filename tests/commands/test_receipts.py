"""Receipts: what one run submitted, another goes on with, on whichever machine."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import http
from tests.support.pe import LAUNCHERS
from tests.support.program import Program, RequestsOf, Sandbox, sandbox_root


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return said


def test_no_runner_waits(program: Program, sandbox: Sandbox, executable: Path) -> None:
    """One job submits and ends, a person approves, another job on another machine has only the receipt and fetches."""
    submitted = program("submit", executable, "--signing-policy-slug", "release-signing")
    receipt = executable.with_name("app.exe.receipt.json")
    request_id = submitted.out.strip()

    elsewhere = program.directory / "elsewhere"
    elsewhere.mkdir()
    receipt.rename(elsewhere / "receipt.json")
    other = Program(elsewhere, program.environment)
    early = other("wait", "receipt.json", "--wait-for-completion-timeout", "1")
    http.post(f"{sandbox_root(sandbox)}/sandbox/requests/{request_id}/approve", timeout=10).raise_for_status()
    waited = other("wait", "receipt.json", "--json")
    fetched = other("download", "receipt.json")

    assert (submitted.code, early.code, waited.code, fetched.code) == (0, 5, 0, 0), fetched.err
    assert (waited.json["signing_request_id"], waited.json["status"]) == (request_id, "Completed")
    assert fetched.out == "app.signed.exe\n"
    assert other("status", "receipt.json").out == "Completed\n"
    assert program("verify", elsewhere / "app.signed.exe", "--unsigned", executable).code == 0


def test_a_receipt_says_all_that_a_later_run_needs_and_no_secret(
    program: Program, sandbox: Sandbox, executable: Path, requests_of: RequestsOf
) -> None:
    finished = program("submit", executable, "--receipt", "r.json", "--description", "Nightly")

    said = _read(program.directory / "r.json")
    times = {name: said.pop(name) for name in ("created", "submitted")}
    [recorded] = requests_of(_sha256(executable))
    assert finished.code == 0, finished.err
    assert said == {
        "version": 1,
        "api_url": sandbox["api_url"],
        "organization_id": sandbox["organization_id"],
        "signing_request_id": recorded["id"],
        "web_link": said["web_link"],
        "signed_artifact_url": f"{sandbox['api_url']}/v1/{sandbox['organization_id']}"
        f"/SigningRequests/{recorded['id']}/SignedArtifact",
        "original_signing_request_id": None,
        "input": {"name": "app.exe", "size": executable.stat().st_size, "sha256": _sha256(executable)},
        "build_artifact": None,
        "project_slug": sandbox["project_slug"],
        "signing_policy_slug": sandbox["signing_policy_slug"],
        "artifact_configuration_slug": None,
        "artifact_configuration_sha256": None,
        "parameters": {},
        "description": "Nightly",
        "origin": {
            "platform": "local", "repository_url": None, "branch": None, "tag": None, "commit": None, "build_url": None
        },
    }  # fmt: skip
    assert recorded["id"] in said["web_link"]
    assert times["created"] <= times["submitted"]
    assert sandbox["api_token"] not in (program.directory / "r.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("first", ["submit", "sign"])
def test_a_second_run_goes_on_with_the_request_of_the_first(
    program: Program, executable: Path, requests_of: RequestsOf, first: str
) -> None:
    begun = program(first, executable, "--receipt", "r.json", "--json")
    receipt = (program.directory / "r.json").read_bytes()

    finished = program("sign", executable, "--receipt", "r.json", "--json", "--force")

    assert (begun.code, finished.code) == (0, 0), finished.err
    assert finished.json["signing_request_id"] == begun.json["signing_request_id"]
    assert len(requests_of(_sha256(executable))) == 1
    assert (program.directory / "r.json").read_bytes() == receipt
    assert program("verify", "app.signed.exe", "--unsigned", executable).code == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("input", "the input's SHA-256 is"),
        ("policy", "the signing policy is release-signing, and was test-signing"),
        ("parameters", "the parameters edition are others"),
        ("canceled", "its request ended as Canceled"),
    ],
)
def test_a_receipt_that_does_not_fit_says_why_and_a_new_request_is_made(
    program: Program, executable: Path, change: str, words: str
) -> None:
    policy = ["--signing-policy-slug", "release-signing"] if change == "canceled" else []
    earlier = program("submit", executable, "--receipt", "r.json", *policy).out.strip()
    arguments = list(policy)
    if change == "input":
        executable.write_bytes(LAUNCHERS["x64"].read_bytes() + b"another")
    elif change == "policy":
        arguments = ["--signing-policy-slug", "release-signing"]
    elif change == "parameters":
        arguments = ["--parameter", "edition=pro"]
    else:
        assert program("cancel", "r.json").out == "Canceled\n"

    finished = program("submit", executable, "--receipt", "r.json", *arguments)

    assert finished.code == 0, finished.err
    assert words in finished.err
    assert finished.out.strip() not in {"", earlier}
    assert _read(program.directory / "r.json")["signing_request_id"] == finished.out.strip()


def test_a_request_that_may_exist_or_not_is_not_made_again(
    program: Program, executable: Path, requests_of: RequestsOf
) -> None:
    """SignPath answers 403 for a request that there is not, as for one that this token may not see."""
    assert program("submit", executable, "--receipt", "r.json").code == 0
    receipt = _read(program.directory / "r.json")
    receipt["signing_request_id"] = "00000000-0000-0000-0000-000000000000"
    (program.directory / "r.json").write_text(json.dumps(receipt), encoding="utf-8")

    finished = program("submit", executable, "--receipt", "r.json")

    assert finished.code == 3, finished.err
    assert "[permission-denied]" in finished.err
    assert len(requests_of(_sha256(executable))) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is not JSON"),
        (b"\xff", "it is not JSON"),
        (b"[]", "is a list, and must be a mapping"),
        (b"{}", "has no signing_request_id, which is required"),
        (b'{"name": "my precious file"}', "has no version, which is required"),
        (b"[" * 100_000, "it is not JSON"),
    ],
)
def test_a_file_that_is_no_receipt_is_never_replaced(
    program: Program, executable: Path, requests_of: RequestsOf, content: bytes, words: str
) -> None:
    path = program.directory / "mine.json"
    path.write_bytes(content)

    finished = program("sign", executable, "--receipt", path)

    assert finished.code == 8
    assert words in finished.error
    assert path.read_bytes() == content
    assert requests_of(_sha256(executable)) == []


@pytest.mark.parametrize("command", ["wait", "download", "resubmit", "status", "cancel"])
def test_a_missing_receipt_is_said(program: Program, command: str) -> None:
    finished = program(command, "out/receipt.json")

    assert finished.code == 8
    assert "There is no receipt out/receipt.json" in finished.error


def test_a_receipt_of_another_signpath_is_not_believed(program: Program, executable: Path) -> None:
    assert program("submit", executable, "--receipt", "r.json").code == 0

    finished = program("download", "r.json", SIGNPATH_API_URL="http://127.0.0.1:9/Api")

    assert finished.code == 2
    assert "http://127.0.0.1:9/Api" in finished.error


def test_a_resubmit_with_a_receipt_asks_for_one_approval_only(program: Program, executable: Path) -> None:
    program("sign", executable, "--receipt", "candidate.json")
    arguments = ("resubmit", "candidate.json", "--signing-policy-slug", "release-signing", "--receipt", "release.json",
                 "--wait-for-completion-timeout", "1", "-o", "release.exe")  # fmt: skip

    first, second = program(*arguments, "--json"), program(*arguments, "--json")

    assert (first.code, second.code) == (5, 5), first.err
    assert first.json["signing_request_id"] == second.json["signing_request_id"]
    said = _read(program.directory / "release.json")
    assert said["original_signing_request_id"] == _read(program.directory / "candidate.json")["signing_request_id"]
