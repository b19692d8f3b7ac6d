"""Signing requests over SignPath's REST API, as a client sees them."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support import http
from tests.support.sandboxes import (
    COMMIT,
    CONFIGURATION,
    ORGANIZATION,
    ORIGIN,
    REPOSITORY,
    Client,
    eventually,
    problem,
    serving,
    sha256,
    signed,
)


def test_a_file_is_submitted_signed_and_downloaded(sandbox: Client) -> None:
    answer = sandbox.submit(
        b"MZ whole", description="Nightly", **{"parameters.version": "1.2", "Parameters[A_b-c]": "x"}
    )

    request_id = answer.json()["signingRequestId"]
    link = f"{sandbox.all_requests}/{request_id}"
    assert (answer.status_code, answer.headers["Location"]) == (201, link)
    assert sandbox.wait(request_id) == {
        "signingRequestId": request_id,
        "status": "Completed",
        "workflowStatus": "Completed",
        "isFinalStatus": True,
    }
    assert sandbox.get(link).json() == {
        "signingRequestId": request_id,
        "status": "Completed",
        "workflowStatus": "Completed",
        "isFinalStatus": True,
        "description": "Nightly",
        "projectId": CONFIGURATION.id_of("project", "app"),
        "projectSlug": "app",
        "projectName": "The App",
        "artifactConfigurationId": CONFIGURATION.id_of("artifact-configuration", "app", "initial"),
        "artifactConfigurationSlug": "initial",
        "artifactConfigurationName": "Initial",
        "signingPolicyId": CONFIGURATION.id_of("signing-policy", "app", "test-signing"),
        "signingPolicySlug": "test-signing",
        "signingPolicyName": "Test",
        "unsignedArtifactLink": f"{link}/UnsignedArtifact",
        "signedArtifactLink": f"{link}/SignedArtifact",
        "webLink": f"{sandbox.root}/Web/{ORGANIZATION}/SigningRequests/{request_id}",
        "parameters": {"version": "1.2", "A_b-c": "x"},
    }
    assert sandbox.get(f"{link}/SignedArtifact").content == signed(b"MZ whole")
    assert sandbox.get(f"{link}/UnsignedArtifact").content == b"MZ whole"
    listed = sandbox.listed(request_id)
    assert (listed["times_signed"], listed["unsigned_sha256"], listed["signed_sha256"]) == (
        1,
        sha256(b"MZ whole"),
        sha256(signed(b"MZ whole")),
    )


def test_metadata_and_artifact_may_come_one_after_the_other(sandbox: Client) -> None:
    announced = sandbox.announce(b"MZ two phases").json()
    request_id = announced["signingRequestId"]
    assert announced["uploadLink"] == f"{sandbox.all_requests}/{request_id}/UploadUnsignedArtifact"

    wrong = sandbox.upload(request_id, b"MZ other")
    assert problem(wrong) == (
        400,
        f"The uploaded artifact has SHA-256 {sha256(b'MZ other')}, but {sha256(b'MZ two phases')} was announced.",
    )
    assert problem(sandbox.upload(request_id, b"")) == (400, "The uploaded artifact is empty.")
    assert sandbox.status_of(request_id) == {
        "signingRequestId": request_id,
        "status": "WaitingForArtifactUpload",
        "workflowStatus": "Submitted",
        "isFinalStatus": False,
    }

    assert sandbox.upload(request_id, b"MZ two phases").status_code == 202
    assert problem(sandbox.upload(request_id, b"MZ two phases"))[0] == 409
    sandbox.wait(request_id)
    assert sandbox.get(f"{request_id}/SignedArtifact").content == signed(b"MZ two phases")


def test_of_two_uploads_at_once_one_wins(sandbox: Client) -> None:
    content = b"MZ" + bytes(500_000)
    request_id = sandbox.announce(content).json()["signingRequestId"]

    with ThreadPoolExecutor(8) as threads:
        codes = list(
            threads.map(
                lambda _: (
                    http.post(
                        f"{sandbox.all_requests}/{request_id}/UploadUnsignedArtifact",
                        data=content,
                        headers={"Authorization": "Bearer ci-token"},
                        timeout=30,
                    ).status_code
                ),
                range(8),
            )
        )

    assert sorted(codes) == [202] + [409] * 7
    sandbox.wait(request_id)
    assert sandbox.listed(request_id)["times_signed"] == 1


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as sandbox:
        request_id = sandbox.announce(b"MZ broken").json()["signingRequestId"]
        url = urlsplit(f"{sandbox.all_requests}/{request_id}/UploadUnsignedArtifact")
        with socket.create_connection((str(url.hostname), url.port or 0), timeout=10) as connection:
            head = (
                f"POST {url.path} HTTP/1.1\r\nHost: localhost\r\n"
                "Authorization: Bearer ci-token\r\nContent-Length: 9\r\n\r\n"
            )
            connection.sendall(head.encode() + b"MZ")
            incoming = tmp_path / "state" / "incoming"
            eventually(lambda: any(incoming.iterdir()))
        eventually(lambda: not any(incoming.iterdir()))

        assert sandbox.status_of(request_id)["status"] == "WaitingForArtifactUpload"
        assert sandbox.upload(request_id, b"MZ broken").status_code == 202


def test_many_submits_at_once(sandbox: Client) -> None:
    def one(number: int) -> str:
        with http.session() as session:
            answer = replace(sandbox, session=session).submit(b"MZ %d" % number)
        assert answer.status_code == 201
        return str(answer.json()["signingRequestId"])

    with ThreadPoolExecutor(16) as threads:
        ids = list(threads.map(one, range(60)))

    assert len(set(ids)) == 60
    for number, request_id in enumerate(ids):
        sandbox.wait(request_id)
        assert sandbox.get(f"{request_id}/SignedArtifact").content == signed(b"MZ %d" % number)


@pytest.mark.parametrize("base", ["/API/V1", "/api/v1", "/Api/v1"])
@pytest.mark.parametrize("route", ["", "/", "/SubmitWithArtifact", "/submitwithartifact"])
def test_paths_and_field_names_match_in_any_case(sandbox: Client, base: str, route: str) -> None:
    url = f"{base}/{ORGANIZATION.upper()}/SigningRequests{route}"
    fields = {"ProjectSlug": "app", "SIGNINGPOLICYSLUG": "test-signing", "Artifact": ("a.exe", b"MZ case")}

    answer = sandbox.form(url, fields)

    assert answer.status_code == (404 if route == "/" else 201)


def test_ids_may_stand_for_slugs(sandbox: Client) -> None:
    ids = {
        "signingPolicyId": CONFIGURATION.id_of("signing-policy", "app", "test-signing"),
        "artifactConfigurationId": CONFIGURATION.id_of("artifact-configuration", "app", "v2"),
    }

    answer = sandbox.submit(projectSlug=None, signingPolicySlug=None, **ids).json()

    assert (answer["signingPolicySlug"], answer["artifactConfigurationSlug"]) == ("test-signing", "v2")


def test_a_file_that_can_not_be_signed_fails(sandbox: Client) -> None:
    request_id = sandbox.submit(b"bad").json()["signingRequestId"]

    status = sandbox.wait(request_id)

    assert (status["status"], status["workflowStatus"]) == ("Failed", "ProcessingFailed")
    listed = sandbox.listed(request_id)
    assert (listed["failure"], listed["times_signed"]) == ("The file is of no kind that can be signed.", 0)
    assert problem(sandbox.get(f"{request_id}/SignedArtifact")) == (
        400,
        "The signing request has no signed artifact: its status is Failed.",
    )


def test_a_request_can_be_canceled_until_it_has_ended(sandbox: Client) -> None:
    request_id = sandbox.announce().json()["signingRequestId"]

    assert sandbox.get(f"{request_id}/UnsignedArtifact").status_code == 404
    assert sandbox.post(f"{request_id}/Cancel").status_code == 200
    assert sandbox.status_of(request_id)["status"] == "Canceled"
    assert sandbox.upload(request_id, b"MZ one").status_code == 409
    assert problem(sandbox.post(f"{request_id}/Cancel")) == (
        409,
        "The signing request has ended already, as Canceled.",
    )


def test_only_a_trusted_build_system_may_send_an_origin(sandbox: Client) -> None:
    assert problem(sandbox.submit(**ORIGIN)) == (
        403,
        "The user 'ci' is no trusted build system, and only such a one may send origin data "
        "(origin.repositoryData.sourceControlManagementType). Send '{apiToken}:{trustedBuildSystemToken}' as the "
        "token, or no origin data.",
    )

    settings = {"origin.buildData.buildSettingsFile": ("build.yml", b"steps: []")}
    answer = sandbox.submit(token="ci-token:farm-token", signingPolicySlug="release-signing", **ORIGIN, **settings)

    request_id = answer.json()["signingRequestId"]
    origin = sandbox.get(request_id).json()["origin"]
    download_link = f"{sandbox.all_requests}/{request_id}/BuildSettingsFile"
    assert origin == {
        "buildData": {
            "url": "https://ci.example/1",
            "buildSettingsFile": {"fileName": "build.yml", "downloadLink": download_link},
        },
        "repositoryData": {
            "url": REPOSITORY,
            "branchName": "release/1.0",
            "commitId": COMMIT,
            "sourceControlManagementType": "git",
        },
    }
    assert sandbox.get(download_link).content == b"steps: []"
    assert sandbox.listed(request_id)["origin"] == origin


def test_a_resubmit_is_judged_by_the_new_policy(sandbox: Client) -> None:
    settings = {"origin.buildData.buildSettingsFile": ("build.yml", b"steps: []")}
    good = sandbox.submit(b"MZ rc", token="ci-token:farm-token", description="rc", **ORIGIN, **settings).json()
    without_origin = sandbox.submit(b"MZ rc").json()
    waiting = sandbox.announce().json()
    resubmit = partial(sandbox.form, "Resubmit")

    answer = resubmit({"originalSigningRequestId": good["signingRequestId"], "signingPolicySlug": "release-signing"})

    again = answer.json()
    request_id = again["signingRequestId"]
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{sandbox.all_requests}/{request_id}")
    assert request_id != good["signingRequestId"]
    assert sandbox.wait(request_id)["status"] == "Completed"
    assert sandbox.get(f"{request_id}/SignedArtifact").content == signed(b"MZ rc", "release")
    assert sandbox.get(f"{request_id}/BuildSettingsFile").content == b"steps: []"
    assert (again["description"], again["origin"]["repositoryData"]) == ("rc", good["origin"]["repositoryData"])
    refused = {"originalSigningRequestId": without_origin["signingRequestId"], "signingPolicySlug": "release-signing"}
    assert problem(resubmit(refused)) == (
        403,
        "The signing policy 'release-signing' of project 'app' requires a verified origin, and this request has none. "
        "Submit through a connector or with the token of a trusted build system.",
    )
    for original, words in (
        (waiting["signingRequestId"], "The original signing request has no artifact."),
        ("1", "There is no signing request '1'."),
    ):
        answer = resubmit({"originalSigningRequestId": original, "signingPolicySlug": "test-signing"})
        assert problem(answer) == (400, {"originalSigningRequestId": [words]})


@pytest.mark.parametrize(
    ("sent", "shown"), [("C:\\x\\ä.exe", "ä.exe"), ("../../etc/passwd", "passwd"), ("..", "artifact")]
)
def test_only_the_name_of_a_file_is_kept(sandbox: Client, sent: str, shown: str) -> None:
    answer = sandbox.announce(**{"unsignedArtifactMetadata.fileName": sent})

    assert sandbox.listed(answer.json()["signingRequestId"])["file_name"] == shown


@pytest.mark.parametrize(
    ("ids", "field"),
    [
        ({"signingPolicyId": CONFIGURATION.id_of("signing-policy", "app", "release-signing")}, None),
        (
            {
                "signingPolicyId": CONFIGURATION.id_of("signing-policy", "app", "test-signing"),
                "artifactConfigurationId": "1",
            },
            "artifactConfigurationId",
        ),
        ({"artifactConfigurationId": "1"}, "signingPolicyId"),
    ],
)
def test_a_resubmit_by_ids(sandbox: Client, ids: dict[str, str], field: str | None) -> None:
    original = sandbox.submit(b"MZ ids", token="ci-token:farm-token", **ORIGIN).json()["signingRequestId"]

    answer = sandbox.form("Resubmit", {"originalSigningRequestId": original, "description": "again", **ids})

    if field:
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
        return
    assert (answer.json()["signingPolicySlug"], answer.json()["description"]) == ("release-signing", "again")


def test_artifacts_are_copied_where_links_are_not_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(*_: object) -> None:
        raise OSError("not supported")

    with serving(tmp_path) as sandbox:
        original = sandbox.submit(b"MZ copy").json()["signingRequestId"]
        monkeypatch.setattr("os.link", no_link)
        again = sandbox.form("Resubmit", {"originalSigningRequestId": original, "signingPolicySlug": "test-signing"})

        assert sandbox.get(f"{again.json()['signingRequestId']}/UnsignedArtifact").content == b"MZ copy"


def test_no_build_settings_file(sandbox: Client) -> None:
    request_id = sandbox.submit(b"MZ none").json()["signingRequestId"]

    assert sandbox.get(f"{request_id}/BuildSettingsFile").status_code == 404
