"""Artifacts that SignPath fetches from a link."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

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
    answer = sandbox.form("SubmitWithArtifactRetrievalLink", {**said, "artifactRetrievalLink.httpHeaders[2].key": "x"})
    assert answer.status_code == 400
