"""Runs that start at the same time with one receipt: one request for all of them."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import LocalFileError
from signpath_ci.files import locked
from signpath_ci.model import Artifact, Origin, RequestStatus, SigningRequest, SigningRequestFields, Submission
from signpath_ci.signing.artifact import read_artifact
from signpath_ci.signing.receipt import ReceiptFile, Service, receipt_lock
from signpath_ci.signing.resume import submit_once

if TYPE_CHECKING:
    from signpath_ci.api.rest import SignPathApi

NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)
FIELDS = SigningRequestFields(project_slug="app", signing_policy_slug="test")


class Server:
    """SignPath, as far as a submit needs it; slow to answer, so that every run would find no receipt."""

    def __init__(self) -> None:
        self.created = self.uploaded = 0
        self.others_try = threading.Event()

    def create(self, fields: SigningRequestFields, *, file_name: str, sha256: str) -> Submission:
        assert (fields, file_name, len(sha256)) == (FIELDS, "app.exe", 64)
        self.created += 1
        assert self.others_try.wait(30)
        return Submission(signing_request_id=f"id-{self.created}", web_link=None)

    def upload(self, signing_request_id: str, content: object) -> None:
        assert (signing_request_id, content) != ("", None)
        self.uploaded += 1

    def request(self, signing_request_id: str) -> SigningRequest:
        return SigningRequest(
            state=RequestStatus(
                signing_request_id=signing_request_id,
                status="InProgress",
                workflow_status=None,
                is_final=False,
                web_link=None,
            ),
            description=None,
            project_slug="app",
            signing_policy_slug="test",
            artifact_configuration_slug=None,
            parameters={},
            origin=None,
        )

    def signed_artifact_url(self, signing_request_id: str) -> str:
        return f"https://signpath.example/{signing_request_id}"


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    (tmp_path / "app.exe").write_bytes(b"MZ")
    return read_artifact(tmp_path / "app.exe")


def test_runs_at_the_same_time_make_one_request(tmp_path: Path, artifact: Artifact) -> None:
    server, waiting = Server(), threading.Semaphore(0)
    file = ReceiptFile(
        path=tmp_path / "r.json",
        service=Service(api_url="https://signpath.example", organization_id="1"),
        origin=Origin(platform="local"),
    )
    ids: list[str] = []

    def pause(_seconds: float) -> None:
        waiting.release()
        server.others_try.wait(0.01)

    def run() -> None:
        submission = submit_once(
            cast("SignPathApi", server),
            artifact,
            FIELDS,
            file,
            clock=Clock(now=lambda: NOW, sleep=pause),
            on_progress=lambda *_: None,
            on_created=lambda _: None,
            on_submitted=lambda _: None,
        )
        ids.append(submission.signing_request_id)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        assert waiting.acquire(timeout=30)
    server.others_try.set()
    for thread in threads:
        thread.join(30)
    assert ids == ["id-1"] * 6
    assert (server.created, server.uploaded) == (1, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.exe", "r.json"]


def test_a_receipt_that_stays_locked_is_an_error_after_an_hour(tmp_path: Path) -> None:
    seconds = [0.0]

    def sleep(pause: float) -> None:
        seconds[0] += pause

    clock = Clock(monotonic=lambda: seconds[0], sleep=sleep)
    path = tmp_path / "r.json"
    with locked(path, wait=lambda: None), pytest.raises(LocalFileError, match="60 min"), receipt_lock(path, clock):
        pass
    assert 3600 <= seconds[0] < 3610


def test_a_lock_that_is_a_link_is_an_error(tmp_path: Path) -> None:
    with locked(tmp_path / "r.json", wait=lambda: None):
        lock = next(tmp_path.iterdir())
    lock.symlink_to(tmp_path / "target")
    with pytest.raises(LocalFileError), receipt_lock(tmp_path / "r.json", Clock()):
        pass
    assert not (tmp_path / "target").exists()
