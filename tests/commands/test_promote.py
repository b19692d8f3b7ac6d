"""A tested candidate becomes the release, and nothing else does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import http
from tests.support.pe import LAUNCHERS
from tests.support.program import Finished, Program, Sandbox, finish, sandbox_root


def _git(directory: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=directory, check=True, capture_output=True, text=True
    ).stdout.strip()


def _commit(directory: Path) -> str:
    _git(directory, "commit", "--allow-empty", "--quiet", "--message", "work")
    return _git(directory, "rev-parse", "HEAD")


def _job(ref: str, commit: str) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": "acme/app",
        "GITHUB_REF": ref,
        "GITHUB_SHA": commit,
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_RUN_ID": "77",
        "GITHUB_RUN_NUMBER": "5",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_ACTOR": "someone",
        "GITHUB_WORKFLOW": "build",
    }


@pytest.fixture
def commit(program: Program, executable: Path) -> str:
    """A checkout whose build on `main` has signed a candidate for tests, and kept the receipt."""
    _git(program.directory, "init", "--quiet")
    commit = _commit(program.directory)
    signed = program("sign", executable, "--receipt", "candidate.json", **_job("refs/heads/main", commit))
    assert signed.code == 0, signed.err
    return commit


ARGUMENTS = ("promote", "candidate.json", "--signing-policy-slug", "release-signing", "-o", "release.exe", "--json")


def _requests(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.get(f"{sandbox_root(sandbox)}/sandbox/requests", timeout=10).json()
    return found


def test_the_candidate_of_the_tag_is_resubmitted_approved_and_released(
    program: Program, sandbox: Sandbox, executable: Path, commit: str
) -> None:
    tag = _job("refs/tags/v1.0", commit)
    with program.start(*ARGUMENTS, "--unsigned", "app.exe", **tag) as process:
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
    assert finished.json["signing_request_id"] == request_id
    assert program("verify", "release.exe", "--unsigned", executable).code == 0


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("branch", ["this build is not of a tag"]),
        ("another commit", ["by its receipt it was built from", "and the tag v1.0 is"]),
        ("another file", ["the file that SignPath has is"]),
        ("forged receipt", ["the file that SignPath has is"]),
        ("branch and commit", ["this build is not of a tag", "by its receipt it was built from"]),
    ],
)
def test_nothing_else_is_promoted(
    program: Program, sandbox: Sandbox, executable: Path, commit: str, why: str, words: list[str]
) -> None:
    arguments: list[str | Path] = []
    if "commit" in why:
        commit = _commit(program.directory)
    if why == "another file":
        other = executable.with_name("other.exe")
        other.write_bytes(LAUNCHERS["x64"].read_bytes())
        arguments = ["--unsigned", other]
    if why == "forged receipt":
        receipt = json.loads((program.directory / "candidate.json").read_text(encoding="utf-8"))
        receipt["input"]["sha256"] = "00" * 32
        (program.directory / "candidate.json").write_text(json.dumps(receipt), encoding="utf-8")
    before = len(_requests(sandbox))

    ref = "refs/heads/main" if why.startswith("branch") else "refs/tags/v1.0"
    finished = program(*ARGUMENTS, *arguments, **_job(ref, commit))

    _is_refused(finished, words)
    assert len(_requests(sandbox)) == before


def test_a_candidate_that_was_never_signed_is_not_promoted(program: Program, executable: Path) -> None:
    _git(program.directory, "init", "--quiet")
    commit = _commit(program.directory)
    release = ("--signing-policy-slug", "release-signing")
    program("submit", executable, "--receipt", "candidate.json", *release, **_job("refs/heads/main", commit))
    program("cancel", "candidate.json")

    _is_refused(program(*ARGUMENTS, **_job("refs/tags/v1.0", commit)), ["it is Canceled, and not Completed"])


def test_a_receipt_that_knows_no_file_needs_it_named(program: Program, commit: str) -> None:
    """As that of a connector, which has fetched it."""
    receipt = json.loads((program.directory / "candidate.json").read_text(encoding="utf-8"))
    receipt |= {"input": None, "build_artifact": "github:acme/app/runs/77/artifacts/1"}
    (program.directory / "candidate.json").write_text(json.dumps(receipt), encoding="utf-8")
    tag = _job("refs/tags/v1.0", commit)

    _is_refused(program(*ARGUMENTS, **tag), ["its receipt does not say which file it is of, and --unsigned names none"])
    named = program(*ARGUMENTS, "--unsigned", "app.exe", "--no-wait-for-completion", **tag)
    assert named.code == 0, named.err


def test_an_id_is_no_candidate(program: Program) -> None:
    finished = program("promote", "11111111-2222-3333-4444-555555555555", "-o", "x.exe")

    assert finished.code == 2
    assert "receipt" in finished.error


def _is_refused(finished: Finished, words: list[str]) -> None:
    assert finished.code == 7, finished.err
    assert [word for word in words if word not in finished.error] == []
