"""Routes beside submit, status and download (wire additions, section 2)."""

from __future__ import annotations

import uuid

import pytest
from cryptography import x509

from tests.support.sandboxes import ORGANIZATION, Client, problem

BASE = f"/Api/v1/{ORGANIZATION}"


def _waiting(sandbox: Client, **fields: object) -> str:
    answer = sandbox.submit(b"MZ wait", **{"signingPolicySlug": "two-approvals", **fields})
    request_id: str = answer.json()["signingRequestId"]
    return request_id


def test_the_server_tells_its_version(sandbox: Client) -> None:
    answer = sandbox.get("/Api/v1/Meta/SystemInfo", token=None)

    assert answer.json() == {"applicationVersion": "1.219.0", "webApplicationBaseUrl": f"{sandbox.root}/Web"}


def test_the_organization_has_quotas(sandbox: Client) -> None:
    answer = sandbox.get(f"{BASE}/Organization").json()

    assert (answer["id"], answer["yearlyMaxNumberOfIndividualSignatures"]) == (ORGANIZATION, 1_000_000)
    assert answer["quotaPeriodStart"] < answer["quotaPeriodEnd"]
    assert sandbox.get(f"{BASE}/Organization", token=None).status_code == 401


def test_the_list_has_what_the_caller_may_read(sandbox: Client) -> None:
    waiting, other = _waiting(sandbox), sandbox.submit().json()["signingRequestId"]

    own = [each["signingRequestId"] for each in sandbox.get(sandbox.all_requests).json()]
    tester = [each["signingRequestId"] for each in sandbox.get(sandbox.all_requests, token="tester-token").json()]

    assert own[:2] == [other, waiting]
    assert other in tester
    assert waiting not in tester
    assert sandbox.get(sandbox.all_requests, token="wrong").status_code == 401


def test_requests_are_approved_and_denied_with_a_token(sandbox: Client) -> None:
    first, second = _waiting(sandbox), _waiting(sandbox)
    for each in (first, second):
        sandbox.wait(each, until="WaitingForApproval")

    assert sandbox.post(f"{first}/Approve", token="reader-token").status_code == 403
    assert sandbox.post(f"{first}/Approve", token="approver-token").status_code == 200
    assert sandbox.post(f"{first}/Approve", json={"reason": "good"}).status_code == 200
    assert sandbox.post(f"{second}/Deny", json={"reason": "bad"}).status_code == 200

    assert sandbox.wait(first)["status"] == "Completed"
    assert sandbox.listed(second)["failure"] == "Denied by ci: bad"
    assert problem(sandbox.post(f"{second}/Deny"))[0] == 409
    assert sandbox.post(f"{first}/Approve", data=b"[1]").status_code == 400


def test_a_resubmit_may_be_json(sandbox: Client) -> None:
    original = sandbox.submit().json()["signingRequestId"]
    sandbox.wait(original)

    answer = sandbox.post(
        "Resubmit", json={"originalSigningRequestId": original, "signingPolicySlug": "test-signing", "description": "2"}
    )

    assert (answer.status_code, answer.json()["description"]) == (201, "2")
    assert problem(sandbox.post("Resubmit", json={})) == (
        400,
        {"originalSigningRequestId": ["The field originalSigningRequestId is required."]},
    )


def test_a_request_is_canceled_at_the_time_that_the_submit_names(sandbox: Client) -> None:
    request_id = _waiting(sandbox, cancellationTimeoutInSeconds="1")

    assert sandbox.wait(request_id)["status"] == "Canceled"
    never = _waiting(sandbox, cancellationTimeoutInSeconds="0")
    assert sandbox.wait(never, until="WaitingForApproval")["status"] == "WaitingForApproval"
    for wrong in ("-1", "x", "1.5", "9" * 10):
        answer = sandbox.submit(cancellationTimeoutInSeconds=wrong)
        assert problem(answer)[0] == 400


@pytest.mark.parametrize("path", ["Certificate", "X509Certificate", "Certificate/X509Certificate"])
def test_the_certificate_of_a_policy(sandbox: Client, path: str) -> None:
    policy = f"{BASE}/Projects/app/SigningPolicies/test-signing"

    certificate = x509.load_der_x509_certificate(sandbox.get(f"{policy}/{path}").content)

    assert "Code Signing (test)" in certificate.subject.rfc4514_string()
    request_id = sandbox.submit().json()["signingRequestId"]
    assert x509.load_der_x509_certificate(sandbox.get(f"{request_id}/X509Certificate").content) == certificate
    assert sandbox.get(f"{policy}/{path}", token=None).status_code == 401
    assert sandbox.get(f"{BASE}/Projects/app/SigningPolicies/other/{path}").status_code == 403
    assert (
        sandbox.get(f"{policy.replace('test-signing', 'two-approvals')}/{path}", token="tester-token").status_code
        == 403
    )


def test_unknown_requests_are_403(sandbox: Client) -> None:
    for action in ("", "/Status", "/SignedArtifact", "/X509Certificate"):
        assert problem(sandbox.get(f"{uuid.uuid4()}{action}"))[0] == 403
