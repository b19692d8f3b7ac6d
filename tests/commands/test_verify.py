"""`signpath-ci verify` from the outside: verdicts and refusals, as text and as JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.archives import build_zip
from tests.support.program import Program


@pytest.fixture
def signed(program: Program, executable: Path) -> Path:
    assert program("sign", executable).code == 0
    return executable.with_name("app.signed.exe")


def test_a_good_file_is_told_with_its_signer(program: Program, signed: Path, executable: Path) -> None:
    finished = program("verify", signed, "--unsigned", executable)

    assert (finished.code, finished.err) == (0, "")
    lines = finished.out.splitlines()
    assert lines[0] == "Verified app.signed.exe: trusted by root; same content as submitted"
    names = ["format", "signer", "thumbprint", "timestamp", "digest"]
    assert [line.split(":")[0].strip() for line in lines[1:]] == names


def test_every_file_in_an_archive_has_its_verdict(program: Program, signed: Path) -> None:
    archive = program.directory / "all.zip"
    good = signed.read_bytes()
    bad = bytearray(good)
    bad[5000] ^= 1
    hostile = "dir/##vso[x] bad.exe"
    archive.write_bytes(build_zip({"a.exe": good, hostile: bytes(bad), "b.exe": good, "note.txt": b"text"}))

    finished = program("verify", archive)
    told = program("verify", archive, "--json")

    changed = "the file was changed after it was signed: its Authenticode hash is not the signed one"
    shown = "dir/# #vso[x] bad.exe"
    assert (finished.code, told.code) == (7, 7)
    assert finished.error == told.error == f"{archive}: {shown}: {changed}."
    *lines, last = [line for line in finished.out.splitlines() if not line.startswith("  ")]
    assert last.startswith("Files: 2 signed, 0 unchanged, 0 added, 0 allowed")
    assert lines == [
        f"Not verified all.zip: {shown}: failed: {changed} [digest-mismatch]",
        "Verified all.zip: a.exe: trusted by root; not compared with the submitted file",
        "Verified all.zip: b.exe: trusted by root; not compared with the submitted file",
    ]
    failed, *rest = told.json["verdicts"]
    assert failed == {
        "file": str(archive),
        "member": hostile,
        "format": "pe",
        "verdict": f"failed: {changed}",
        "code": "digest-mismatch",
        "trust": None,
        "stated_by": None,
        "identity": None,
        "digest_algorithm": None,
        "content_digest": None,
        "signer": None,
        "timestamp": None,
        "notes": None,
    }
    assert [(one["member"], one["verdict"], one["format"]) for one in rest] == [
        ("a.exe", "good", "pe"),
        ("b.exe", "good", "pe"),
    ]
    assert told.json["error"] == {
        "message": f"{archive}: {shown}: {changed}.",
        "hint": None,
        "code": "digest-mismatch",
        "exit_code": 7,
    }
    assert "##" not in told.out


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
    [verdict] = finished.json["verdicts"]
    assert (verdict["file"], verdict["format"], verdict["signer"]) == (str(executable), "pe", None)
    assert (verdict["verdict"], finished.json["error"]["exit_code"]) == ("failed: the file is not signed", 7)
    assert "not signed" in finished.error


def test_a_format_that_cannot_be_verified_is_never_ok(program: Program) -> None:
    (program.directory / "a.txt").write_text("text", encoding="utf-8")

    finished = program("verify", "a.txt")

    assert finished.code == 7
    assert "[not-verifiable]" in finished.out


def test_a_missing_file_is_a_local_problem(program: Program) -> None:
    finished = program("verify", "none.exe")

    assert finished.code == 8
    assert "none.exe" in finished.error
