"""`signpath-ci verify` from the outside: verdicts and refusals, as text and as JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Program


@pytest.fixture
def signed(program: Program, executable: Path) -> Path:
    assert program("sign", executable).code == 0
    return executable.with_name("app.signed.exe")


def test_a_good_file_is_told_with_its_signer(program: Program, signed: Path, executable: Path) -> None:
    finished = program("verify", signed, "--unsigned", executable)

    assert (finished.code, finished.err) == (0, "")
    lines = finished.out.splitlines()
    assert lines[0] == "Verified app.signed.exe: trusted by root; same content as submitted"
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["signer", "thumbprint", "time stamp"]


def test_the_thumbprint_that_was_printed_pins_the_signer(program: Program, signed: Path) -> None:
    [verdict] = program("verify", signed, "--json").json["verdicts"]

    pinned = program(
        "verify", signed, "--json", "--thumbprint", verdict["signer"]["thumbprint"], SIGNPATH_TRUST_ROOT=""
    )
    other = program("verify", signed, "--thumbprint", "00" * 32, SIGNPATH_TRUST_ROOT="")

    assert pinned.json["verdicts"][0]["trust"] == "thumbprint"
    assert (pinned.code, other.code) == (0, 7)


def test_the_unsigned_file_is_not_signed(program: Program, executable: Path) -> None:
    finished = program("verify", executable, "--json")

    assert finished.code == 7
    assert (finished.json["verdicts"], finished.json["error"]["exit_code"]) == ([], 7)
    assert "not signed" in finished.error


def test_a_format_that_cannot_be_judged_is_unsupported_never_ok(program: Program) -> None:
    (program.directory / "a.txt").write_text("text", encoding="utf-8")

    finished = program("verify", "a.txt")

    assert (finished.code, finished.out) == (7, "")
    assert "unsupported" in finished.error.lower()


def test_a_missing_file_is_a_local_problem(program: Program) -> None:
    finished = program("verify", "none.exe")

    assert finished.code == 8
    assert "none.exe" in finished.error
