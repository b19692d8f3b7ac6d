"""What SignPath's REST API does not take, and in which words."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import http
from tests.support.sandboxes import (
    CONFIGURATION,
    ORGANIZATION,
    ORIGIN,
    Client,
    problem,
)

ID = CONFIGURATION.id_of("signing-policy", "app", "test-signing")


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"projectSlug": None}, {"projectSlug": ["The field projectSlug is required."]}),
        ({"projectSlug": "", "signingPolicySlug": None}, {
            "projectSlug": ["The field projectSlug is required."],
            "signingPolicySlug": ["The field signingPolicySlug is required."],
        }),
        ({"projectSlug": "other"}, {"projectSlug": ["There is no project 'other' in this organization."]}),
        ({"signingPolicySlug": "x"}, {"signingPolicySlug": ["There is no signing policy 'x' in project 'app'."]}),
        ({"artifactConfigurationSlug": "x"}, {
            "artifactConfigurationSlug": ["There is no artifact configuration 'x' in project 'app'."]}),
        ({"signingPolicyId": ID}, {"signingPolicyId": ["Ids and slugs can't be mixed: projectSlug is given too."]}),
        ({"projectSlug": None, "signingPolicySlug": None, "signingPolicyId": "1"}, {
            "signingPolicyId": ["There is no signing policy 1 in this organization."]}),
        ({"artifact": None}, {"artifact": ["The field artifact is required, as a file."]}),
        ({"artifact": "text"}, {"artifact": ["The field artifact is required, as a file."]}),
        ({"artifact": ("a.exe", b"")}, {"artifact": ["The file is empty."]}),
        ({"parameters.a b": "x"}, {
            "parameters.a b": ["A parameter's name may hold letters, digits, '.', '-' and '_'."]}),
        ({"PROJECTSLUG": "app"}, {"PROJECTSLUG": ["Is given more than once."]}),
        ({"description": "x" * 70_000}, {"description": ["Is longer than 65536 bytes."]}),
    ],
)  # fmt: skip
def test_bad_fields_are_named(sandbox: Client, fields: dict[str, object], errors: object) -> None:
    assert problem(sandbox.submit(**fields)) == (400, errors)


@pytest.mark.parametrize("sha256_hash", ["", "ab", "x" * 64])
def test_an_announced_hash_must_be_one(sandbox: Client, sha256_hash: str) -> None:
    answer = sandbox.announce(**{"unsignedArtifactMetadata.sha256Hash": sha256_hash})

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["unsignedArtifactMetadata.sha256Hash"]


@pytest.mark.parametrize(
    ("content_type", "body", "status", "words"),
    [
        ("application/json", b"{}", 415, "The body must be multipart/form-data with a boundary."),
        (
            f"multipart/form-data; boundary={'x' * 300}",
            b"",
            400,
            "The form is broken: Boundary length 300 exceeds maximum of 256.",
        ),
        ("multipart/form-data", b"", 415, "The body must be multipart/form-data with a boundary."),
        ("multipart/form-data; boundary=x", b"", 400, "The form is broken: its end is missing."),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Dis", 400, "The form is broken: its end is missing."),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\n\r\nvalue\r\n--x--",
            400,
            "The form is broken: a part has no name.",
        ),
    ],
)
def test_broken_forms_are_refused(sandbox: Client, content_type: str, body: bytes, status: int, words: str) -> None:
    answer = sandbox.post("SubmitWithArtifact", data=body, headers={"Content-Type": content_type})

    assert problem(answer) == (status, words)


@pytest.mark.parametrize("token", [None, "", "wrong", "ci-token:wrong", "wrong:farm-token", "ci-token:"])
def test_who_is_not_known_gets_401(sandbox: Client, token: str | None) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}

    answer = http.get(f"{sandbox.all_requests}/{uuid.uuid4()}/Status", headers=headers, timeout=30)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert problem(answer)[0] == 401


def test_a_refusal_names_its_cause(sandbox: Client) -> None:
    assert problem(sandbox.submit(token="reader-token")) == (
        403,
        "The user 'reader' is not a submitter of signing policy 'test-signing' in project 'app'. "
        "Act as a user who may submit there, or have the permission granted.",
    )
    assert problem(sandbox.submit(token="tester-token", signingPolicySlug="two-approvals")) == (
        403,
        "The user 'tester' is not a submitter of signing policy 'two-approvals' in project 'app'. "
        "Act as a user who may submit there, or have the permission granted.",
    )
    request_id = sandbox.submit(signingPolicySlug="two-approvals").json()["signingRequestId"]
    assert sandbox.get(f"{request_id}/Status", token="reader-token").status_code == 200
    assert sandbox.get(f"{request_id}/Status", token="tester-token").status_code == 403
    assert sandbox.post(f"{request_id}/Cancel", token="reader-token").status_code == 403


def test_unknown_resources_are_answered_like_those_that_are_not_permitted(sandbox: Client) -> None:
    missing = uuid.uuid4()

    assert problem(sandbox.get(f"{missing}/Status")) == (403, f"There is no signing request '{missing}'.")
    other = f"/Api/v1/{missing}/SigningRequests/{missing}"
    assert problem(sandbox.get(other))[1] == (
        f"There is no organization '{missing}', or the API token does not belong to it."
    )
    assert problem(sandbox.get("/Api/v2")) == (404, "Not Found")
    assert problem(sandbox.call("DELETE", str(missing))) == (405, "Method Not Allowed")


def test_a_file_that_is_too_large_is_413(sandbox: Client) -> None:
    huge = b"MZ" + bytes(1024 * 1024)
    request_id = sandbox.announce(huge).json()["signingRequestId"]

    for answer in (
        sandbox.submit(huge),
        sandbox.submit(huge + bytes(2 * 1024 * 1024)),
        sandbox.upload(request_id, huge),
        sandbox.post(f"{request_id}/UploadUnsignedArtifact", data=iter([huge])),  # chunked: no length is announced
    ):
        assert problem(answer) == (413, "The artifact is larger than the 1048576 bytes that are taken.")
    assert sandbox.status_of(request_id)["status"] == "WaitingForArtifactUpload"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"origin.repositoryData.branchName": "topic"},
            "The branch 'topic' is not allowed by signing policy 'release-signing' of project 'app'. "
            "Build one of the allowed branches (main, release/*), or use another signing policy.",
        ),
        (
            {"origin.repositoryData.url": "https://github.com/evil/app"},
            "The repository https://github.com/evil/app is not the one of project 'app': https://github.com/acme/app. "
            "Build from the project's repository, or change the repository URL of the project.",
        ),
    ],
)
def test_an_origin_must_fit_the_policy(sandbox: Client, fields: dict[str, str], words: str) -> None:
    answer = sandbox.submit(token="ci-token:farm-token", signingPolicySlug="release-signing", **{**ORIGIN, **fields})

    assert problem(answer) == (403, words)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(
        [b"", b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="projectSlug"', b"--x\r\n\r\n"]
    ),
    middle=st.binary(max_size=60),
    tail=st.sampled_from([b"", b"\r\n--x--", b"\r\n--x--\r\n"]),
)
def test_no_form_breaks_the_server(sandbox: Client, head: bytes, middle: bytes, tail: bytes) -> None:
    answer = sandbox.post(
        "SubmitWithArtifact", data=head + middle + tail, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )

    assert problem(answer)[0] == 400


@pytest.mark.parametrize("host", ["[", "x:y", "<b>", "", "a b"])
def test_no_host_header_breaks_the_server(sandbox: Client, host: str) -> None:
    answer = sandbox.submit(b"MZ host").json()
    link = f"/web/{ORGANIZATION}/SigningRequests/{answer['signingRequestId']}"
    page = sandbox.get(link, token=None, headers={"Host": host})
    whole = sandbox.get(answer["signingRequestId"], headers={"Host": host})

    assert {page.status_code, whole.status_code} <= {400, 421}
    assert "<b>" not in page.text
