"""SignPath's own GitHub action, as its versions 2.0 and 2.2.0 were recorded against the sandbox.

What it sends is replayed header by header and byte by byte; what it reads in the answers is what is compared. It needs
`error` in a refusal to show its reasons, and tells by `signingRequestId` and `validationResult` whether it talks to a
connector at all.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.sandboxes import ORGANIZATION, Client, signed

BASES = ("github", "pipeline/GitHubActions/GitHubCom")
AGENTS = tuple(
    f"SignPath.SubmitSigningRequestGitHubAction/{version}(NodeJS/v20.20.2; linux x64}})" for version in ("2.0", "2.2.0")
)
PAYLOAD = {
    "artifactId": "7",
    "gitHubWorkflowRunId": "42",
    "gitHubRepository": "acme/app",
    "gitHubToken": "ghs_token",
    "signPathProjectSlug": "app",
    "signPathSigningPolicySlug": "test-signing",
    "signPathArtifactConfigurationSlug": "",
    "parameters": [],
}
"""In the order of the wire; the inputs that are not set are there, and empty."""


class Action:
    """The action's end of a connection that it keeps open."""

    def __init__(self, connection: HTTPConnection, base: str, agent: str) -> None:
        self._connection, self._agent = connection, agent
        self._base = f"/connectors/{base}/{ORGANIZATION}/SigningRequests"

    def get(self, *more: str) -> HTTPResponse:
        return self._send("GET", f"{'/'.join([self._base, *more])}?api-version=1.0")

    def submit(self, **fields: object) -> HTTPResponse:
        text = json.dumps({**PAYLOAD, **fields}, ensure_ascii=False, separators=(",", ":"))
        return self._send("POST", f"{self._base}?api-version=1.0", text.encode())

    def _send(self, method: str, target: str, body: bytes | None = None) -> HTTPResponse:
        host = f"{self._connection.host}:{self._connection.port}"
        headers = [
            ("Accept", "application/json, text/plain, */*"),
            *([] if body is None else [("Content-Type", "application/json")]),
            ("User-Agent", self._agent),
            ("Authorization", "Bearer ci-token"),
            *([] if body is None else [("Content-Length", str(len(body)))]),
            ("Accept-Encoding", "gzip, compress, deflate, br"),
            ("Host", host),
            ("Connection", "keep-alive"),
        ]
        self._connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            self._connection.putheader(name, value)
        self._connection.endheaders(body)
        return self._connection.getresponse()


@contextlib.contextmanager
def _connected(sandbox: Client, base: str = BASES[0], agent: str = AGENTS[-1]) -> Iterator[Action]:
    url = urlsplit(sandbox.root)
    connection = HTTPConnection(str(url.hostname), url.port, timeout=20)
    with contextlib.closing(connection):
        yield Action(connection, base, agent)


def _read(answer: HTTPResponse, status: int = 200) -> Any:
    """Return a JSON answer; one that is packed could not be read here."""
    body = answer.read()
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
    return json.loads(body)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("agent", AGENTS)
def test_the_action_submits_waits_and_downloads(sandbox: Client, base: str, agent: str) -> None:
    parameters = [{"name": "version", "value": "1.2.3"}, {"name": "build.number", "value": 'a "b" \u00e4'}]
    with _connected(sandbox, base, agent) as action:
        submitted = _read(action.submit(parameters=parameters))
        request_id = submitted["signingRequestId"]
        first = _read(action.get(request_id, "Status"))
        sandbox.wait(request_id)
        last = _read(action.get(request_id, "Status"))
        download = action.get(request_id, "SignedArtifact")
        content = download.read()

    assert submitted["validationResult"] == {"errors": []}
    web_link = f"{sandbox.root}/Web/{ORGANIZATION}/SigningRequests/{request_id}"
    assert submitted["signingRequestUrl"] == last["webLink"] == web_link
    assert [log["level"] for log in submitted["logs"]] == ["Debug", "Information"]
    assert {name: type(value) for name, value in first.items()} == {
        "status": str,
        "isFinalStatus": bool,
        "webLink": str,
        "hasArtifactBeenDownloadedBySignPathInCaseOfArtifactRetrieval": bool,
    }
    assert (last["status"], last["isFinalStatus"]) == ("Completed", True)
    assert (download.status, content) == (200, signed(b"MZ github/7.zip"))
    assert sandbox.listed(request_id)["parameters"] == {"version": "1.2.3", "build.number": 'a "b" \u00e4'}


@pytest.mark.parametrize(
    ("artifact_id", "disposition"),
    [
        ("7", 'attachment; filename="7.zip"'),
        ("\u00fcn\u00ef (1)", "attachment; filename*=utf-8''%C3%BCn%C3%AF%20%281%29.zip"),
    ],
)
def test_without_extraction_the_file_is_named_by_the_answer(
    sandbox: Client, artifact_id: str, disposition: str
) -> None:
    (sandbox.artifact_store / "github" / f"{artifact_id}.zip").write_bytes(b"MZ github/7.zip")
    with _connected(sandbox) as action:
        request_id = _read(action.submit(artifactId=artifact_id))["signingRequestId"]
        sandbox.wait(request_id)
        download = action.get(request_id, "SignedArtifact")

        assert download.read() == signed(b"MZ github/7.zip")
        assert download.headers["Content-Disposition"] == disposition


def test_a_job_that_does_not_wait_may_end_while_an_approval_is_missing(sandbox: Client) -> None:
    with _connected(sandbox) as action:
        request_id = _read(action.submit(signPathSigningPolicySlug="two-approvals"))["signingRequestId"]
        sandbox.wait(request_id, until="WaitingForApproval")

        status = _read(action.get(request_id, "Status"))

    assert (status["status"], status["isFinalStatus"]) == ("WaitingForApproval", False)
    assert status["hasArtifactBeenDownloadedBySignPathInCaseOfArtifactRetrieval"] is True


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    ("fields", "status", "error", "how_to_fix"),
    [
        (
            {"gitHubWorkflowRunId": "43", "signPathSigningPolicySlug": "release-signing"},
            403,
            "The branch 'topic' is not allowed by signing policy 'release-signing' of project 'app'.",
            "Build one of the allowed branches (main, release/*), or use another signing policy.",
        ),
        (
            {"artifactId": "999"},
            400,
            "The artifact 999 of acme/app was not found.",
            "Upload the artifact before it is submitted, and pass on the artifact-id of that step.",
        ),
    ],
)
def test_the_action_shows_why_it_is_refused(
    sandbox: Client, base: str, fields: dict[str, str], status: int, error: str, how_to_fix: str
) -> None:
    with _connected(sandbox, base) as action:
        refused = _read(action.submit(**fields), status)

    assert refused == {
        "error": error,
        "validationResult": {"errors": [{"error": error, "howToFix": how_to_fix}]},
        "logs": [{"message": f"The signing request was refused: {error}", "level": "Error"}],
    }


def test_what_is_no_connector_does_not_pass_for_one(sandbox: Client) -> None:
    with _connected(sandbox, "unknown") as action:
        answer = action.submit()
        body = json.loads(answer.read())

    assert answer.status == 404
    assert isinstance(body, dict)
    assert not {"signingRequestId", "validationResult", "error"} & body.keys()
