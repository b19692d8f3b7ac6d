"""Many files in one run: each its own request, all outcomes told, none lost."""

from __future__ import annotations

import signal
import time
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.support import http
from tests.support.archives import build_zip
from tests.support.pe import LAUNCHERS
from tests.support.program import Program, Sandbox, finish, sandbox_root
from tests.support.signing import CODE_SIGNING, issue, sign_image, write_pe

START = datetime.now(timezone.utc) - timedelta(days=1)


def _make(*paths: Path) -> list[bytes]:
    contents = [LAUNCHERS["x64"].read_bytes() + uuid.uuid4().bytes for _ in paths]
    for path, content in zip(paths, contents, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return contents


def _names(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def test_files_patterns_and_directories(program: Program) -> None:
    root = program.directory
    _make(root / "a.exe", root / "dist" / "b.exe", root / "dist" / "sub" / "c.exe", root / "more" / "d.exe")
    (root / "dist" / "readme.txt").write_text("not an executable", encoding="utf-8")

    finished = program("sign", "a.exe", "dist", "mor?/*.exe")

    assert finished.code == 0, finished.err
    assert finished.out.splitlines() == [
        "a.signed.exe", "dist/b.signed.exe", "dist/sub/c.signed.exe", "more/d.signed.exe"
    ]  # fmt: skip
    for name in finished.out.splitlines():
        assert program("verify", name, "--unsigned", name.replace(".signed", "")).code == 0
    assert "c.exe: Verified c.signed.exe" in finished.err


def test_a_directory_is_signed_again_without_what_was_signed(program: Program) -> None:
    _make(program.directory / "dist" / "b.exe")
    assert program("sign", "dist").code == 0

    assert program("sign", "dist", "--force").out == "dist/b.signed.exe\n"
    assert _names(program.directory) == ["dist/b.exe", "dist/b.signed.exe"]


def test_one_failure_fails_the_run_and_loses_no_other_s_result(program: Program) -> None:
    root = program.directory
    _make(root / "a.exe", root / "c.exe")
    (root / "b.exe").write_bytes(b"MZ but no executable")

    finished = program("sign", "a.exe", "b.exe", "c.exe", "--json")

    assert finished.code != 0
    assert "1 of 3 files were not signed: b.exe: " in finished.error
    results: list[dict[str, Any]] = finished.json["results"]
    assert [(one["input"], one["output"]) for one in results] == [
        ("a.exe", "a.signed.exe"), ("b.exe", None), ("c.exe", "c.signed.exe")
    ]  # fmt: skip
    assert results[1]["error"]["exit_code"] == finished.code
    assert _names(root) == ["a.exe", "a.signed.exe", "b.exe", "c.exe", "c.signed.exe"]


def test_in_place_all_are_replaced(program: Program) -> None:
    root = program.directory
    before = _make(root / "a.exe", root / "dist" / "b.exe")
    (root / "a.exe").chmod(0o754)

    finished = program("sign", "a.exe", "dist/b.exe", "--in-place")

    assert (finished.code, finished.out) == (0, "a.exe\ndist/b.exe\n"), finished.err
    assert _names(root) == ["a.exe", "dist/b.exe"]
    for path, content in zip((root / "a.exe", root / "dist" / "b.exe"), before, strict=True):
        (root / "old.exe").write_bytes(content)
        assert program("verify", path, "--unsigned", "old.exe").code == 0
    assert (root / "a.exe").stat().st_mode & 0o777 == 0o754


def test_in_place_none_is_replaced_where_one_fails(program: Program) -> None:
    root = program.directory
    before = _make(root / "a.exe", root / "c.exe")
    (root / "b.exe").write_bytes(b"MZ but no executable")

    finished = program("sign", "a.exe", "b.exe", "c.exe", "--in-place")

    assert finished.code != 0
    assert [(root / "a.exe").read_bytes(), (root / "c.exe").read_bytes()] == before
    assert _names(root) == ["a.exe", "b.exe", "c.exe"]


def test_what_is_signed_already_can_be_left_out(program: Program, sandbox: Sandbox) -> None:
    root = program.directory
    _make(root / "a.exe", root / "b.exe")
    assert program("sign", "a.exe", "--in-place").code == 0
    before = len(http.get(f"{sandbox_root(sandbox)}/sandbox/requests", timeout=10).json())

    finished = program("sign", "a.exe", "b.exe", "--in-place", "--skip-signed")

    assert (finished.code, finished.out) == (0, "b.exe\n"), finished.err
    assert "a.exe carries such a signature already" in finished.err
    assert len(http.get(f"{sandbox_root(sandbox)}/sandbox/requests", timeout=10).json()) == before + 1
    assert (program("sign", "a.exe", "b.exe", "--in-place", "--skip-signed").out) == ""


def test_another_publishers_signature_is_not_replaced_in_silence(program: Program) -> None:
    root = program.directory
    _make(root / "b.exe")
    theirs = root / "theirs.exe"
    stranger = issue(
        "Another Publisher", issue("Their Root", is_ca=True, start=START), usages=[CODE_SIGNING], start=START
    )
    write_pe(theirs, lambda digest: sign_image(digest, stranger))
    before = theirs.read_bytes()

    finished = program("sign", "b.exe", "theirs.exe", "--in-place", "--skip-signed")
    assert (finished.code, finished.out) == (0, "b.exe\n"), finished.err
    assert "CN=Another Publisher" in finished.err
    assert theirs.read_bytes() == before

    replaced = program("sign", "b.exe", "theirs.exe", "--in-place", "--skip-signed", "--replace-signatures")
    assert (replaced.code, replaced.out) == (0, "theirs.exe\n"), replaced.err
    assert "CN=Another Publisher" in replaced.err
    assert theirs.read_bytes() != before


def _archive(path: Path, *files: Path) -> None:
    path.write_bytes(build_zip({file.name: file.read_bytes() for file in files}))


def test_an_archive_with_something_unsigned_in_it_is_not_left_out(program: Program) -> None:
    root = program.directory
    _make(root / "own.exe", root / "signed.exe")
    (root / "run.ps1").write_text("exit 0", encoding="utf-8")
    theirs = root / "theirs.dll"
    stranger = issue(
        "Another Publisher", issue("Their Root", is_ca=True, start=START), usages=[CODE_SIGNING], start=START
    )
    write_pe(theirs, lambda digest: sign_image(digest, stranger))
    assert program("sign", "signed.exe", "--in-place").code == 0
    _archive(root / "program.zip", root / "own.exe", theirs)
    _archive(root / "script.zip", root / "signed.exe", root / "run.ps1")
    _archive(root / "nothing.zip", root / "signed.exe", root / "signed.exe")

    finished = program("sign", "program.zip", "script.zip", "nothing.zip", "--in-place", "--skip-signed")

    assert finished.code == 0, finished.err
    assert finished.out.splitlines() == ["program.zip", "script.zip"]


@pytest.mark.parametrize("name", ["data.bin", "a.deb"])
def test_what_can_not_be_told_to_be_signed_is_not_left_out(program: Program, name: str) -> None:
    (program.directory / name).write_bytes(b"!<arch>\ndebian-binary" if name == "a.deb" else b"data")
    _make(program.directory / "a.exe")

    finished = program("sign", name, "a.exe", "--skip-signed", "--allow-unsupported", name)

    assert f"{name} carries" not in finished.err
    assert f"{name}: Signing request" in finished.err


def test_without_a_trusted_signer_nothing_is_left_out(program: Program) -> None:
    _make(program.directory / "a.exe", program.directory / "b.exe")
    finished = program("sign", "a.exe", "b.exe", "--in-place", "--skip-signed", SIGNPATH_TRUST_ROOT="")
    assert finished.code == 2
    assert "[no-trust-configured]" in finished.err


def test_receipts_of_many_are_kept_in_a_directory(program: Program) -> None:
    root = program.directory
    _make(root / "a.exe", root / "b.exe")
    (root / "receipts").mkdir()
    (root / "signed").mkdir()
    arguments = ("sign", "*.exe", "--receipt", "receipts", "-o", "signed", "--force", "--json")

    first, second = program(*arguments).json, program(*arguments).json

    ids = [[one["signing_request_id"] for one in run["results"]] for run in (first, second)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2
    assert _names(root / "receipts") == ["a.exe.receipt.json", "b.exe.receipt.json"]
    assert _names(root / "signed") == ["a.exe", "b.exe"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["none/*.exe"], 8, "none/*.exe does not exist"),
        (["empty"], 8, "empty holds no file to sign"),
        (["a.exe", "sub/a.exe", "-o", "signed"], 2, "Several files would become signed/a.exe"),
        (["a.exe", "sub/a.exe", "-o", "a.exe"], 2, "a.exe is none"),
        (["a.exe", "--in-place", "-o", "x.exe"], 2, "--in-place replaces the files themselves"),
        (["a.exe", "none.exe"], 8, "none.exe does not exist"),
    ],
)
def test_what_cannot_be_done_is_said(program: Program, arguments: list[str], code: int, words: str) -> None:
    root = program.directory
    _make(root / "a.exe", root / "sub" / "a.exe")
    (root / "signed").mkdir()
    (root / "empty").mkdir()

    finished = program("sign", *arguments)

    assert finished.code == code
    assert words in finished.error


def test_a_canceled_job_cancels_all_of_its_requests(program: Program, sandbox: Sandbox) -> None:
    root = program.directory
    names = [f"{number}.exe" for number in range(5)]
    _make(*(root / name for name in names))
    with program.start("sign", *names, "--signing-policy-slug", "release-signing") as process:
        assert process.stderr is not None
        waiting = 0
        ids = set()
        for line in process.stderr:
            waiting += "WaitingForApproval" in line
            if ": Signing request " in line:
                ids.add(line.split()[-1])
            if waiting == len(names):
                break
        process.send_signal(signal.SIGTERM)
        sent = time.monotonic()
        finished = finish(process)

    assert finished.code == 143
    assert time.monotonic() - sent < 7.5
    listed = http.get(f"{sandbox_root(sandbox)}/sandbox/requests", timeout=10).json()
    assert len(ids) == 5
    assert {found["status"] for found in listed if found["id"] in ids} == {"Canceled"}
    assert _names(root) == names
