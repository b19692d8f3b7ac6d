"""The three connectors as a client that follows the wire contract sees them."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.sandboxes import COMMIT, CONFIGURATION, ORGANIZATION, REPOSITORY, Client, serving, signed

VERSION = "?api-version=1.0"
TARGET = {
    "signPathProjectSlug": "app",
    "signPathSigningPolicySlug": "test-signing",
    "signPathArtifactConfigurationSlug": "",
    "parameters": [{"name": "version", "value": "1.0"}],
}
GITHUB = {
    "artifactId": "7",
    "gitHubWorkflowRunId": "42",
    "gitHubRepository": "acme/app",
    "gitHubToken": "gh",
    **TARGET,
}
GITLAB = {
    "gitLabProjectId": "5",
    "gitLabPipelineId": "6",
    "gitLabArtifactJobName": "build",
    "gitLabArtifactPath": "dist/app.exe",
    "gitLabToken": "gl",
    **TARGET,
}
AZURE = {
    "azureDevOpsBuildId": "9",
    "azureDevOpsProjectId": "my project",
    "azureDevOpsCollectionUri": "https://dev.azure.com/acme/",
    "azureDevOpsArtifactName": "drop box",
    "azureDevOpsToken": "az",
    **TARGET,
}
ANY_REPOSITORY = replace(CONFIGURATION, projects=(replace(CONFIGURATION.projects[0], repository_url=None),), runs=())


def _url(sandbox: Client, base: str, *more: str) -> str:
    return "/".join([f"{sandbox.root}/connectors/{base}/{ORGANIZATION}/SigningRequests", *more]) + VERSION


def _submit(sandbox: Client, base: str, payload: dict[str, Any], **more: Any) -> requests.Response:
    return sandbox.post(_url(sandbox, base), json=payload, **more)


def _refusal(answer: requests.Response) -> tuple[int, str, str | None]:
    body = answer.json()
    (error,) = body["validationResult"]["errors"]
    assert body["error"] == error["error"]
    assert body["logs"] == [{"message": f"The signing request was refused: {error['error']}", "level": "Error"}]
    return answer.status_code, error["error"], error["howToFix"]


@pytest.mark.parametrize("base", ["github", "pipeline/GitHubActions/GitHubCom", "Pipeline/githubactions/Other"])
def test_github(sandbox: Client, base: str) -> None:
    answer = _submit(sandbox, base, GITHUB)

    body = answer.json()
    request_id = body["signingRequestId"]
    web_link = f"{sandbox.root}/Web/{ORGANIZATION}/SigningRequests/{request_id}"
    assert answer.status_code == 200
    assert body == {
        "signingRequestId": request_id,
        "signingRequestUrl": web_link,
        "validationResult": {"errors": []},
        "logs": [
            {"message": "The artifact was found as 7.zip.", "level": "Debug"},
            {
                "message": f"The CI system says of the origin: repository {REPOSITORY}, branch main, commit {COMMIT}.",
                "level": "Information",
            },
        ],
    }
    sandbox.wait(request_id)
    assert sandbox.get(_url(sandbox, base, request_id, "Status")).json() == {
        "status": "Completed",
        "isFinalStatus": True,
        "webLink": web_link,
        "hasArtifactBeenDownloadedBySignPathInCaseOfArtifactRetrieval": True,
    }
    download = sandbox.get(_url(sandbox, base, request_id, "SignedArtifact"))
    assert download.content == signed(b"MZ github/7.zip")
    assert download.headers["Content-Disposition"] == 'attachment; filename="7.zip"'
    whole = sandbox.get(request_id).json()
    assert whole["parameters"] == {"version": "1.0"}
    assert whole["origin"] == {
        "buildData": {"url": f"{REPOSITORY}/actions/runs/42"},
        "repositoryData": {
            "url": REPOSITORY,
            "branchName": "main",
            "commitId": COMMIT,
            "sourceControlManagementType": "git",
        },
    }


def test_names_in_the_payload_match_in_any_case_and_ids_may_be_numbers(sandbox: Client) -> None:
    payload: dict[str, Any] = {name[0].upper() + name[1:]: value for name, value in GITHUB.items()}
    payload |= {"ArtifactId": 7, "Parameters": [{"Name": "a", "Value": "b"}]}

    request_id = _submit(sandbox, "github", payload).json()["signingRequestId"]

    assert sandbox.listed(request_id)["parameters"] == {"a": "b"}


@pytest.mark.parametrize(
    ("base", "payload", "file_name", "content", "build_url"),
    [
        ("github", GITHUB, "7.zip", b"MZ github/7.zip", "https://github.com/acme/app/actions/runs/42"),
        ("gitlab", GITLAB, "app.exe", b"MZ gitlab/build/dist/app.exe", None),
        (
            "azure",
            AZURE,
            "drop box.zip",
            b"MZ azure/drop box.zip",
            "https://dev.azure.com/acme/my%20project/_build/results?buildId=9",
        ),
    ],
)
def test_where_no_run_is_configured_the_submit_is_believed(
    tmp_path: Path, base: str, payload: dict[str, Any], file_name: str, content: bytes, build_url: str | None
) -> None:
    with serving(tmp_path, ANY_REPOSITORY) as sandbox:
        for name in ("github/7.zip", "gitlab/build/dist/app.exe", "azure/drop box.zip"):
            path = sandbox.artifact_store / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"MZ {name}".encode())
        body = _submit(sandbox, base, payload).json()
        request_id = body["signingRequestId"]
        sandbox.wait(request_id)

        assert body["logs"][-1]["level"] == "Debug"
        assert sandbox.get(_url(sandbox, base, request_id, "SignedArtifact")).content == signed(content)
        listed = sandbox.listed(request_id)
        assert (listed["file_name"], listed["origin"]["buildData"]["url"]) == (file_name, build_url)


def test_the_artifact_is_fetched_after_the_submit(tmp_path: Path) -> None:
    with serving(tmp_path, processing_seconds=1000) as sandbox:
        (sandbox.artifact_store / "github").mkdir(parents=True)
        (sandbox.artifact_store / "github" / "7.zip").write_bytes(b"MZ")
        request_id = _submit(sandbox, "github", GITHUB).json()["signingRequestId"]

        status = sandbox.get(_url(sandbox, "github", request_id, "Status")).json()
        too_early = sandbox.get(_url(sandbox, "github", request_id, "SignedArtifact"))
        (sandbox.artifact_store / "github" / "7.zip").unlink()

    assert status["hasArtifactBeenDownloadedBySignPathInCaseOfArtifactRetrieval"] is False
    assert (too_early.status_code, too_early.json()["error"]) == (
        400,
        "The signing request has no signed artifact: its status is InProgress.",
    )
    with serving(tmp_path) as sandbox:
        assert sandbox.wait(request_id)["workflowStatus"] == "ArtifactRetrievalFailed"
        assert sandbox.listed(request_id)["failure"] == (
            "The artifact can't be fetched from the CI system: No such file or directory."
        )


@pytest.mark.parametrize(
    ("base", "payload", "refusal"),
    [
        ("github", {**GITHUB, "artifactId": "8"}, (
            400, "The artifact 8 of acme/app was not found.",
            "Upload the artifact before it is submitted, and pass on the artifact-id of that step.")),
        ("github", {**GITHUB, "artifactId": "../secret"}, (
            400, "The artifact ../secret of acme/app was not found.",
            "Upload the artifact before it is submitted, and pass on the artifact-id of that step.")),
        ("github", {**GITHUB, "artifactId": "x\0"}, (
            400, "The artifact x\0 of acme/app was not found.",
            "Upload the artifact before it is submitted, and pass on the artifact-id of that step.")),
        ("github", {**GITHUB, "artifactId": None}, (
            400, "The field artifactId is missing.",
            "Set github-artifact-id to the output artifact-id of the step that uploads the artifact.")),
        ("github", {**GITHUB, "artifactId": True}, (
            400, "The field artifactId is no text.", "Send artifactId as a JSON string.")),
        ("github", {**GITHUB, "gitHubToken": ""}, (
            400, "The field gitHubToken is missing.",
            "Set github-token; the token needs the permissions actions: read and contents: read.")),
        ("github", {**GITHUB, "gitHubWorkflowRunId": "1"}, (
            400, "The workflow run 1 of acme/app does not exist.",
            "Submit from within the run that has built the artifact.")),
        ("github", {**GITHUB, "gitHubRepository": "evil/app"}, (
            400, f"The workflow run 42 belongs to {REPOSITORY}, not to evil/app.",
            "Submit from within the run that has built the artifact.")),
        ("github", {**GITHUB, "gitHubWorkflowRunId": "43", "signPathSigningPolicySlug": "release-signing"}, (
            403, "The branch 'topic' is not allowed by signing policy 'release-signing' of project 'app'.",
            "Build one of the allowed branches (main, release/*), or use another signing policy.")),
        ("github", {**GITHUB, "signPathProjectSlug": "other"}, (
            400, "There is no project 'other' in this organization.",
            "Check the spelling, and that it exists in this organization.")),
        ("github", {**GITHUB, "signPathProjectSlug": None}, (
            400, "The field signPathProjectSlug is missing.", "Send signPathProjectSlug along.")),
        ("github", {**GITHUB, "parameters": [{"name": "x"}]}, (
            400, "The field parameters has the wrong form.",
            'Send a list of {"name": "...", "value": "..."}.')),
        ("github", {**GITHUB, "parameters": {"x": "y"}}, (
            400, "The field parameters has the wrong form.",
            'Send a list of {"name": "...", "value": "..."}.')),
        ("gitlab", GITLAB, (
            403, "The repository (unknown) is not the one of project 'app': https://github.com/acme/app.",
            "Build from the project's repository, or change the repository URL of the project.")),
        ("gitlab", {**GITLAB, "gitLabArtifactJobName": ".."}, (
            400, "The artifact dist/app.exe of the job .. was not found.",
            "List the file under artifacts: paths: of that job, and run the job before this one.")),
        ("gitlab", {**GITLAB, "gitLabArtifactPath": "dist"}, (
            400, "The artifact dist of the job build was not found.",
            "List the file under artifacts: paths: of that job, and run the job before this one.")),
        ("azure", {**AZURE, "azureDevOpsArtifactName": "../secret"}, (
            400, "The artifact ../secret of the build 9 was not found.",
            "Publish the artifact in a step before this one (PublishBuildArtifacts).")),
        ("azure", {**AZURE, "azureDevOpsToken": None}, (
            400, "The field azureDevOpsToken is missing.",
            "Let the job access the token of the build (System.AccessToken).")),
    ],
)  # fmt: skip
def test_a_refusal_says_how_to_fix_it(
    sandbox: Client, base: str, payload: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    assert _refusal(_submit(sandbox, base, payload)) == refusal


def test_who_may_not_submit_is_refused(sandbox: Client) -> None:
    assert _refusal(_submit(sandbox, "github", GITHUB, token="reader-token")) == (
        403,
        "The user 'reader' is not a submitter of signing policy 'test-signing' in project 'app'.",
        "Act as a user who may submit there, or have the permission granted.",
    )
    unknown = _submit(sandbox, "github", GITHUB, token="wrong")
    assert _refusal(unknown) == (
        401,
        "The API token, or the trusted build system token that follows its colon, is not valid.",
        "Use a valid SignPath API token.",
    )
    assert unknown.headers["WWW-Authenticate"] == "Bearer"
    missing = uuid.uuid4()
    assert _refusal(sandbox.get(_url(sandbox, "gitlab", str(missing), "Status"))) == (
        403,
        f"There is no signing request '{missing}'.",
        "Check the organization id and the signing request id.",
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'"x"', b"[" * 100_000, b'{"x": "\\ud800"}'])
def test_what_is_no_json_object_is_refused(sandbox: Client, body: bytes) -> None:
    answer = sandbox.post(_url(sandbox, "azure"), data=body)

    assert _refusal(answer) == (400, "The body is not a JSON object.", "Send the fields as one JSON object.")


def test_a_huge_body_is_refused(sandbox: Client) -> None:
    assert _refusal(sandbox.post(_url(sandbox, "azure"), data=bytes(2_000_000)))[0] == 413


@pytest.mark.parametrize("version", ["", "?api-version=2.0"])
def test_the_api_version_is_wanted(sandbox: Client, version: str) -> None:
    answer = sandbox.post(_url(sandbox, "github").replace(VERSION, version), json=GITHUB)

    assert _refusal(answer) == (
        400,
        "The API version is missing or not supported.",
        "Add ?api-version=1.0 to the URL.",
    )
