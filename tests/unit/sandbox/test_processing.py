"""The walk of a request through its states, restarts, and the webhook."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from signpath_ci.sandbox.config import Webhook
from signpath_ci.sandbox.processing import Processor
from signpath_ci.sandbox.server import listen
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.store import Retrieval, SigningRequest, Store
from signpath_ci.sandbox.webhook import post
from tests.support.sandboxes import CONFIGURATION, ORGANIZATION, Client, eventually, fake_sign, serving, signed


class _Recorder(Store):
    """A store that remembers each state."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.states: list[State] = []

    def change(self, request_id: str, expected: State, **changes: Any) -> SigningRequest | None:
        changed = super().change(request_id, expected, **changes)
        if changed:
            self.states.append(changed.state)
        return changed


_TO_THE_SCAN = [State.QUEUED_FOR_MALWARE_SCANNING, State.SCANNING_FOR_MALWARE]
_TO_THE_END = [State.QUEUED_FOR_PROCESSING, State.PROCESSING, State.COMPLETED]


@pytest.mark.parametrize(
    ("policy", "is_retrieved", "states"),
    [
        ("test-signing", False, [*_TO_THE_SCAN, *_TO_THE_END]),
        ("test-signing", True, [State.RETRIEVING_ARTIFACT, *_TO_THE_SCAN, *_TO_THE_END]),
        ("two-approvals", False, [*_TO_THE_SCAN, State.WAITING_FOR_APPROVAL]),
    ],
)
def test_a_request_walks_through_the_states(
    tmp_path: Path, policy: str, is_retrieved: bool, states: list[State]
) -> None:
    artifact = tmp_path / "artifact"
    artifact.write_bytes(b"MZ walk")
    submitted = SigningRequest(
        state=State.SUBMITTED,
        created="2026-01-01",
        submitter="ci",
        project_slug="app",
        signing_policy_slug=policy,
        artifact_configuration_slug="initial",
        file_name="artifact",
        retrieval=Retrieval(url=artifact.as_uri(), headers={"X": "secret"}) if is_retrieved else None,
    )

    async def walk() -> float:
        processor = Processor(CONFIGURATION, store, sign=fake_sign, processing_seconds=0.1)
        processor.wake(submitted.id)
        started = time.monotonic()
        while store.states != states:
            assert store.states == states[: len(store.states)]
            await asyncio.sleep(0.001)
        await processor.close()
        return time.monotonic() - started

    with contextlib.closing(_Recorder(tmp_path / "state")) as store:
        if not is_retrieved:
            artifact.replace(store.unsigned(submitted.id))
        store.add(submitted)
        seconds = asyncio.run(asyncio.wait_for(walk(), 20))
        walked = store.find(submitted.id)

    assert walked is not None
    assert walked.times_signed == (1 if walked.state is State.COMPLETED else 0)
    assert "secret" not in repr(asdict(walked))
    assert seconds > (0.09 if walked.state is State.COMPLETED else 0.05)


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

    def sign(source: Path, target: Path, request: SigningRequest, certificate: str) -> None:
        started.set()
        assert go_on.wait(20)
        fake_sign(source, target, request, certificate)

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
    def sign(source: Path, target: Path, request: SigningRequest, certificate: str) -> None:
        if source.read_bytes() == b"MZ trouble":
            raise OSError("no space left")
        fake_sign(source, target, request, certificate)

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
            heard.append((self.headers["Authentication"], json.loads(body)))
            self.send_response(500)
            self.end_headers()
            self.wfile.write(b"no\x1b[31m <b>")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        hook = Webhook(url=f"http://127.0.0.1:{server.server_port}/", headers={"Authentication": "Bearer hook"})
        project = replace(CONFIGURATION.projects[0], webhook=hook)
        with serving(tmp_path, replace(CONFIGURATION, projects=(project,))) as sandbox:
            completed = sandbox.submit(b"MZ hook").json()["signingRequestId"]
            sandbox.wait(completed)
            page = f"/web/{ORGANIZATION}/SigningRequests/{completed}"
            eventually(lambda: "answered 500" in sandbox.get(page, token=None).text)
            assert "no\ufffd[31m &lt;b&gt;" in sandbox.get(page, token=None).text
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

    hook = Webhook(url=f"http://127.0.0.1:{port}/")
    delivery = post(hook, organization_id="o", signing_request_id="r", status="Completed", now="2026-11-28T00:00:00Z")

    assert (delivery.status, delivery.answer) == (None, "Not reached: ConnectionError.")
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


def test_what_signs_is_told_the_file_s_name_and_the_artifact_configuration(tmp_path: Path) -> None:
    told = []

    def sign(source: Path, target: Path, request: SigningRequest, certificate: str) -> None:
        told.append((request.file_name, request.artifact_configuration_slug, certificate))
        fake_sign(source, target, request, certificate)

    with serving(tmp_path, sign=sign) as sandbox:
        for slug in (None, "v2"):
            sandbox.wait(sandbox.submit(b"MZ", artifactConfigurationSlug=slug).json()["signingRequestId"])
    assert told == [("app.exe", "initial", "test"), ("app.exe", "v2", "test")]
