"""From a file to a request that has it; and a file that changes on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import responses

from signpath_ci.errors import LocalFileError, RefusedError, ServiceUnavailableError
from signpath_ci.model import Artifact, SigningRequestFields, Submission
from signpath_ci.signing.artifact import read_artifact
from signpath_ci.signing.submit import submit
from tests.support.loopback import Connection, loopback
from tests.support.wire import REQUESTS, rest_api

ID = "7c2f0a44-1111-4222-8333-444455556666"
FIELDS = SigningRequestFields(project_slug="demo", signing_policy_slug="test-signing")
CREATE, UPLOAD, CANCEL = f"{REQUESTS}/SubmitWithoutArtifact", f"{REQUESTS}/{ID}/UploadUnsignedArtifact", "/Cancel"
ONE_CALL = REQUESTS
CREATED = {"signingRequestId": ID, "webLink": None}
BLOCK = 256 * 1024


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    path = tmp_path / "app.exe"
    path.write_bytes(bytes(range(256)) * 1024 * 2 + b"end")
    return read_artifact(path)


def _read_body(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
    """Take the body as a server does; mocks do not."""
    assert request.body is not None
    received.append(b"".join(request.body))  # type: ignore[arg-type] # an iterable of bytes
    return 202, {}, ""


received: list[bytes] = []


@pytest.fixture(autouse=True)
def _nothing_received() -> None:
    received.clear()


def test_two_calls(server: responses.RequestsMock, artifact: Artifact) -> None:
    server.post(CREATE, status=201, json=CREATED)
    server.add_callback(responses.POST, UPLOAD, _read_body)
    progress: list[tuple[int, int]] = []

    submission = submit(rest_api(), artifact, FIELDS, on_progress=lambda *numbers: progress.append(numbers))

    assert submission == Submission(
        signing_request_id=ID, web_link=None, signed_artifact_url=f"{REQUESTS}/{ID}/SignedArtifact"
    )
    assert received == [artifact.path.read_bytes()]
    assert progress == [(BLOCK, artifact.size), (2 * BLOCK, artifact.size), (artifact.size, artifact.size)]


@pytest.mark.parametrize("status", [404, 405])
def test_one_call_where_the_server_is_older(server: responses.RequestsMock, artifact: Artifact, status: int) -> None:
    server.post(CREATE, status=status)
    server.post(ONE_CALL, status=201, json=CREATED)

    assert submit(rest_api(), artifact, FIELDS, on_progress=_ignore).signing_request_id == ID


def test_the_second_call_speaks_where_both_are_missing(server: responses.RequestsMock, artifact: Artifact) -> None:
    server.post(CREATE, status=404)
    server.post(ONE_CALL, status=404, body="<title>Intranet</title>", content_type="text/html")
    with pytest.raises(RefusedError) as caught:
        submit(rest_api(), artifact, FIELDS, on_progress=_ignore)

    assert str(caught.value) == (
        f"POST {ONE_CALL} was refused: 404 Not Found: Intranet. Check SIGNPATH_ORGANIZATION_ID, "
        "SIGNPATH_PROJECT_SLUG and the URL, --api-url (SIGNPATH_API_URL)."
    )


def test_an_unknown_project_is_no_missing_route(server: responses.RequestsMock, artifact: Artifact) -> None:
    server.post(CREATE, status=404, json={"title": "Not Found", "detail": "There is no project 'demo'."})
    with pytest.raises(RefusedError, match="There is no project 'demo'"):
        submit(rest_api(), artifact, FIELDS, on_progress=_ignore)

    assert len(server.calls) == 1


def _ignore(_done: int, _total: int) -> None:
    """Progress is not what these tests are about."""


def _flip(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"X")


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _shrink(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("change", [_flip, _grow, _shrink, _empty])
@pytest.mark.parametrize("cancel_status", [200, 404])
def test_a_file_that_changed_is_canceled_and_never_arrives_as_a_whole(
    server: responses.RequestsMock, artifact: Artifact, change: Callable[[Path], None], cancel_status: int
) -> None:
    server.post(CREATE, status=201, json=CREATED)
    server.add_callback(responses.POST, UPLOAD, _read_body)
    server.post(f"{REQUESTS}/{ID}/Cancel", status=cancel_status)
    change(artifact.path)
    with pytest.raises(LocalFileError) as caught:
        submit(rest_api(), artifact, FIELDS, on_progress=_ignore)

    assert str(caught.value) == (
        f"{artifact.path} changed while it was uploaded; nothing was submitted. "
        "Sign it after the step that writes it has ended."
    )
    assert caught.value.exit_code == 8
    assert received == []
    assert [str(call.request.url) for call in server.calls] == [CREATE, UPLOAD, f"{REQUESTS}/{ID}/Cancel"]


def test_the_server_gets_no_complete_body_of_a_file_that_changed(artifact: Artifact) -> None:
    """Over a real socket: what came is shorter than what was announced."""
    bodies: list[int] = []

    def read_until_it_breaks(connection: Connection) -> None:
        data = bytearray()
        try:
            while piece := connection.socket.recv(65536):
                data += piece
        finally:
            bodies.append(len(bytes(data).partition(b"\r\n\r\n")[2]))

    def create(connection: Connection) -> None:
        connection.read_request()
        connection.answer(b'{"signingRequestId": "x"}', "Connection: close")

    def cancel(connection: Connection) -> None:
        connection.read_request()
        connection.answer(b"")

    _flip(artifact.path)
    with loopback(create, read_until_it_breaks, cancel) as server:
        with pytest.raises(LocalFileError):
            submit(rest_api(server.url), artifact, FIELDS, on_progress=_ignore)
        assert server.requests[-1].split(b" ")[1].endswith(b"/SigningRequests/x/Cancel")
    assert bodies[0] < (artifact.size or 0)


def test_a_file_that_changed_in_one_call_leaves_nothing_to_cancel(
    server: responses.RequestsMock, artifact: Artifact
) -> None:
    server.post(CREATE, status=404)
    server.add_callback(responses.POST, ONE_CALL, _read_body)
    _flip(artifact.path)
    with pytest.raises(LocalFileError):
        submit(rest_api(), artifact, FIELDS, on_progress=_ignore)

    assert [str(call.request.url) for call in server.calls] == [CREATE, ONE_CALL]


def test_a_file_that_vanished(server: responses.RequestsMock, artifact: Artifact) -> None:
    server.post(CREATE, status=201, json=CREATED)
    server.add_callback(responses.POST, UPLOAD, _read_body)
    server.post(f"{REQUESTS}/{ID}/Cancel", body=requests.ConnectionError())
    server.get(f"{REQUESTS}/{ID}/Status", body=requests.ConnectionError())
    artifact.path.unlink()
    with pytest.raises(LocalFileError, match="does not exist"):
        submit(rest_api(), artifact, FIELDS, on_progress=_ignore)


def test_one_call_that_breaks_is_not_repeated(server: responses.RequestsMock, artifact: Artifact) -> None:
    server.post(CREATE, status=404)
    server.post(ONE_CALL, status=502)
    with pytest.raises(ServiceUnavailableError) as caught:
        submit(rest_api(), artifact, FIELDS, on_progress=_ignore)

    assert str(caught.value) == (
        f"POST {ONE_CALL} was answered with 502 Bad Gateway, and the server may have taken it all the same. "
        "Look at the project's signing requests in SignPath before you run it again."
    )
    assert (caught.value.exit_code, len(server.calls)) == (6, 2)
