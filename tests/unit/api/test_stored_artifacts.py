"""An artifact of a CI system's store, fetched from servers that misbehave."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from signpath_ci.api.stored_artifacts import ArtifactStore, ArtifactUnavailableError, StoredArtifact
from signpath_ci.api.transport import Transport
from signpath_ci.clock import Clock
from signpath_ci.settings.declaration import Secret
from tests.support.servers import serving

ZIP = b"PK\x03\x04content"
Requests = list[tuple[str, "str | None"]]


def _connect(url: str, has_token: bool) -> Transport:
    return Transport(
        base_url=url,
        token=Secret("token-of-the-job" if has_token else ""),
        connect_timeout=5,
        stall_timeout=5,
        service_unavailable_timeout=1,
        clock=Clock(),
        random=lambda: 0.0,
        user_agent="tests",
    )


def _server(
    stack: ExitStack, requests: Requests, *, location: Callable[[], str] | None = None, body: bytes = ZIP
) -> str:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        requests.append((handler.path, handler.headers.get("Authorization")))
        handler.send_response(302 if location else 200)
        if location:
            handler.send_header("Location", location())
        handler.send_header("Content-Length", "0" if location else str(len(body)))
        handler.end_headers()
        handler.wfile.write(b"" if location else body)

    return stack.enter_context(serving(answer))


def test_a_redirect_to_another_host_gets_no_token_and_its_query_is_kept(tmp_path: Path) -> None:
    api: Requests = []
    storage: Requests = []
    with ExitStack() as stack:
        elsewhere = _server(stack, storage)
        here = _server(stack, api, location=lambda: f"{elsewhere}/blob/a%20b?sig=secret&x=1#part")
        store = ArtifactStore(here, _connect)
        store.download(StoredArtifact(url=store.url("zip"), name="a.zip"), tmp_path / "a.zip", limit=100)

    assert api == [("/zip", "Bearer token-of-the-job")]
    assert storage == [("/blob/a%20b?sig=secret&x=1", None)]
    assert (tmp_path / "a.zip").read_bytes() == ZIP


def test_a_second_redirect_to_another_host_is_not_followed_and_no_secret_is_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    last: Requests = []
    with ExitStack() as stack:
        end = _server(stack, last)
        middle = _server(stack, [], location=lambda: f"{end}/?sig=secret")
        here = _server(stack, [], location=lambda: f"{middle}/?sig=secret")
        store = ArtifactStore(here, _connect)
        with pytest.raises(ArtifactUnavailableError) as caught:
            store.download(StoredArtifact(url=store.url("zip"), name="a.zip"), tmp_path / "a.zip", limit=100)

    assert last == []
    assert "secret" not in caught.value.reason + caplog.text


@pytest.mark.parametrize("location", ["http://storage.example/x", "file:///etc/passwd", "https://u:p@host/", "//["])
def test_a_redirect_that_no_client_should_follow_is_a_reason(tmp_path: Path, location: str) -> None:
    with ExitStack() as stack:
        store = ArtifactStore(_server(stack, [], location=lambda: location), _connect)
        with pytest.raises(ArtifactUnavailableError):
            store.download(StoredArtifact(url=store.url("zip"), name="a.zip"), tmp_path / "a.zip", limit=100)


def test_what_there_is_no_room_for_is_not_stored(tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = ArtifactStore(_server(stack, [], body=ZIP * 10), _connect)
        with pytest.raises(ArtifactUnavailableError, match="room"):
            store.download(StoredArtifact(url=store.url("zip"), name="a.zip"), tmp_path / "a.zip", limit=len(ZIP))


def test_a_file_that_may_be_a_web_page_is_taken(tmp_path: Path) -> None:
    page = b"<!doctype html><title>Manual</title>"
    with ExitStack() as stack:
        store = ArtifactStore(_server(stack, [], body=page), _connect)
        artifact = StoredArtifact(url=store.url("manual.html"), name="manual.html", is_archive=False)
        assert store.download(artifact, tmp_path / "manual.html", limit=100) == len(page)
        with pytest.raises(ArtifactUnavailableError, match="web page"):
            store.download(
                StoredArtifact(url=store.url("app.exe"), name="app.exe", is_archive=False), tmp_path / "x", limit=100
            )
