"""Old servers: what they lack, and that the client gets along with each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from signpath_ci.api.rest import SignPathApi
from signpath_ci.model import SigningRequestFields
from signpath_ci.sandbox.api.versions import ServerVersion
from signpath_ci.settings.declaration import Secret
from signpath_ci.signing.artifact import read_artifact
from signpath_ci.signing.submit import submit
from tests.support.sandboxes import ORGANIZATION, Client, eventually, serving, signed
from tests.support.wire import transport

VERSIONS = ("1.185", "1.190", "1.191", "1.195.2", "1.196", "1.199", "1.200.2", "1.205.1", "1.207.3", "1.219")
MISSING = {
    "1.190": {"SubmitWithoutArtifact", "SubmitWithArtifact", "Status", "Cancel"},
    "1.191": {"SubmitWithArtifact", "Status", "Cancel"},
    "1.196": {"Status", "Cancel"},
    "1.200.2": {"Cancel"},
    "1.207.3": set(),
}


@pytest.fixture(params=VERSIONS)
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Client]]:
    with serving(tmp_path, version=ServerVersion.parse(request.param)) as client:
        yield request.param, client


def test_the_client_signs_with_each(sandbox: tuple[str, Client], tmp_path: Path) -> None:
    version, client = sandbox
    file = tmp_path / "app.exe"
    file.write_bytes(b"MZ old")
    fields = SigningRequestFields(project_slug="app", signing_policy_slug="test-signing")
    api = SignPathApi(transport(f"{client.root}/Api", token=Secret("ci-token")), ORGANIZATION)
    artifact = read_artifact(file)
    submission = submit(api, artifact, fields, link=None, on_progress=lambda *_: None, on_created=lambda _: None)
    eventually(lambda: api.status(submission.signing_request_id).is_final)
    state = api.status(submission.signing_request_id)
    content = api.signed_artifact(submission.signing_request_id, b"".join)

    assert (state.status, content) == ("Completed", signed(b"MZ old"))
    assert (submission.web_link is not None) == (ServerVersion.parse(version) >= ServerVersion(205, 1))


@pytest.mark.parametrize("sandbox", sorted(MISSING), indirect=True)
def test_what_a_version_lacks(sandbox: tuple[str, Client]) -> None:
    version, client = sandbox
    request_id = (
        client.form(
            client.all_requests,
            {"projectSlug": "app", "signingPolicySlug": "two-approvals", "artifact": ("a.exe", b"MZ")},
        )
        .headers["Location"]
        .rpartition("/")[2]
    )

    calls = {
        "SubmitWithoutArtifact": client.announce(),
        "SubmitWithArtifact": client.submit(),
        "Status": client.get(f"{request_id}/Status"),
        "Cancel": client.post(f"{request_id}/Cancel"),
    }

    assert {name for name, answer in calls.items() if answer.status_code in {404, 405}} == MISSING[version]


@pytest.mark.parametrize("sandbox", ["1.194", "1.195"], indirect=True)
def test_errors_are_problem_details_since_1_195(sandbox: tuple[str, Client]) -> None:
    version, client = sandbox

    answer = client.form(client.all_requests, {"projectSlug": "app"})

    assert answer.status_code == 400
    kind = "text/plain; charset=utf-8" if version == "1.194" else "application/problem+json"
    assert answer.headers["Content-Type"] == kind
    assert "signingPolicySlug" in answer.text


@pytest.mark.parametrize("sandbox", ["1.188", "1.189"], indirect=True)
def test_the_link_to_the_signed_artifact_is_there_from_the_start_since_1_189(sandbox: tuple[str, Client]) -> None:
    version, client = sandbox
    answer = client.form(
        client.all_requests, {"projectSlug": "app", "signingPolicySlug": "two-approvals", "artifact": ("a", b"MZ")}
    )

    assert ("signedArtifactLink" in answer.json()) == (version == "1.189")


@pytest.mark.parametrize("text", ["", "2.0", "1", "1.x", "1.190.0.0", "v1.190", "1.99999"])
def test_what_is_not_a_version(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version of SignPath"):
        ServerVersion.parse(text)
