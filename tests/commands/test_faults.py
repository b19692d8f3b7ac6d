"""Downloads that break, and clients that are killed: nothing half-written, and the next run ends well."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.support import http
from tests.support.program import Program, Sandbox, finish, sandbox_root
from tests.support.servers import forwarding, serving


def _is_download(handler: BaseHTTPRequestHandler) -> bool:
    return handler.path.endswith("/SignedArtifact")


def _send(handler: BaseHTTPRequestHandler, body: bytes, *, length: int) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/octet-stream")
    handler.send_header("Content-Length", str(length))
    handler.end_headers()
    handler.wfile.write(body)
    handler.wfile.flush()


def test_a_client_killed_in_the_middle_of_the_download_leaves_nothing_behind(
    program: Program, sandbox: Sandbox, executable: Path
) -> None:
    half_sent, released = threading.Event(), threading.Event()

    def hold(handler: BaseHTTPRequestHandler, content: bytes) -> bool:
        if not _is_download(handler):
            return False
        _send(handler, content[: len(content) // 2], length=len(content))
        half_sent.set()
        released.wait(60)
        handler.close_connection = True
        return True

    with serving(forwarding(sandbox["api_url"], hold)) as url:
        with program.start("sign", executable, SIGNPATH_API_URL=f"{url}/Api") as process:
            assert half_sent.wait(60)
            process.kill()
            finish(process)
        released.set()
    assert not (program.directory / "app.signed.exe").exists()

    finished = program("sign", executable)

    assert (finished.code, finished.out) == (0, f"{executable.with_name('app.signed.exe')}\n"), finished.err
    assert sorted(path.name for path in program.directory.iterdir()) == ["app.exe", "app.signed.exe"]
    assert program("verify", "app.signed.exe", "--unsigned", "app.exe").code == 0


def test_a_truncated_download_is_fetched_again(program: Program, sandbox: Sandbox, executable: Path) -> None:
    broken: list[bool] = []

    def truncate_once(handler: BaseHTTPRequestHandler, content: bytes) -> bool:
        if not _is_download(handler) or broken:
            return False
        broken.append(True)
        _send(handler, content[:1000], length=len(content))
        handler.close_connection = True
        return True

    with serving(forwarding(sandbox["api_url"], truncate_once)) as url:
        finished = program("sign", executable, "--json", SIGNPATH_API_URL=f"{url}/Api")

    assert finished.code == 0, finished.err
    assert broken == [True]
    [verdict] = finished.json["verification"]["verdicts"]
    assert verdict["identity"] == "same"


@pytest.mark.parametrize(
    ("name", "code"),
    [("truncated", 6), ("flipped byte", 7), ("unsigned", 7), ("another file", 7), ("empty", 6)],
)
def test_what_does_not_come_back_whole_and_signed_gets_no_name(
    program: Program, sandbox: Sandbox, executable: Path, name: str, code: int
) -> None:
    def spoil(handler: BaseHTTPRequestHandler, content: bytes) -> bool:
        if not _is_download(handler):
            return False
        middle = len(content) // 2
        bodies = {
            "truncated": content[:1000],
            "flipped byte": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "unsigned": executable.read_bytes(),
            "another file": b"MZ" + bytes(1000),
            "empty": b"",
        }
        _send(handler, bodies[name], length=len(content) if name == "truncated" else len(bodies[name]))
        handler.close_connection = True
        return True

    with serving(forwarding(sandbox["api_url"], spoil)) as url:
        finished = program("sign", executable, SIGNPATH_API_URL=f"{url}/Api", SIGNPATH_SERVICE_UNAVAILABLE_TIMEOUT="1")

    assert finished.code == code, finished.err
    assert finished.error
    assert not (program.directory / "app.signed.exe").exists()


def test_a_file_that_changes_while_it_is_uploaded_is_not_signed(
    program: Program, sandbox: Sandbox, executable: Path
) -> None:
    """The change comes between the announcement of the hash and the upload, where nothing but the hash shows it."""
    changed = []

    def change(handler: BaseHTTPRequestHandler, _content: bytes) -> bool:
        if handler.path.endswith("/SubmitWithoutArtifact"):
            with executable.open("r+b") as file:
                file.seek(-1, 2)
                file.write(b"\xff")
            changed.append(True)
        return False

    with serving(forwarding(sandbox["api_url"], change)) as url:
        finished = program("sign", executable, "--json", SIGNPATH_API_URL=f"{url}/Api")

    assert changed == [True]
    assert finished.code == 8
    assert "changed" in finished.error
    assert [path.name for path in program.directory.iterdir()] == ["app.exe"]

    listed = http.get(f"{sandbox_root(sandbox)}/sandbox/requests", timeout=10).json()
    [request] = [entry for entry in listed if entry["id"] == finished.json["signing_request_id"]] or [{}]
    assert request.get("times_signed", 0) == 0
