"""The sandbox's own routes, and its pages for people."""

from __future__ import annotations

import re
import uuid

from tests.support.sandboxes import ORGANIZATION, Client, problem, signed


def _waiting(sandbox: Client) -> str:
    request_id = str(sandbox.submit(b"MZ wait", signingPolicySlug="two-approvals").json()["signingRequestId"])
    status = sandbox.wait(request_id, until="WaitingForApproval")
    assert (status["workflowStatus"], status["isFinalStatus"]) == ("WaitingForApproval", False)
    return request_id


def test_health(sandbox: Client) -> None:
    assert sandbox.get("/health", token=None).json() == {"status": "ok"}


def test_approvals_set_a_request_going(sandbox: Client) -> None:
    request_id = _waiting(sandbox)
    approve = f"/sandbox/requests/{request_id}/approve"

    first = sandbox.post(approve, token="approver-token")
    again = sandbox.post(approve, token="approver-token")
    second = sandbox.post(approve, token=None)

    assert (first.json()["status"], first.json()["approvals"]) == ("WaitingForApproval", ["approver"])
    assert problem(again) == (409, "The user 'approver' has approved this signing request already.")
    assert second.json()["workflow_status"] == "QueuedForProcessing"
    assert sandbox.wait(request_id)["status"] == "Completed"
    assert sandbox.get(f"{request_id}/SignedArtifact").content == signed(b"MZ wait", "two")
    late = sandbox.post(approve, token=None)
    assert problem(late) == (409, "The signing request does not wait for approval (status Completed).")


def test_a_denial_ends_a_request(sandbox: Client) -> None:
    request_id = _waiting(sandbox)

    answer = sandbox.post(f"/sandbox/requests/{request_id}/deny", token="approver-token")

    assert answer.json()["failure"] == "Denied by approver."
    assert sandbox.status_of(request_id) == {
        "signingRequestId": request_id,
        "status": "Denied",
        "workflowStatus": "Denied",
        "isFinalStatus": True,
    }
    assert sandbox.get("/sandbox/requests", token=None).json()[-1]["times_signed"] == 0


def test_who_may_decide(sandbox: Client) -> None:
    request_id = _waiting(sandbox)
    approve = f"/sandbox/requests/{request_id}/approve"

    assert problem(sandbox.post(approve, token="reader-token")) == (
        403,
        "The user 'reader' is not an approver of signing policy 'two-approvals' in project 'app'. "
        "Act as a user who may approve there, or have the permission granted.",
    )
    foreign = sandbox.post(approve, token=None, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert sandbox.post(f"/sandbox/requests/{uuid.uuid4()}/deny", token=None).status_code == 404
    assert sandbox.listed(request_id)["approvals"] == []


def test_absent_values_are_null(sandbox: Client) -> None:
    request_id = sandbox.announce().json()["signingRequestId"]

    listed = sandbox.listed(request_id)

    created = listed.pop("created")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", created)
    assert listed == {
        "id": request_id,
        "status": "WaitingForArtifactUpload",
        "workflow_status": "Submitted",
        "project_slug": "app",
        "signing_policy_slug": "test-signing",
        "artifact_configuration_slug": "initial",
        "description": None,
        "parameters": {},
        "file_name": "app.exe",
        "unsigned_sha256": None,
        "signed_sha256": None,
        "times_signed": 0,
        "origin": None,
        "submitter": "ci",
        "approvals": [],
        "failure": None,
        "web_link": f"{sandbox.root}/Web/{ORGANIZATION}/SigningRequests/{request_id}",
    }


def test_timestamp_queries_are_answered(sandbox: Client) -> None:
    answer = sandbox.post("/tsa", token=None, data=b"query")

    assert (answer.content, answer.headers["Content-Type"]) == (b"answer to query", "application/timestamp-reply")
    assert sandbox.post("/tsa", token=None, data=bytes(70_000)).status_code == 413


def test_a_defect_is_answered_as_a_problem(sandbox: Client) -> None:
    answer = sandbox.post("/tsa", token=None, data=b"trouble")

    assert problem(answer) == (500, "The sandbox failed; its log says more.")
