"""Several files in one request: one approval, and each file back where it came from."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.support import http
from tests.support.pe import LAUNCHERS
from tests.support.program import Program, Sandbox, sandbox_root, tree


def _make(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(LAUNCHERS["x64"].read_bytes() + uuid.uuid4().bytes)


def _count(sandbox: Sandbox) -> int:
    return len(http.get(f"{sandbox_root(sandbox)}/sandbox/requests", timeout=10).json())


def _is_signed(program: Program, signed: Path, unsigned: bytes) -> bool:
    (program.directory / "before.bin").write_bytes(unsigned)
    finished = program("verify", signed, "--unsigned", "before.bin", "--strict")
    (program.directory / "before.bin").unlink()
    return finished.code == 0


def test_one_request_for_all_and_each_file_beside_its_own(program: Program, sandbox: Sandbox) -> None:
    root = program.directory
    _make(root / "dist" / "a.exe", root / "dist" / "sub" / "b.exe", root / "tools" / "c.exe")
    (root / "dist" / "readme.txt").write_text("not signed, and not in it", encoding="utf-8")
    before, count = tree(root), _count(sandbox)

    finished = program("sign", "--bundle", "dist", "tools/*.exe")

    assert finished.code == 0, finished.err
    assert finished.out.splitlines() == ["dist/a.signed.exe", "dist/sub/b.signed.exe", "tools/c.signed.exe"]
    assert _count(sandbox) == count + 1
    assert "bundle.zip holds, by their names in .: dist/a.exe, dist/sub/b.exe, tools/c.exe." in finished.err
    for name in finished.out.splitlines():
        assert _is_signed(program, root / name, (root / name.replace(".signed", "")).read_bytes())
    after = tree(root)
    assert {name: after[name] for name in before} == before
    assert sorted(after.keys() - before.keys()) == finished.out.splitlines()


def test_in_place(program: Program) -> None:
    root = program.directory
    _make(root / "dist" / "a.exe", root / "dist" / "sub" / "b.exe")
    (root / "dist" / "a.exe").chmod(0o755)
    before = tree(root)

    finished = program("sign", "--bundle", "dist", "--in-place", "--json")

    assert finished.code == 0, finished.err
    assert (finished.json["input"], finished.json["output"]) == ("bundle.zip", "dist")
    assert finished.json["outputs"] == ["dist/a.exe", "dist/sub/b.exe"]
    assert tree(root).keys() == before.keys()
    for name in finished.json["outputs"]:
        assert _is_signed(program, root / name, before[name] or b"")
    assert (root / "dist" / "a.exe").stat().st_mode & 0o777 == 0o755


def test_into_a_directory_by_their_names_in_the_bundle(program: Program) -> None:
    root = program.directory
    _make(root / "dist" / "a.exe", root / "dist" / "sub" / "a.exe")
    (root / "signed").mkdir()

    finished = program("sign", "--bundle", "dist", "-o", "signed")

    assert finished.code == 0, finished.err
    assert finished.out.splitlines() == ["signed/a.exe", "signed/sub/a.exe"]
    assert _is_signed(program, root / "signed" / "sub" / "a.exe", (root / "dist" / "sub" / "a.exe").read_bytes())


def test_a_later_run_goes_on_with_the_request_of_the_same_files(program: Program, sandbox: Sandbox) -> None:
    root = program.directory
    _make(root / "dist" / "a.exe", root / "dist" / "b.exe")
    count = _count(sandbox)

    submitted = program("sign", "--bundle", "dist", "--receipt", "r.json", "--no-wait-for-completion")
    (root / "elsewhere").mkdir()
    (root / "dist").rename(root / "elsewhere" / "dist")
    (root / "elsewhere" / "dist" / "a.exe").touch()  # its time is no part of it
    finished = program("sign", "--bundle", "elsewhere/dist", "--receipt", "r.json", "--in-place", "--json")

    assert (submitted.code, finished.code) == (0, 0), submitted.err + finished.err
    assert finished.json["signing_request_id"] == submitted.out.strip()
    assert _count(sandbox) == count + 1


def test_where_it_fails_every_file_is_as_it_was(program: Program) -> None:
    root = program.directory
    _make(root / "dist" / "a.exe", root / "dist" / "b.exe")
    before = tree(root)

    finished = program("sign", "--bundle", "dist", "--in-place", "--signing-policy-slug", "no-such-policy")

    assert finished.code == 3, finished.err
    assert tree(root) == before


def test_what_is_refused_is_kept_apart(program: Program) -> None:
    root = program.directory
    _make(root / "dist" / "a.exe", root / "dist" / "b.exe")
    before = tree(root)

    finished = program("sign", "--bundle", "dist", "--in-place", SIGNPATH_SUBJECT="somebody else")

    assert finished.code == 7
    assert "What came is kept as dist/bundle.zip.rejected" in finished.error
    after = tree(root)
    assert {name: after[name] for name in before} == before
    assert sorted(after.keys() - before.keys()) == ["dist/bundle.zip.rejected"]


def test_what_is_signed_already_is_left_out(program: Program, sandbox: Sandbox) -> None:
    root = program.directory
    _make(root / "a.exe", root / "b.exe")
    assert program("sign", "a.exe", "--in-place").code == 0
    count = _count(sandbox)

    rest = program("sign", "--bundle", "a.exe", "b.exe", "--in-place", "--skip-signed")
    nothing = program("sign", "--bundle", "a.exe", "b.exe", "--in-place", "--skip-signed")

    assert (rest.code, rest.out) == (0, "b.exe\n"), rest.err
    assert (nothing.code, nothing.out) == (0, ""), nothing.err
    assert _count(sandbox) == count + 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["readme.txt"], 2, "readme.txt is of a format whose signatures can't be verified here"),
        (["a.exe", "-o", "a.exe"], 2, "a.exe is none"),
        (["a.exe", "readme.txt", "--verify", "off", "-o", "full"], 8, "full/a.exe exists already"),
        (["empty.exe", "--verify", "off"], 8, "empty.exe is empty"),
        (["none.exe", "--verify", "off"], 8, "none.exe does not exist"),
        ([], 2, "No file to sign is named"),
    ],
)
def test_what_cannot_be_done_is_said(
    program: Program, sandbox: Sandbox, arguments: list[str], code: int, words: str
) -> None:
    root = program.directory
    _make(root / "a.exe", root / "full" / "a.exe")
    (root / "readme.txt").write_text("text", encoding="utf-8")
    (root / "empty.exe").touch()
    before, count = tree(root), _count(sandbox)

    finished = program("sign", "--bundle", *arguments)

    assert (finished.code, words in finished.error) == (code, True), finished.err
    assert tree(root) == before
    assert _count(sandbox) == count
