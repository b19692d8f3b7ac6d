"""The CI systems' own APIs for artifacts, their names, and version 1 of the GitHub action."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandboxes import ORGANIZATION, Client, sha256, signed

GITHUB = "/ci/github/repos/acme/app/actions/artifacts"
GITLAB = "/ci/gitlab/api/v4/projects/1"
AZURE = "/ci/azure/Project/_apis/build/builds/3"
JOB_TOKEN = {"token": "job-token"}
PAYLOAD = {
    "artifactId": "18",
    "gitHubWorkflowRunId": "42",
    "gitHubRepository": "acme/app",
    "gitHubToken": "ghs_token",
    "signPathProjectSlug": "app",
    "signPathSigningPolicySlug": "test-signing",
}


def test_github_tells_name_and_digest_and_leads_to_the_content(sandbox: Client) -> None:
    about = sandbox.get(f"{GITHUB}/18", **JOB_TOKEN).json()
    leads = sandbox.get(f"{GITHUB}/18/zip", allow_redirects=False, **JOB_TOKEN)
    content = sandbox.get(f"{sandbox.root}{leads.headers['Location']}", token=None)

    assert (about["name"], about["expired"]) == ("app", False)
    assert about["digest"] == f"sha256:{sha256(b'MZ github/18/app.zip')}"
    assert (leads.status_code, content.content) == (302, b"MZ github/18/app.zip")
    with_token = sandbox.get(f"{sandbox.root}{leads.headers['Location']}", **JOB_TOKEN)
    assert with_token.status_code == 400
    assert sandbox.get(f"{GITHUB}/19", **JOB_TOKEN).json()["name"] == "setup.exe"
    assert sandbox.get(f"{GITHUB}/20", **JOB_TOKEN).json()["expired"] is True


def test_gitlab_has_jobs_with_files(sandbox: Client) -> None:
    [job] = sandbox.get(f"{GITLAB}/pipelines/5/jobs?include_retried=false", headers={"PRIVATE-TOKEN": "x"}).json()

    content = sandbox.get(f"{GITLAB}/jobs/{job['id']}/artifacts/dist/app.exe", headers={"PRIVATE-TOKEN": "x"})

    assert (job["name"], content.content) == ("build", b"MZ gitlab/build/dist/app.exe")


def test_azure_leads_to_a_download(sandbox: Client) -> None:
    about = sandbox.get(f"{AZURE}/artifacts?artifactName=drop%20box&api-version=7.1", **JOB_TOKEN).json()

    content = sandbox.get(about["resource"]["downloadUrl"], **JOB_TOKEN)

    assert (about["name"], content.content) == ("drop box", b"MZ azure/drop box.zip")


@pytest.mark.parametrize(
    ("path", "more", "status"),
    [
        (f"{GITHUB}/18", {"token": None}, 401),
        (f"{GITHUB}/18", {"token": "forbidden"}, 403),
        (f"{GITHUB}/11", JOB_TOKEN, 404),
        (f"{GITHUB}/..%2Fsecret", JOB_TOKEN, 404),
        (f"{GITHUB}/20/zip", JOB_TOKEN, 410),
        (f"{GITLAB}/pipelines/5/jobs", {"token": None}, 401),
        (f"{GITLAB}/jobs/1/artifacts/other.exe", JOB_TOKEN, 404),
        (f"{GITLAB}/jobs/1/artifacts/..%2F..%2Fsecret.zip", JOB_TOKEN, 404),
        (f"{GITLAB}/jobs/2/artifacts/dist/app.exe", JOB_TOKEN, 404),
        (f"{AZURE}/artifacts?artifactName=drop%20box", {"token": "forbidden"}, 403),
        (f"{AZURE}/artifacts?artifactName=..%2Fsecret", JOB_TOKEN, 404),
        (f"{AZURE}/content/none", JOB_TOKEN, 404),
    ],
)
def test_what_they_refuse(sandbox: Client, path: str, more: dict[str, Any], status: int) -> None:
    assert sandbox.get(path, **more).status_code == status


@pytest.mark.parametrize(
    ("artifact_id", "name", "content"),
    [("18", "app.zip", b"MZ github/18/app.zip"), ("19", "setup.exe", b"MZ github/19/setup.exe")],
)
def test_an_artifact_keeps_the_name_that_the_ci_system_knows(
    sandbox: Client, artifact_id: str, name: str, content: bytes
) -> None:
    url = f"/connectors/github/{ORGANIZATION}/SigningRequests?api-version=1.0"

    request_id = sandbox.post(url, json={**PAYLOAD, "artifactId": artifact_id}).json()["signingRequestId"]

    sandbox.wait(request_id)
    answer = sandbox.get(f"{request_id}/SignedArtifact")
    assert (answer.content, name in answer.headers["Content-Disposition"]) == (signed(content), True)


@pytest.mark.parametrize("base", ["GitHubActions/GitHubCom", "GitHub/GitHubCom"])
def test_both_spellings_of_the_pipeline_connector(sandbox: Client, base: str) -> None:
    url = f"/connectors/pipeline/{base}/{ORGANIZATION}/SigningRequests?api-version=1.0"

    assert sandbox.post(url, json=PAYLOAD).json()["signingRequestId"]


def test_version_1_of_the_action_sends_token_and_organization_in_the_body(sandbox: Client) -> None:
    url = "/connectors/github/api/sign?api-version=1.0"
    body = {"signPathApiToken": "ci-token", "signPathOrganizationId": ORGANIZATION.upper(), **PAYLOAD}

    answer = sandbox.post(url, token=None, json=body).json()

    root = answer["signingRequestUrl"].partition("/Web/")[0]
    whole = f"{root}/API/v1/{ORGANIZATION}/SigningRequests/{answer['signingRequestId']}"
    sandbox.wait(answer["signingRequestId"])
    assert sandbox.get(whole).json()["unsignedArtifactLink"]
    assert sandbox.get(f"{whole}/SignedArtifact").status_code == 200
    for wrong, status in (
        ({"signPathApiToken": "x"}, 401),
        ({"signPathOrganizationId": "x"}, 403),
        ({"signPathApiToken": None}, 400),
    ):
        refused = sandbox.post(url, token=None, json={**body, **wrong})
        assert (refused.status_code, bool(refused.json()["error"])) == (status, True)


def test_a_system_that_is_not_linked_is_refused(sandbox: Client) -> None:
    url = f"/connectors/github/{ORGANIZATION}/SigningRequests?api-version=1.0"

    answer = sandbox.post(url, json={**PAYLOAD, "signPathProjectSlug": "unlinked"})

    assert answer.status_code == 403
    assert "is not linked to project 'unlinked'" in answer.json()["error"]
