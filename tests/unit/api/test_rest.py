"""SignPath's REST API as the wire contract has it: what is called, with which fields, and what comes back."""

from __future__ import annotations

import email.policy
import re
from collections.abc import Iterator
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from signpath_ci.errors import LocalFileError, RefusedError, ServiceUnavailableError, UnexpectedAnswerError
from signpath_ci.model import (
    RecordedOrigin,
    RequestStatus,
    RetrievalLink,
    SigningRequest,
    SigningRequestFields,
    Submission,
)
from tests.support.values import FakeTime
from tests.support.wire import REQUESTS, Blocks, rest_api

ID = "7c2f0a44-1111-4222-8333-444455556666"
FIELDS = SigningRequestFields(project_slug="demo", signing_policy_slug="test-signing")
LINK = "https://signpath.example/requests/7"
WAITING = {"status": "WaitingForArtifactUpload", "workflowStatus": "Submitted", "isFinalStatus": False}
RUNNING = {"status": "InProgress", "workflowStatus": "Processing", "isFinalStatus": False}


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def form_of(request: Any) -> list[tuple[str, str | None, str]]:
    """Return name, file name and text of each part of a request's form."""
    body = request.body if isinstance(request.body, bytes) else b"".join(request.body)
    assert int(request.headers["Content-Length"]) == len(body)
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    message = BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    parts = []
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        name = str(part.get_param("name", header="content-disposition"))
        parts.append((name, part.get_filename(), content.decode()))
    return parts


def calls(server: responses.RequestsMock) -> list[str]:
    return [f"{call.request.method} {str(call.request.url).removeprefix(REQUESTS)}" for call in server.calls]


def test_a_request_is_created_with_every_field(server: responses.RequestsMock, tmp_path: Path) -> None:
    definition = tmp_path / "build.yml"
    definition.write_text("on: push", encoding="utf-8")
    fields = SigningRequestFields(
        project_slug="demo",
        signing_policy_slug="test-signing",
        artifact_configuration_slug="initial",
        description="1.2 äöü",
        parameters={"Version": "1.2", "empty": ""},
        origin={"origin.repositoryData.branchName": "main"},
        build_settings_file=definition,
    )
    server.post(f"{REQUESTS}/SubmitWithoutArtifact", status=201, json={"signingRequestId": ID, "webLink": LINK})

    made = rest_api().create(fields, file_name="app.exe", sha256="ab" * 32)

    assert made == Submission(
        signing_request_id=ID, web_link=LINK, signed_artifact_url=f"{REQUESTS}/{ID}/SignedArtifact"
    )
    assert form_of(server.calls[0].request) == [
        ("projectSlug", None, "demo"),
        ("signingPolicySlug", None, "test-signing"),
        ("artifactConfigurationSlug", None, "initial"),
        ("description", None, "1.2 äöü"),
        ("parameters.Version", None, "1.2"),
        ("parameters.empty", None, ""),
        ("origin.repositoryData.branchName", None, "main"),
        ("unsignedArtifactMetadata.fileName", None, "app.exe"),
        ("unsignedArtifactMetadata.sha256Hash", None, "ab" * 32),
        ("origin.buildData.buildSettingsFile", "build.yml", "on: push"),
    ]


def test_what_is_not_given_is_not_sent(server: responses.RequestsMock) -> None:
    server.post(f"{REQUESTS}/SubmitWithoutArtifact", status=201, json={"signingRequestId": ID})

    assert rest_api().create(FIELDS, file_name="a", sha256="00").web_link is None
    assert [name for name, _, _ in form_of(server.calls[0].request)] == [
        "projectSlug",
        "signingPolicySlug",
        "unsignedArtifactMetadata.fileName",
        "unsignedArtifactMetadata.sha256Hash",
    ]


def test_creating_is_safe_to_repeat(server: responses.RequestsMock) -> None:
    url = f"{REQUESTS}/SubmitWithoutArtifact"
    server.post(url, body=requests.ConnectionError())
    server.post(url, status=500)
    server.post(url, status=201, json={"signingRequestId": ID})

    assert rest_api().create(FIELDS, file_name="a", sha256="00").signing_request_id == ID


def test_one_call_with_everything_is_not(server: responses.RequestsMock) -> None:
    server.post(REQUESTS, body=requests.ConnectionError())
    with pytest.raises(ServiceUnavailableError) as caught:
        rest_api().submit_with_artifact(FIELDS, file_name="app.exe", content=Blocks(b"MZ"))

    assert caught.value.hint == "Look at the project's signing requests in SignPath before you run it again."


def test_one_call_with_everything(server: responses.RequestsMock) -> None:
    server.post(REQUESTS, status=201, json={"signingRequestId": ID, "webLink": LINK})

    made = rest_api().submit_with_artifact(FIELDS, file_name="app.exe", content=Blocks(b"MZ", b"go"))

    assert made == Submission(
        signing_request_id=ID, web_link=LINK, signed_artifact_url=f"{REQUESTS}/{ID}/SignedArtifact"
    )
    assert form_of(server.calls[0].request) == [
        ("projectSlug", None, "demo"),
        ("signingPolicySlug", None, "test-signing"),
        ("artifact", "app.exe", "MZgo"),
    ]


@pytest.mark.parametrize("answer", [{}, {"signingRequestId": None}, {"signingRequestId": ""}, {"signingRequestId": 7}])
def test_a_submit_without_an_id_is_not_the_apis(server: responses.RequestsMock, answer: dict[str, object]) -> None:
    server.post(f"{REQUESTS}/SubmitWithoutArtifact", status=201, json=answer)
    with pytest.raises(UnexpectedAnswerError, match="'signingRequestId'"):
        rest_api().create(FIELDS, file_name="a", sha256="00")


def test_build_settings_that_cannot_be_read_or_are_no_settings(tmp_path: Path) -> None:
    large = tmp_path / "large.yml"
    large.write_bytes(bytes(1024 * 1024 + 1))
    for path, words in (
        (tmp_path / "none.yml", "can't be read: No such file"),
        (large, "is larger than 1048576 bytes"),
    ):
        fields = SigningRequestFields(project_slug="p", signing_policy_slug="s", build_settings_file=path)
        with pytest.raises(LocalFileError, match=words):
            rest_api().create(fields, file_name="a", sha256="00")


def test_an_upload_goes_to_the_route_of_base_and_id(server: responses.RequestsMock) -> None:
    server.post(f"{REQUESTS}/{ID}/UploadUnsignedArtifact", status=202)

    rest_api().upload(ID, Blocks(b"MZ"))

    request: Any = server.calls[0].request
    assert (b"".join(request.body), request.headers["Content-Type"]) == (b"MZ", "application/octet-stream")


@pytest.mark.parametrize(
    ("statuses", "called"),
    [
        ([RUNNING], ["POST", "GET"]),
        ([WAITING, RUNNING], ["POST", "GET", "POST", "GET"]),
    ],
)
def test_a_broken_upload_is_repeated_only_while_the_request_waits_for_it(
    server: responses.RequestsMock, statuses: list[dict[str, object]], called: list[str]
) -> None:
    server.post(f"{REQUESTS}/{ID}/UploadUnsignedArtifact", body=requests.ConnectionError())
    for status in statuses:
        server.get(f"{REQUESTS}/{ID}/Status", json=status)

    rest_api().upload(ID, Blocks(b"MZ"))

    assert [call.request.method for call in server.calls] == called


def test_the_status_has_the_link_of_the_submit(server: responses.RequestsMock) -> None:
    server.post(f"{REQUESTS}/SubmitWithoutArtifact", json={"signingRequestId": ID, "webLink": LINK})
    server.get(f"{REQUESTS}/{ID}/Status", json=RUNNING)
    api = rest_api()

    before = api.status(ID)
    api.create(FIELDS, file_name="a", sha256="00")

    assert (before.web_link, api.status(ID)) == (
        None,
        RequestStatus(
            signing_request_id=ID, status="InProgress", workflow_status="Processing", is_final=False, web_link=LINK
        ),
    )


def test_servers_without_a_status_route_are_asked_for_the_whole_request(server: responses.RequestsMock) -> None:
    server.get(f"{REQUESTS}/{ID}/Status", status=404)
    server.get(f"{REQUESTS}/{ID}", json=RUNNING | {"webLink": LINK})
    api = rest_api()

    assert [api.status(ID).web_link, api.status(ID).status] == [LINK, "InProgress"]
    assert calls(server) == [f"GET /{ID}/Status", f"GET /{ID}", f"GET /{ID}"]


def test_an_unknown_request_is_no_missing_route(server: responses.RequestsMock) -> None:
    server.get(
        f"{REQUESTS}/{ID}/Status", status=404, json={"title": "Not Found", "detail": "There is no such request."}
    )
    with pytest.raises(RefusedError, match=r"There is no such request\."):
        rest_api().status(ID)

    assert calls(server) == [f"GET /{ID}/Status"]


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"isFinalStatus": False}, "status"),
        ({"status": "InProgress"}, "isFinalStatus"),
        ({"status": "InProgress", "isFinalStatus": "false"}, "isFinalStatus"),
        ({"status": 7, "isFinalStatus": False}, "status"),
    ],
)
def test_a_status_without_its_promised_fields(
    server: responses.RequestsMock, answer: dict[str, object], field: str
) -> None:
    server.get(f"{REQUESTS}/{ID}/Status", json=answer)
    with pytest.raises(UnexpectedAnswerError, match=f"'{field}'"):
        rest_api().status(ID)


def test_the_whole_request(server: responses.RequestsMock) -> None:
    server.get(
        f"{REQUESTS}/{ID}",
        json={
            "status": "Completed",
            "workflowStatus": "Completed",
            "isFinalStatus": True,
            "webLink": LINK,
            "description": "1.2",
            "projectSlug": "demo",
            "signingPolicySlug": "test-signing",
            "artifactConfigurationSlug": "initial",
            "parameters": {"Version": "1.2", "gone": None},
            "origin": {
                "buildData": {"url": "https://ci/1", "buildSettingsFile": {"fileName": "ci.yml", "downloadLink": "x"}},
                "repositoryData": {
                    "url": "https://git/x",
                    "branchName": "main",
                    "commitId": "ab" * 20,
                    "sourceControlManagementType": "git",
                },
            },
        },
    )

    assert rest_api().request(ID) == SigningRequest(
        state=RequestStatus(
            signing_request_id=ID, status="Completed", workflow_status="Completed", is_final=True, web_link=LINK
        ),
        description="1.2",
        project_slug="demo",
        signing_policy_slug="test-signing",
        artifact_configuration_slug="initial",
        parameters={"Version": "1.2"},
        origin=RecordedOrigin(
            repository_url="https://git/x",
            branch="main",
            commit="ab" * 20,
            scm="git",
            build_url="https://ci/1",
            build_settings_file_name="ci.yml",
        ),
    )


@pytest.mark.parametrize(("origin", "recorded"), [(None, None), ({}, RecordedOrigin())])
def test_a_request_without_an_origin(
    server: responses.RequestsMock, origin: object, recorded: RecordedOrigin | None
) -> None:
    server.get(f"{REQUESTS}/{ID}", json=RUNNING | {"origin": origin})

    assert rest_api().request(ID).origin == recorded


def test_the_signed_artifact(server: responses.RequestsMock) -> None:
    server.get(f"{REQUESTS}/{ID}/SignedArtifact", body=b"signed")

    assert rest_api().signed_artifact(ID, b"".join) == b"signed"


@pytest.mark.parametrize(
    "answer",
    [
        {"json": {"signingRequestId": ID, "webLink": LINK}},
        {"json": {"webLink": LINK}, "headers": {"Location": f"{REQUESTS}/{ID}"}},
        {"body": b"", "headers": {"Location": f"/Api/v1/SigningRequests/{ID}/"}},
    ],
)
def test_a_resubmit(server: responses.RequestsMock, answer: dict[str, Any]) -> None:
    server.post(f"{REQUESTS}/Resubmit", status=201, **answer)

    made = rest_api().resubmit("original", signing_policy_slug="release-signing", description="1.2")

    assert made.signing_request_id == ID
    assert form_of(server.calls[0].request) == [
        ("originalSigningRequestId", None, "original"),
        ("signingPolicySlug", None, "release-signing"),
        ("description", None, "1.2"),
    ]


def test_a_link_goes_along_with_its_headers_and_is_not_repeated(server: responses.RequestsMock) -> None:
    server.post(
        f"{REQUESTS}/SubmitWithArtifactRetrievalLink", json={"signingRequestId": ID, "webLink": LINK}, status=201
    )
    server.post(f"{REQUESTS}/SubmitWithArtifactRetrievalLink", status=502)
    link = RetrievalLink(
        url="https://store.example/a.exe?sig=1", file_name="a.exe", headers=(("Authorization", "Bearer s"), ("X", "2"))
    )

    made = rest_api().submit_with_retrieval_link(FIELDS, sha256="ab" * 32, link=link)
    with pytest.raises(ServiceUnavailableError, match="Look at the project's signing requests"):
        rest_api().submit_with_retrieval_link(FIELDS, sha256="ab" * 32, link=link)

    assert (made.signing_request_id, made.web_link) == (ID, LINK)
    assert len(server.calls) == 2
    assert form_of(server.calls[0].request) == [
        ("projectSlug", None, "demo"),
        ("signingPolicySlug", None, "test-signing"),
        ("artifactRetrievalLink.url", None, "https://store.example/a.exe?sig=1"),
        ("artifactRetrievalLink.fileName", None, "a.exe"),
        ("artifactRetrievalLink.sha256Hash", None, "ab" * 32),
        ("artifactRetrievalLink.httpHeaders[0].key", None, "Authorization"),
        ("artifactRetrievalLink.httpHeaders[0].value", None, "Bearer s"),
        ("artifactRetrievalLink.httpHeaders[1].key", None, "X"),
        ("artifactRetrievalLink.httpHeaders[1].value", None, "2"),
    ]
    assert not {"s", "sig"} & set(re.findall(r"\w+", repr(link)))


def test_a_resubmit_whose_answer_names_no_request_may_have_been_taken(server: responses.RequestsMock) -> None:
    server.post(f"{REQUESTS}/Resubmit", status=201, json={"status": "InProgress"})
    with pytest.raises(
        UnexpectedAnswerError, match="'signingRequestId', and the server may have taken it all the same"
    ):
        rest_api().resubmit("original", signing_policy_slug="release-signing", description=None)


def test_a_resubmit_is_not_repeated_and_keeps_the_description(server: responses.RequestsMock) -> None:
    server.post(f"{REQUESTS}/Resubmit", status=504)
    with pytest.raises(ServiceUnavailableError, match="may have taken it"):
        rest_api().resubmit("original", signing_policy_slug="release-signing", description=None)

    assert [name for name, _, _ in form_of(server.calls[0].request)] == [
        "originalSigningRequestId",
        "signingPolicySlug",
    ]


def test_cancelling_what_a_lost_answer_canceled_is_done(server: responses.RequestsMock) -> None:
    server.post(f"{REQUESTS}/{ID}/Cancel", body=requests.ConnectionError())
    server.get(f"{REQUESTS}/{ID}/Status", json={"status": "Canceled", "isFinalStatus": True})

    rest_api().cancel(ID)

    assert calls(server) == [f"POST /{ID}/Cancel", f"GET /{ID}/Status"]


def test_cancelling_has_its_own_patience(server: responses.RequestsMock) -> None:
    time = FakeTime()
    server.post(f"{REQUESTS}/{ID}/Cancel", status=503)
    server.get(f"{REQUESTS}/{ID}/Status", json=RUNNING)
    with pytest.raises(ServiceUnavailableError):
        rest_api(time=time).cancel(ID, patience=10)

    assert time.seconds == 10


def test_an_id_cannot_lead_to_another_path(server: responses.RequestsMock) -> None:
    server.get(f"{REQUESTS}/..%2Fx%3Fy/Status", json=RUNNING)

    assert rest_api().status("../x?y").status == "InProgress"
