"""The mistakes that people and networks make: one line that says what to do, the exit code, and no file touched."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.support.program import Program, tree
from tests.support.servers import Answer, serving, text_answer

HTML = "<!DOCTYPE html><html><head><title>Welcome to the intranet</title></head><body>Hello</body></html>"


def _refuse(program: Program, code: int, *arguments: str | Path, **environment: str) -> str:
    before = tree(program.directory)
    finished = program("sign", *arguments, **environment)
    assert (finished.code, finished.out) == (code, ""), finished.err
    assert tree(program.directory) == before
    return finished.error


def test_a_missing_file(program: Program) -> None:
    assert "none.exe" in _refuse(program, 8, "none.exe")


def test_an_empty_file(program: Program) -> None:
    (program.directory / "empty.exe").touch()
    assert "empty" in _refuse(program, 8, "empty.exe")


def test_a_directory(program: Program) -> None:
    (program.directory / "folder").mkdir()
    assert "directory" in _refuse(program, 8, "folder", "-o", "out.exe")


def test_a_fifo_does_not_hang(program: Program) -> None:
    os.mkfifo(program.directory / "pipe.exe")
    finished = program("sign", "pipe.exe", "-o", "out.exe")
    assert finished.code == 8
    assert "pipe.exe" in finished.error


def test_an_output_that_is_the_input(program: Program, executable: Path) -> None:
    os.link(executable, program.directory / "other.exe")
    assert "app.exe" in _refuse(program, 8, executable, "-o", executable, "--force")
    assert "other.exe" in _refuse(program, 8, executable, "-o", "other.exe", "--force")


def test_an_output_in_a_directory_that_is_not_there(program: Program, executable: Path) -> None:
    assert "nowhere" in _refuse(program, 8, executable, "-o", "nowhere/out.exe")


def test_a_device_without_space(program: Program, executable: Path) -> None:
    assert "/dev/full" in _refuse(program, 8, executable, "-o", "/dev/full", "--force")


@pytest.mark.parametrize(
    ("variable", "text", "code", "words"),
    [
        ("SIGNPATH_ORGANIZATION_ID", "acme", 2, "is not a UUID"),
        ("SIGNPATH_API_TOKEN", "", 2, "Not given: --api-token-file (SIGNPATH_API_TOKEN)."),
        ("SIGNPATH_API_TOKEN", " ", 2, "is empty"),
        ("SIGNPATH_API_TOKEN", "one\ntwo", 2, "a token is one line"),
        ("SIGNPATH_API_TOKEN", "wrong-token", 3, "SIGNPATH_API_TOKEN"),
        ("SIGNPATH_PROJECT_SLUG", "no-such-project", 3, "no-such-project"),
        ("SIGNPATH_SIGNING_POLICY_SLUG", "no-such-policy", 3, "no-such-policy"),
        ("SIGNPATH_ORGANIZATION_ID", "00000000-0000-0000-0000-000000000000", 3, "SIGNPATH_ORGANIZATION_ID"),
        ("SIGNPATH_API_URL", "http://signpath.example/Api", 2, "https"),
        ("SIGNPATH_TRUST_ROOT", "none.pem", 8, "none.pem"),
    ],
)
def test_wrong_settings(program: Program, executable: Path, variable: str, text: str, code: int, words: str) -> None:
    error = _refuse(program, code, executable, **{variable: text})

    assert words in error
    assert "wrong-token" not in error


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (text_answer(HTML, content_type="text/html"), 2, "SIGNPATH_API_URL"),
        (text_answer(HTML, content_type="text/html", status=404), 3, "Welcome to the intranet"),
        (text_answer('{"signingRequestId": '), 2, "SIGNPATH_API_URL"),
        (text_answer("{}"), 2, "signingRequestId"),
        (text_answer('"text"'), 2, "SIGNPATH_API_URL"),
        (text_answer("", status=503), 6, "503"),
        (text_answer("You shall not pass", status=403, content_type="text/plain"), 3, "You shall not pass"),
    ],
    ids=["web page", "web page 404", "broken JSON", "no fields", "no object", "unavailable", "plain text"],
)
def test_answers_that_are_not_signpath_s(
    program: Program, executable: Path, answer: Answer, code: int, words: str
) -> None:
    with serving(answer) as url:
        error = _refuse(
            program, code, executable, SIGNPATH_API_URL=f"{url}/Api", SIGNPATH_SERVICE_UNAVAILABLE_TIMEOUT="1"
        )

    assert words in error


def test_nobody_listens(program: Program, executable: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        error = _refuse(
            program,
            6,
            executable,
            SIGNPATH_API_URL=f"http://127.0.0.1:{port}/Api",
            SIGNPATH_SERVICE_UNAVAILABLE_TIMEOUT="1",
        )

    assert f"127.0.0.1:{port}" in error


def test_a_file_that_may_not_be_read(program: Program, executable: Path) -> None:
    executable.chmod(0)
    finished = program.bound_by_permissions("sign", executable)

    assert finished.code == 8
    assert "app.exe" in finished.error


def test_a_directory_that_may_not_be_written(program: Program, executable: Path) -> None:
    locked = program.directory / "locked"
    locked.mkdir(mode=0o500)
    finished = program.bound_by_permissions("sign", executable, "-o", "locked/out.exe")

    assert finished.code == 8
    assert "locked" in finished.error


def test_a_token_file_that_may_not_be_read(program: Program, executable: Path) -> None:
    token = program.directory / "token"
    token.write_text("x", encoding="utf-8")
    token.chmod(0)
    finished = program.bound_by_permissions("sign", executable, "--api-token-file", token)

    assert finished.code == 2
    assert f"--api-token-file names {token}, which can't be read: Permission denied." in finished.error
