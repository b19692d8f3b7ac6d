"""A sandbox that is killed before any of its writes goes on where it was: what it has answered is there, once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support import http
from tests.support.pe import LAUNCHERS
from tests.support.sandboxes import eventually

_KILLED_AT = """
import os, signal, sys
at, state = int(sys.argv[1]), sys.argv[2]
WRITES = {"open", "os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "sqlite3.connect"}
seen = 0
def hook(event, arguments):
    global seen
    if event in WRITES and any(state in str(argument) for argument in arguments):
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
sys.argv = ["signpath-ci", "sandbox", "--json", "--port", "0", "--processing-seconds", "0", "--state", state]
from signpath_ci.__main__ import main
sys.exit(main())
"""
_POINTS = range(1, 44, 3)
"""A part of the writes that a first start and one request have; all of them are tried by a step of 1."""
_CONTENT = LAUNCHERS["x64"].read_bytes()


class _Api:
    def __init__(self, about: dict[str, Any]) -> None:
        self._about = about
        self._base = f"{about['api_url']}/v1/{about['organization_id']}/SigningRequests"

    def create(self) -> str:
        fields = {
            "projectSlug": (None, self._about["project_slug"]),
            "signingPolicySlug": (None, self._about["signing_policy_slug"]),
            "unsignedArtifactMetadata.fileName": (None, "app.exe"),
            "unsignedArtifactMetadata.sha256Hash": (None, sha256(_CONTENT).hexdigest()),
        }
        return str(self._call("POST", "/SubmitWithoutArtifact", files=fields).json()["signingRequestId"])

    def upload(self, request_id: str) -> None:
        self._call("POST", f"/{request_id}/UploadUnsignedArtifact", data=_CONTENT)

    def status(self, request_id: str) -> str:
        return str(self._call("GET", f"/{request_id}/Status").json()["status"])

    def signed(self, request_id: str) -> bytes:
        return self._call("GET", f"/{request_id}/SignedArtifact").content

    def record(self) -> list[dict[str, Any]]:
        answer = http.get(self._about["web_url"].replace("/web", "/sandbox/requests"), timeout=30)
        listed: list[dict[str, Any]] = answer.json()
        return listed

    def _call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._about['api_token']}"}
        answer = http.request(method, f"{self._base}{path}", headers=headers, timeout=30, **more)
        answer.raise_for_status()
        return answer


@contextmanager
def _sandbox(state: Path, *, killed_at: int) -> Iterator[tuple[subprocess.Popen[str], _Api | None]]:
    command = [sys.executable, "-c", _KILLED_AT, str(killed_at), str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        yield process, _Api(json.loads(line)) if line else None
        process.kill()


def _interrupted(state: Path, at: int) -> str | None:
    """Make a request of a sandbox that is killed meanwhile; return the id that it has answered."""
    request_id = None
    with _sandbox(state, killed_at=at) as (process, api):
        with suppress(requests.ConnectionError):
            if api:
                request_id = api.create()
                api.upload(request_id)
                eventually(lambda: api.status(request_id or "") == "Completed")
        assert process.wait(30) == -signal.SIGKILL
    return request_id


@pytest.mark.sample(5)
@pytest.mark.parametrize("at", _POINTS)
def test_nothing_is_lost_or_doubled(tmp_path: Path, at: int) -> None:
    state = tmp_path / "state"
    request_id = _interrupted(state, at)

    with _sandbox(state, killed_at=0) as (process, api):
        assert api, process.stderr.read() if process.stderr else ""
        known = request_id or api.create()
        if api.status(known) == "WaitingForArtifactUpload":
            api.upload(known)
        eventually(lambda: api.status(known) == "Completed")
        signed = api.signed(known)
        times = {entry["id"]: entry["times_signed"] for entry in api.record()}

    assert signed.startswith(b"MZ")
    assert len(signed) > len(_CONTENT)
    assert times.pop(known) == 1
    assert set(times.values()) <= {0}
    assert list((state / "incoming").iterdir()) == []
    assert [path for path in (state / "pki").iterdir() if path.name.startswith(".")] == []
    assert {path.name for path in (state / "requests").iterdir()} <= {known, *times}
