"""Artifacts that SignPath fetches from a link."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from signpath_ci.sandbox.retrieval import RetrievalError, retrieve
from signpath_ci.sandbox.store import Retrieval
from tests.support.sandboxes import (
    Client,
    problem,
    sha256,
    signed,
)


class _Links(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_known = self.headers.get("X-Secret") == "open"
        self.send_response(200 if is_known else 403)
        self.end_headers()
        self.wfile.write({"/a": b"MZ linked", "/empty": b""}.get(self.path, b"MZ other"))

    def log_message(self, *_: object) -> None:
        pass


def test_an_artifact_may_be_fetched_from_a_link(sandbox: Client) -> None:
    def submit(path: str, **fields: str) -> str:
        said = {
            "projectSlug": "app",
            "signingPolicySlug": "test-signing",
            "artifactRetrievalLink.url": f"http://127.0.0.1:{links.server_port}{path}",
            "artifactRetrievalLink.fileName": "a.exe",
            "artifactRetrievalLink.sha256Hash": sha256(b"" if path == "/empty" else b"MZ linked").upper(),
            "artifactRetrievalLink.httpHeaders[0].key": "X-Secret",
            "artifactRetrievalLink.httpHeaders[0].value": "open",
            **fields,
        }
        answer = sandbox.form("SubmitWithArtifactRetrievalLink", said)
        assert answer.status_code == 201
        return str(answer.json()["signingRequestId"])

    with HTTPServer(("127.0.0.1", 0), _Links) as links:
        thread = threading.Thread(target=links.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        good = submit("/a")
        bad = {
            submit("/b"): f"The fetched artifact has SHA-256 {sha256(b'MZ other')}, not {sha256(b'MZ linked')}.",
            submit("/empty"): "The fetched artifact is empty.",
            submit("/a", **{"artifactRetrievalLink.httpHeaders[0].value": "no"}): (
                "The artifact's link answered 403 Forbidden."
            ),
        }
        assert sandbox.wait(good)["status"] == "Completed"
        for request_id, words in bad.items():
            assert sandbox.wait(request_id)["workflowStatus"] == "ArtifactRetrievalFailed"
            assert sandbox.listed(request_id)["failure"] == words
        links.shutdown()
        thread.join()
    gone = submit("/a")
    assert sandbox.wait(gone)["workflowStatus"] == "ArtifactRetrievalFailed"
    assert sandbox.get(f"{good}/SignedArtifact").content == signed(b"MZ linked")


@pytest.mark.parametrize("url", ["ftp://x/y", "file:///etc/passwd", "x", "http://", "http://[x"])
def test_only_web_links_are_fetched(sandbox: Client, url: str) -> None:
    said = {
        "projectSlug": "app",
        "signingPolicySlug": "test-signing",
        "artifactRetrievalLink.url": url,
        "artifactRetrievalLink.fileName": "a.exe",
        "artifactRetrievalLink.sha256Hash": "ab" * 32,
    }
    answer = sandbox.form("SubmitWithArtifactRetrievalLink", said)

    assert problem(answer) == (400, {"artifactRetrievalLink.url": ["Must be an http or https link."]})


def test_a_header_of_a_link_has_a_key_and_a_value(sandbox: Client) -> None:
    said = {
        "projectSlug": "app",
        "signingPolicySlug": "test-signing",
        "artifactRetrievalLink.url": "http://127.0.0.1/",
        "artifactRetrievalLink.fileName": "a.exe",
        "artifactRetrievalLink.sha256Hash": "ab" * 32,
        "artifactRetrievalLink.httpHeaders[2].key": "X-Secret",
    }
    answer = sandbox.form("SubmitWithArtifactRetrievalLink", said)

    assert problem(answer) == (400, {"artifactRetrievalLink.httpHeaders[2].value": ["Is missing."]})


def test_an_artifact_behind_a_link_may_be_too_large(tmp_path: Path) -> None:
    path = tmp_path / "artifact"
    path.write_bytes(b"MZ 12345")

    with pytest.raises(RetrievalError, match=r"^The artifact is larger than the 7 bytes that are taken\.$"):
        retrieve(Retrieval(url=path.as_uri()), tmp_path / "target", announced_sha256=None, limit=7)
