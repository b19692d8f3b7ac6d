"""The walk of a request through its states, restarts, and the webhook."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from signpath_ci.sandbox.config import Webhook
from signpath_ci.sandbox.server import listen
from signpath_ci.sandbox.webhook import post
from tests.support.sandboxes import CONFIGURATION, ORGANIZATION, Client, eventually, fake_sign, serving, signed


def test_a_request_walks_through_the_states(tmp_path: Path) -> None:
    with serving(tmp_path, processing_seconds=0.5) as sandbox:
        request_id = sandbox.submit(b"MZ walk").json()["signingRequestId"]
        seen: list[tuple[str, str]] = []

        def is_final() -> bool:
            status = sandbox.status_of(request_id)
            now = (status["status"], status["workflowStatus"])
            if now not in seen:
                seen.append(now)
            return bool(status["isFinalStatus"])

        eventually(is_final)

    assert seen == [
        ("InProgress", "Submitted"),
        ("InProgress", "QueuedForMalwareScanning"),
        ("InProgress", "ScanningForMalware"),
        ("InProgress", "QueuedForProcessing"),
        ("InProgress", "Processing"),
        ("Completed", "Completed"),
    ]


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    def submitted(sandbox: Client) -> str:
        return str(sandbox.submit(b"MZ again").json()["signingRequestId"])

    with serving(tmp_path, processing_seconds=1000) as sandbox:
        running = submitted(sandbox)
        waiting = str(sandbox.announce(b"MZ later").json()["signingRequestId"])
    with serving(tmp_path) as sandbox:
        assert sandbox.wait(running)["status"] == "Completed"
        assert sandbox.upload(waiting, b"MZ later").status_code == 202
        assert sandbox.wait(waiting)["status"] == "Completed"
        assert sandbox.get(f"{running}/SignedArtifact").content == signed(b"MZ again")


def test_a_signature_made_before_the_restart_is_not_made_again(tmp_path: Path) -> None:
    with serving(tmp_path, processing_seconds=1000) as sandbox:
        request_id = sandbox.submit(b"MZ once").json()["signingRequestId"]
    (tmp_path / "state" / "requests" / request_id / "signed").write_bytes(b"signed before")

    with serving(tmp_path) as sandbox:
        sandbox.wait(request_id)
        assert sandbox.get(f"{request_id}/SignedArtifact").content == b"signed before"
        assert sandbox.listed(request_id)["times_signed"] == 1


def test_canceled_while_it_is_signed(tmp_path: Path) -> None:
    started, go_on = threading.Event(), threading.Event()

    def sign(source: Path, target: Path, certificate: str) -> None:
        started.set()
        assert go_on.wait(20)
        fake_sign(source, target, certificate)

    with serving(tmp_path, sign=sign) as sandbox:
        request_id = sandbox.submit(b"MZ late").json()["signingRequestId"]
        assert started.wait(20)
        assert sandbox.post(f"{request_id}/Cancel").status_code == 200
        go_on.set()
        eventually(lambda: sandbox.listed(request_id)["times_signed"] == 1)

        assert sandbox.status_of(request_id)["status"] == "Canceled"
        assert sandbox.get(f"{request_id}/SignedArtifact").status_code == 400
    assert sorted(path.name for path in (tmp_path / "state" / "requests" / request_id).iterdir()) == ["unsigned"]
    assert list((tmp_path / "state" / "incoming").iterdir()) == []


def test_an_unforeseen_error_ends_one_request_only(tmp_path: Path) -> None:
    def sign(source: Path, target: Path, certificate: str) -> None:
        if source.read_bytes() == b"MZ trouble":
            raise OSError("no space left")
        fake_sign(source, target, certificate)

    with serving(tmp_path, sign=sign) as sandbox:
        trouble = sandbox.submit(b"MZ trouble").json()["signingRequestId"]
        good = sandbox.submit(b"MZ good").json()["signingRequestId"]

        assert sandbox.wait(trouble)["workflowStatus"] == "ProcessingFailed"
        assert sandbox.listed(trouble)["failure"] == "The sandbox failed; its log says more."
        assert sandbox.wait(good)["status"] == "Completed"


def test_the_webhook_hears_of_the_end(tmp_path: Path) -> None:
    heard: list[tuple[str | None, dict[str, str]]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.headers["Authorization"], json.loads(body)))
            self.send_response(500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        hook = Webhook(url=f"http://127.0.0.1:{server.server_port}/", headers={"Authorization": "Bearer hook"})
        project = replace(CONFIGURATION.projects[0], webhook=hook)
        with serving(tmp_path, replace(CONFIGURATION, projects=(project,))) as sandbox:
            completed = sandbox.submit(b"MZ hook").json()["signingRequestId"]
            sandbox.wait(completed)
            eventually(lambda: len(heard) == 1)
            canceled = sandbox.announce().json()["signingRequestId"]
            sandbox.post(f"{canceled}/Cancel")
            eventually(lambda: len(heard) == 2)
        server.shutdown()
        thread.join()

    assert heard == [
        (
            "Bearer hook",
            {"OrganizationId": ORGANIZATION, "SigningRequestId": request_id, "Status": status},
        )
        for request_id, status in ((completed, "Completed"), (canceled, "Canceled"))
    ]


def test_a_webhook_that_is_not_there_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever other tests have done to the loggers above it, this one is heard.
    logger = logging.getLogger("signpath_ci.sandbox.webhook")
    monkeypatch.setattr(logger, "handlers", [caplog.handler])
    monkeypatch.setattr(logger, "propagate", False)
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

    post(Webhook(url=f"http://127.0.0.1:{port}/"), organization_id="o", signing_request_id="r", status="Completed")

    assert caplog.messages == [f"The webhook http://127.0.0.1:{port}/ can't be reached: ConnectionError"]


def test_a_policy_that_was_taken_away(tmp_path: Path) -> None:
    with serving(tmp_path, processing_seconds=1000) as sandbox:
        request_id = sandbox.submit(b"MZ gone").json()["signingRequestId"]
    project = CONFIGURATION.projects[0]
    without = replace(CONFIGURATION, projects=(replace(project, signing_policies=project.signing_policies[1:]),))

    with serving(tmp_path, without) as sandbox:
        assert sandbox.wait(request_id)["workflowStatus"] == "ProcessingFailed"
        assert sandbox.listed(request_id)["failure"] == "The signing policy does not exist any more."
        assert sandbox.get(request_id).json()["signingPolicyName"] == "test-signing"


def test_a_start_removes_what_a_killed_sandbox_left(tmp_path: Path) -> None:
    with serving(tmp_path) as sandbox:
        kept = sandbox.announce().json()["signingRequestId"]
        sandbox.upload(kept, b"MZ one")
    state = tmp_path / "state"
    (state / "requests" / "orphan").mkdir()
    (state / "requests" / "orphan" / "unsigned").write_bytes(b"MZ")
    (state / "incoming" / "half").write_bytes(b"MZ")

    with serving(tmp_path):
        assert [path.name for path in (state / "requests").iterdir()] == [kept]
        assert list((state / "incoming").iterdir()) == []
