"""Every command meets every status that a request can have, also ones that nobody knows yet."""

from __future__ import annotations

import io
import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from signpath_ci import cli
from signpath_ci.errors import SignPathError
from signpath_ci.workflows.process import Process
from tests.support.servers import read_body, serving
from tests.support.values import FakeTime

ORGANIZATION = "12345678-90ab-cdef-1234-567890abcdef"
OLD, NEW = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
CONTENT, SIGNED = b"content", b"signed"

PENDING = ("InProgress", "WaitingForApproval", "WaitingForArtifactUpload", "AwaitingMoonrise")
UNSIGNED = ("Failed", "Denied", "Canceled", "Archived")
STATUSES = (*PENDING, "Completed", *UNSIGNED)
CALLS_THAT_CHANGE = ("SubmitWithoutArtifact", "UploadUnsignedArtifact", "Cancel", "Resubmit")

Expected = tuple[int, list[str]]
"""The exit code, and the calls that change something."""


def _expected(command: str, status: str) -> Expected:
    waited = 0 if status == "Completed" else 4 if status in UNSIGNED else 5
    anew = ["SubmitWithoutArtifact", "UploadUnsignedArtifact"]
    upload = ["UploadUnsignedArtifact"] if status == "WaitingForArtifactUpload" else []
    return {
        "status": (0, []),
        "wait": (waited, []),
        "download": (waited, []),
        "resubmit": (3, ["Resubmit"]) if status == "WaitingForArtifactUpload" else (0, ["Resubmit"]),
        "cancel": (0, ["Cancel"] if status in PENDING else []),
        "submit": (0, anew if status in UNSIGNED else upload),
        "sign": (0, anew) if status in UNSIGNED else (waited, upload),
    }[command]


ARGUMENTS = {
    "status": ["receipt.json"],
    "wait": ["receipt.json"],
    "download": ["receipt.json", "-o", "out.bin", "--verify", "off"],
    "resubmit": ["receipt.json", "-o", "out.bin", "--verify", "off", "--signing-policy-slug", "release"],
    "cancel": ["receipt.json"],
    "submit": ["app.bin", "--receipt", "receipt.json"],
    "sign": ["app.bin", "--receipt", "receipt.json", "-o", "out.bin", "--verify", "off"],
}


class _SignPath:
    """One old request with a given status; whatever is new is completed as soon as it has its artifact."""

    def __init__(self, status: str) -> None:
        self.statuses = {OLD: status}
        self.calls: list[str] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        read_body(handler)
        code, answer = self._answer(handler.path.rstrip("/").split("/")[4:])
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        handler.send_response(code)
        kind = "octet-stream" if isinstance(answer, bytes) else "problem+json" if code >= 400 else "json"
        handler.send_header("Content-Type", f"application/{kind}")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _answer(self, path: list[str]) -> tuple[int, object]:
        """Answer a call below `/Api/v1/{organization}`."""
        last = path[-1]
        if last in CALLS_THAT_CHANGE:
            self.calls.append(last)
        if last == "SubmitWithoutArtifact":
            self.statuses[NEW] = "WaitingForArtifactUpload"
            return 201, {"signingRequestId": NEW, "webLink": None}
        if last == "Resubmit":
            if self.statuses[OLD] == "WaitingForArtifactUpload":
                return 400, {"title": "Bad Request", "status": 400, "detail": "The original has no artifact."}
            self.statuses[NEW] = "Completed"
            return 201, {"signingRequestId": NEW, "webLink": None}
        return self._answer_for(path[1], last)

    def _answer_for(self, request_id: str, last: str) -> tuple[int, object]:
        if last == "UploadUnsignedArtifact":
            self.statuses[request_id] = "InProgress" if request_id == OLD else "Completed"
            return 202, {}
        if last == "Cancel":
            self.statuses[request_id] = "Canceled"
            return 200, {}
        if last == "UnsignedArtifact":
            return (
                (400, {"detail": "No."}) if self.statuses[request_id] == "WaitingForArtifactUpload" else (200, CONTENT)
            )
        if last == "SignedArtifact":
            return (200, SIGNED) if self.statuses[request_id] == "Completed" else (400, {"detail": "Not yet."})
        status = self.statuses[request_id]
        return 200, {"status": status, "workflowStatus": status, "isFinalStatus": status not in PENDING}


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.bin").write_bytes(CONTENT)
    return tmp_path


def _run(url: str, directory: Path, *arguments: str) -> int:
    environment = {
        "SIGNPATH_API_URL": f"{url}/Api",
        "SIGNPATH_API_TOKEN": "token",
        "SIGNPATH_ORGANIZATION_ID": ORGANIZATION,
        "SIGNPATH_PROJECT_SLUG": "demo",
        "SIGNPATH_SIGNING_POLICY_SLUG": "test",
        "PATH": "/usr/bin:/bin",
    }
    process = Process(
        environment=environment,
        directory=directory,
        stdout=io.StringIO(),
        stderr=io.StringIO(),
        clock=FakeTime().clock,
    )
    command, settings = cli.parse(arguments, environment)
    try:
        command.run(settings, process)
    except SignPathError as error:
        return error.exit_code
    return 0


def _write_receipt(url: str, directory: Path) -> None:
    """Write the receipt of the old request, whose run was killed in the middle of the upload."""
    from hashlib import sha256

    said = {
        "version": 1,
        "api_url": f"{url}/Api",
        "organization_id": ORGANIZATION,
        "signing_request_id": OLD,
        "web_link": None,
        "signed_artifact_url": None,
        "original_signing_request_id": None,
        "input": {"name": "app.bin", "size": 7, "sha256": sha256(CONTENT).hexdigest()},
        "build_artifact": None,
        "project_slug": "demo",
        "signing_policy_slug": "test",
        "artifact_configuration_slug": None,
        "parameters": {},
        "description": None,
        "origin": dict.fromkeys(("repository_url", "branch", "tag", "commit", "build_url")) | {"platform": "local"},
        "created": "2026-01-01T00:00:00Z",
        "submitted": None,
    }
    (directory / "receipt.json").write_text(json.dumps(said), encoding="utf-8")


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("command", ARGUMENTS)
def test_every_pair(directory: Path, command: str, status: str) -> None:
    signpath = _SignPath(status)
    with serving(signpath) as url:
        _write_receipt(url, directory)
        code = _run(url, directory, command, *ARGUMENTS[command])

    assert (code, signpath.calls) == _expected(command, status)
    fetches = code == 0 and command in {"download", "resubmit", "sign"}
    assert (directory / "out.bin").exists() == fetches
