"""Connectors as the wire contract has them: GitHub's as its action calls it, the others as inferred."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.api.connector import Connector
from signpath_ci.api.connector_payloads import AzureArtifact, BuildArtifact, GitHubArtifact, GitLabArtifact
from signpath_ci.errors import RefusedError, ServiceUnavailableError, SignPathError, UnexpectedAnswerError
from signpath_ci.model import RequestStatus, SigningRequestFields, Submission
from signpath_ci.settings.declaration import Secret
from tests.support.values import FakeTime
from tests.support.wire import ORGANIZATION, TOKEN, transport

BASE = "https://connector.example/GitHubActions/GitHubCom"
SUBMIT = f"{BASE}/{ORGANIZATION}/SigningRequests?api-version=1.0"
ID = "7c2f0a44-1111-4222-8333-444455556666"
LINK = "https://signpath.example/requests/7"
FIELDS = SigningRequestFields(project_slug="demo", signing_policy_slug="test-signing")
GITHUB = GitHubArtifact(artifact_id="17", run_id="4711", repository="acme/app", token=Secret("gh-t0ken"))
REQUEST: dict[str, Any] = {"signingRequestId": ID, "signingRequestUrl": LINK, "validationResult": None, "logs": []}


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def _connector(logged: list[tuple[int, str]] | None = None, *, time: FakeTime | None = None) -> Connector:
    lines = [] if logged is None else logged
    return Connector(
        transport(BASE, time=time, url_option="--connector-url (SIGNPATH_CONNECTOR_URL)"),
        ORGANIZATION,
        on_log=lambda level, text: lines.append((level, text)),
    )


@pytest.mark.parametrize(
    ("artifact", "named"),
    [
        (
            GITHUB,
            {
                "artifactId": "17",
                "gitHubWorkflowRunId": "4711",
                "gitHubRepository": "acme/app",
                "gitHubToken": "gh-t0ken",
            },
        ),
        (
            GitLabArtifact(project_id="1", pipeline_id="2", job_name="build", path="a/b.exe", token=Secret("gl")),
            {
                "gitLabProjectId": "1",
                "gitLabPipelineId": "2",
                "gitLabArtifactJobName": "build",
                "gitLabArtifactPath": "a/b.exe",
                "gitLabToken": "gl",
            },
        ),
        (
            AzureArtifact(
                build_id="1",
                project_id="2",
                collection_uri="https://dev.azure.com/acme/",
                artifact_name="drop",
                token=Secret("az"),
            ),
            {
                "azureDevOpsBuildId": "1",
                "azureDevOpsProjectId": "2",
                "azureDevOpsCollectionUri": "https://dev.azure.com/acme/",
                "azureDevOpsArtifactName": "drop",
                "azureDevOpsToken": "az",
            },
        ),
    ],
)
def test_a_submit_names_the_artifact_in_the_words_of_its_ci_system(
    server: responses.RequestsMock, artifact: BuildArtifact, named: dict[str, str]
) -> None:
    server.post(SUBMIT, json=REQUEST)
    fields = SigningRequestFields(
        project_slug="demo",
        signing_policy_slug="test-signing",
        artifact_configuration_slug="initial",
        description="not for connectors",
        parameters={"Version": "1.2"},
    )

    assert _connector().submit(artifact, fields) == Submission(
        signing_request_id=ID,
        web_link=LINK,
        signed_artifact_url=f"{BASE}/{ORGANIZATION}/SigningRequests/{ID}/SignedArtifact?api-version=1.0",
    )
    request = server.calls[0].request
    assert json.loads(request.body or "") == {
        **named,
        "signPathProjectSlug": "demo",
        "signPathSigningPolicySlug": "test-signing",
        "signPathArtifactConfigurationSlug": "initial",
        "parameters": [{"name": "Version", "value": "1.2"}],
    }
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_no_token_shows(server: responses.RequestsMock) -> None:
    server.post(SUBMIT, status=500)
    with pytest.raises(ServiceUnavailableError) as caught:
        _connector().submit(GITHUB, FIELDS)

    assert "gh-t0ken" not in f"{GITHUB!r} {caught.value}"


def test_without_an_artifact_configuration_none_is_sent(server: responses.RequestsMock) -> None:
    server.post(SUBMIT, json=REQUEST)
    _connector().submit(GITHUB, FIELDS)

    assert "signPathArtifactConfigurationSlug" not in json.loads(server.calls[0].request.body or "")


def test_the_connectors_log_is_told_at_its_levels_and_can_form_no_command(server: responses.RequestsMock) -> None:
    logs = [
        {"message": "one", "level": "Debug"},
        {"message": "two", "level": "Information"},
        {"message": "three", "level": "Warning"},
        {"message": "four\nfive", "level": "Error"},
        {"message": "::set-output name=x::y", "level": "Fancy"},
        {"message": "a ##vso[task.complete]"},
        {"message": 7},
        "text",
    ]
    server.post(SUBMIT, json=REQUEST | {"logs": logs})
    logged: list[tuple[int, str]] = []

    _connector(logged).submit(GITHUB, FIELDS)

    assert logged == [
        (logging.DEBUG, "one"),
        (logging.INFO, "two"),
        (logging.WARNING, "three"),
        (logging.ERROR, "four five"),
        (logging.INFO, ": :set-output name=x::y"),
        (logging.INFO, "a # #vso[task.complete]"),
    ]


ERRORS = {
    "errors": [
        {"error": "The branch 'x' is not allowed", "howToFix": "Build 'main'."},
        {"error": "The artifact is gone.", "howToFix": None},
        {"error": "It is late", "howToFix": "Hurry up"},
    ]
}


@pytest.mark.parametrize("status", [200, 400, 403, 422])
@pytest.mark.parametrize("extra", [{}, {"error": "Validation failed"}, {"signingRequestId": ID}])
def test_what_is_not_valid_is_the_error_and_how_to_fix_it_the_hint(
    server: responses.RequestsMock, status: int, extra: dict[str, str]
) -> None:
    answer = {"validationResult": ERRORS, "logs": [{"message": "refused", "level": "Error"}], **extra}
    server.post(SUBMIT, status=status, json=answer)
    logged: list[tuple[int, str]] = []
    with pytest.raises(RefusedError) as caught:
        _connector(logged).submit(GITHUB, FIELDS)

    assert str(caught.value) == (
        "The connector refused the signing request: The branch 'x' is not allowed. The artifact is gone. It is late. "
        "Build 'main'. Hurry up."
    )
    assert (caught.value.status, caught.value.exit_code, logged) == (status, 3, [(logging.ERROR, "refused")])


@pytest.mark.parametrize("validation", [None, {}, {"errors": []}, {"errors": None}, {"errors": "x"}, [], 7])
@pytest.mark.parametrize("status", [200, 401])
def test_an_error_without_a_validation_speaks_for_itself(
    server: responses.RequestsMock, status: int, validation: object
) -> None:
    server.post(SUBMIT, status=status, json={"error": "The token has expired", "validationResult": validation})
    with pytest.raises(RefusedError) as caught:
        _connector().submit(GITHUB, FIELDS)

    assert caught.value.message == "The connector refused the signing request: The token has expired."
    assert ("SIGNPATH_API_TOKEN" in caught.value.hint) == (status == 401)


def test_a_refusal_in_other_words_keeps_them(server: responses.RequestsMock) -> None:
    server.post(SUBMIT, status=404, body="<title>Nothing here</title>", content_type="text/html")
    with pytest.raises(RefusedError) as caught:
        _connector().submit(GITHUB, FIELDS)

    assert "404 Not Found: Nothing here." in caught.value.message
    assert "--connector-url (SIGNPATH_CONNECTOR_URL)" in caught.value.hint


@pytest.mark.parametrize("answer", [{}, {"name": "Other service"}, {"signingRequestId": None, "logs": []}])
def test_a_url_that_is_not_a_connectors(server: responses.RequestsMock, answer: dict[str, Any]) -> None:
    server.post(SUBMIT, json=answer)
    with pytest.raises(UnexpectedAnswerError) as caught:
        _connector().submit(GITHUB, FIELDS)

    assert str(caught.value) == (
        f"POST {SUBMIT} was answered with neither a signing request nor a validation, so it is no connector, and the "
        "server may have taken it all the same. A signing request may exist: look at the project's signing requests in "
        "SignPath before you run it again. Check that --connector-url (SIGNPATH_CONNECTOR_URL) is the API's URL, not a "
        "web page's."
    )
    assert caught.value.exit_code == 2


def test_a_web_page_is_not_a_connector(server: responses.RequestsMock) -> None:
    server.post(SUBMIT, body="<html><title>Home</title></html>", content_type="text/html")
    with pytest.raises(UnexpectedAnswerError) as caught:
        _connector().submit(GITHUB, FIELDS)

    assert str(caught.value) == (
        f"POST {SUBMIT} was answered with a web page: Home, and the server may have taken it all the same. "
        "A signing request may exist: look at the project's signing requests in SignPath before you run it again. "
        "Check that --connector-url (SIGNPATH_CONNECTOR_URL) is the API's URL, not a web page's."
    )


def test_a_validation_without_errors_and_without_a_request_is_broken(server: responses.RequestsMock) -> None:
    server.post(SUBMIT, json={"validationResult": {}})
    with pytest.raises(UnexpectedAnswerError, match="without the promised field 'signingRequestId'"):
        _connector().submit(GITHUB, FIELDS)


@pytest.mark.parametrize("status", [429, 503])
def test_a_submit_is_repeated_where_it_was_not_taken(server: responses.RequestsMock, status: int) -> None:
    server.post(SUBMIT, status=status)
    server.post(SUBMIT, json=REQUEST)

    assert _connector().submit(GITHUB, FIELDS).signing_request_id == ID


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ({"status": 500}, "was answered with 500 Internal Server Error"),
        ({"status": 504}, "was answered with 504 Gateway Timeout"),
        ({"body": requests.ReadTimeout()}, "failed (ReadTimeout)"),
    ],
)
def test_after_anything_else_it_says_that_a_request_may_exist(
    server: responses.RequestsMock, failure: dict[str, Any], words: str
) -> None:
    server.post(SUBMIT, **failure)
    with pytest.raises(ServiceUnavailableError) as caught:
        _connector().submit(GITHUB, FIELDS)

    assert str(caught.value) == (
        f"POST {SUBMIT} {words}, and the server may have taken it all the same. "
        "A signing request may exist: look at the project's signing requests in SignPath before you run it again."
    )
    assert len(server.calls) == 1


@pytest.mark.parametrize("fetched", [True, False, None])
def test_a_status_says_whether_the_artifact_was_fetched(server: responses.RequestsMock, fetched: bool | None) -> None:
    server.get(
        f"{BASE}/{ORGANIZATION}/SigningRequests/{ID}/Status?api-version=1.0",
        json={
            "status": "InProgress",
            "isFinalStatus": False,
            "webLink": LINK,
            "hasArtifactBeenDownloadedBySignPathInCaseOfArtifactRetrieval": fetched,
        },
    )

    assert _connector().status(ID) == RequestStatus(
        signing_request_id=ID,
        status="InProgress",
        workflow_status=None,
        is_final=False,
        web_link=LINK,
        is_artifact_fetched=fetched,
    )


def test_the_signed_artifact(server: responses.RequestsMock) -> None:
    server.get(f"{BASE}/{ORGANIZATION}/SigningRequests/{ID}/SignedArtifact?api-version=1.0", body=b"PK")

    assert _connector().signed_artifact(ID, b"".join) == b"PK"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["error", "errors", "howToFix", "validationResult", "logs", "message", "level", "signingRequestId"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(answer=_JSON, status=st.sampled_from([200, 201, 400, 401, 404]))
def test_any_answer_is_a_submission_or_one_of_the_projects_errors(answer: object, status: int) -> None:
    with responses.RequestsMock() as server:
        server.post(SUBMIT, status=status, json=answer)
        try:
            submission = _connector().submit(GITHUB, FIELDS)
        except SignPathError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either outcome is fine, others are not
        else:
            assert submission.signing_request_id


@pytest.mark.parametrize("status", [200, 400])
def test_a_connector_that_repeats_a_token_does_not_make_it_show(server: responses.RequestsMock, status: int) -> None:
    artifact = GitHubArtifact(artifact_id="17", run_id="4711", repository="acme/app", token=Secret("ghs_of-the-job"))
    server.post(SUBMIT, status=status, json={"error": f"ghs_of-the-job and {TOKEN}", "logs": [{"message": TOKEN}]})
    logged: list[tuple[int, str]] = []

    with pytest.raises(RefusedError) as caught:
        _connector(logged).submit(artifact, FIELDS)

    assert caught.value.message == "The connector refused the signing request: *** and ***."
    assert logged == [(logging.INFO, "***")]
