"""A file that SignPath fetches by itself: it is never sent, and compared all the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.support.files import serving
from tests.support.program import Program, RequestsOf, tree

TOKEN = "Bearer store-secret-1234567890"


@dataclass
class Store:
    """A file server of somebody else's: what it holds, and which headers each call had."""

    url: str
    content: bytes
    calls: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def store(executable: Path) -> Iterator[Store]:
    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True  # an answer comes in two pieces; the second waits for nobody

        def do_GET(self) -> None:
            held.calls.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200 if self.headers.get("Authorization") == TOKEN else 403)
            self.send_header("Content-Length", str(len(held.content)))
            self.end_headers()
            self.wfile.write(held.content)

        def log_message(self, *_: object) -> None:
            pass

    held = Store("", executable.read_bytes())
    with serving(Handler) as url:
        held.url = f"{url}/builds/huge%20app.exe?sig=abc"
        yield held


def test_a_file_that_is_not_here(program: Program, executable: Path, store: Store, requests_of: RequestsOf) -> None:
    sha256 = hashlib.sha256(store.content).hexdigest()
    executable.unlink()

    finished = program(
        *("sign", "--artifact-retrieval-url", store.url, "--artifact-retrieval-sha256", sha256, "--receipt", "r.json"),
        SIGNPATH_ARTIFACT_RETRIEVAL_HEADERS=f"Authorization: {TOKEN}\nX-Build: 7\n",
    )

    assert (finished.code, finished.out) == (0, "huge app.signed.exe\n"), finished.err
    [recorded] = requests_of(sha256)
    assert (recorded["file_name"], recorded["times_signed"]) == ("huge app.exe", 1)
    [call] = store.calls
    assert (call["authorization"], call["x-build"]) == (TOKEN, "7")
    receipt = json.loads((program.directory / "r.json").read_text("utf-8"))
    assert receipt["input"] == {"name": "huge app.exe", "size": None, "sha256": sha256}
    written = finished.out + finished.err + (program.directory / "r.json").read_text("utf-8")
    assert TOKEN.split()[1] not in written
    assert "sig=abc" not in written


def test_a_file_that_is_here_too_is_compared(program: Program, executable: Path, store: Store) -> None:
    headers = program.directory / "headers"
    headers.write_text(f"Authorization: {TOKEN}", encoding="utf-8")
    arguments = ("--artifact-retrieval-url", store.url, "--artifact-retrieval-headers-file", headers)

    finished = program("sign", executable.name, *arguments, "--json")

    assert finished.code == 0, finished.err
    assert (finished.json["input"], finished.json["output"]) == ("app.exe", "app.signed.exe")
    assert [one["identity"] for one in finished.json["verification"]["verdicts"]] == ["same"]


def test_another_file_under_the_link_is_not_signed(program: Program, executable: Path, store: Store) -> None:
    store.content = store.content[:-1] + b"?"
    before = tree(program.directory)

    finished = program(
        *("sign", executable.name, "--artifact-retrieval-url", store.url),
        SIGNPATH_ARTIFACT_RETRIEVAL_HEADERS=f"Authorization: {TOKEN}",
    )

    assert finished.code == 4
    assert tree(program.directory) == before


def test_a_run_that_comes_again_goes_on(
    program: Program, executable: Path, store: Store, requests_of: RequestsOf
) -> None:
    def run(command: str) -> int:
        return program(
            *(command, executable.name, "--artifact-retrieval-url", store.url, "--receipt", "r.json"),
            SIGNPATH_ARTIFACT_RETRIEVAL_HEADERS=f"Authorization: {TOKEN}",
        ).code

    assert [run("submit"), run("sign")] == [0, 0]
    assert len(requests_of(hashlib.sha256(store.content).hexdigest())) == 1
    assert len(store.calls) == 1


@pytest.mark.parametrize(
    ("arguments", "headers", "words"),
    [
        (["--artifact-retrieval-url", "http://store.example/a.exe"], "A: b", "the headers for it would travel in the"),
        (
            ["--artifact-retrieval-url", "https://store.example/a.exe"],
            "",
            "The SHA-256 of the file that SignPath is to",
        ),
        (
            ["--artifact-retrieval-url", "https://store.example/", "--artifact-retrieval-sha256", "0" * 64],
            "",
            "Give --a",
        ),
        (["--artifact-retrieval-url", "ftp://store.example/secret"], "", "is not an http(s) URL"),
        (["--artifact-retrieval-url", "https://store.example/a.exe"], "no header", "is not a list of headers"),
        (["app.exe", "--artifact-retrieval-url", "https://store.example/a.exe", "--in-place"], "", "is for one file"),
        (
            ["app.exe", "--artifact-retrieval-url", "https://store.example/a", "--artifact-retrieval-sha256", "0" * 64],
            "",
            "app.exe has SHA-256",
        ),
    ],
)
def test_what_cannot_be_done_is_said(
    program: Program, executable: Path, arguments: list[str], headers: str, words: str
) -> None:
    finished = program("sign", *arguments, SIGNPATH_ARTIFACT_RETRIEVAL_HEADERS=headers)

    assert finished.code in {2, 8}
    assert words in finished.error
    assert "secret" not in finished.error
    assert executable.exists()
