"""What people decide about requests on the pages."""

from __future__ import annotations

import pytest

from tests.support.sandboxes import COMMIT, ORIGIN, Client
from tests.unit.sandbox.web.conftest import Person, id_of


def _waiting(person: Person, sandbox: Client, policy: str = "two-approvals") -> str:
    request_id = id_of(person.upload(("wait.exe", b"MZ wait"), policy=policy))
    sandbox.wait(request_id, until="WaitingForApproval")
    return request_id


def test_two_people_approve_with_reasons(person: Person, sandbox: Client) -> None:
    request_id = _waiting(person, sandbox)
    assert "2 more approvals needed" in person.request_page(request_id)

    person.act(request_id, "Approve", reason="Tests <passed>")
    again = person.act(request_id, "Approve")
    person.become("bob")
    assert request_id in person.page("/web/waiting").text
    person.act(request_id, "Approve", reason="")

    assert (again.status_code, "has approved this signing request already" in again.text) == (409, True)
    sandbox.wait(request_id)
    page = person.request_page(request_id)
    assert "2 of 2 given" in page
    assert "Tests <passed>" in page
    assert request_id not in person.page("/web/waiting").text


def test_the_submitter_may_not_approve_where_the_policy_says_so(person: Person, sandbox: Client) -> None:
    request_id = _waiting(person, sandbox, "four-eyes")

    answer = person.act(request_id, "Approve")

    assert answer.status_code == 403
    assert sandbox.status_of(request_id)["status"] == "WaitingForApproval"
    assert "does not let the submitter approve" in person.request_page(request_id)
    person.become("bob")
    assert person.act(request_id, "Approve").status_code == 200
    assert sandbox.wait(request_id)["status"] == "Completed"


def test_one_denial_ends_a_request(person: Person, sandbox: Client) -> None:
    request_id = _waiting(person, sandbox)

    person.act(request_id, "Deny", reason="The tests failed")

    assert sandbox.status_of(request_id)["status"] == "Denied"
    assert "Denied by alice: The tests failed" in person.request_page(request_id)
    assert person.act(request_id, "Deny").status_code == 409


def test_a_request_is_canceled(person: Person, sandbox: Client) -> None:
    request_id = _waiting(person, sandbox)

    person.act(request_id, "Cancel")

    assert sandbox.status_of(request_id)["status"] == "Canceled"
    assert person.act(request_id, "Cancel").status_code == 409
    assert "/Cancel" not in person.request_page(request_id)


@pytest.mark.parametrize(("name", "action"), [("bob", "Cancel"), ("bob", "Resubmit"), ("carol", "Approve")])
def test_who_has_no_right_gets_a_page_that_says_so(person: Person, sandbox: Client, name: str, action: str) -> None:
    request_id = _waiting(person, sandbox)
    person.become(name)

    answer = person.act(request_id, action)

    assert answer.status_code in {403, 409}
    assert answer.headers["Content-Type"].startswith("text/html")
    assert sandbox.status_of(request_id)["status"] == "WaitingForApproval"


def test_a_completed_request_is_resubmitted_under_another_policy(person: Person, sandbox: Client) -> None:
    submitted = sandbox.submit(b"MZ ci", **ORIGIN, token="ci-token:farm-token", description="1.0 rc")
    original = submitted.json()["signingRequestId"]
    sandbox.wait(original)
    form = person.page(f"{submitted.json()['webLink']}/Resubmit").text
    assert 'value="release-signing"' in form

    answer = person.act(original, "Resubmit", policy="release-signing", description="1.0")

    request_id = id_of(answer)
    sandbox.wait(request_id)
    page = person.request_page(request_id)
    for shown in (original, COMMIT, "Verified by farm", "is allowed (main, release/*)"):
        assert shown in page
    refused = person.act(original, "Resubmit", policy="nonsense", description="")
    assert (refused.status_code, "There is no signing policy" in refused.text) == (400, True)


def test_what_came_from_nowhere_can_not_be_released(person: Person, sandbox: Client) -> None:
    request_id = id_of(person.upload(("a.exe", b"MZ a")))
    sandbox.wait(request_id)

    answer = person.act(request_id, "Resubmit", policy="release-signing", description="")

    assert (answer.status_code, "requires a verified origin" in answer.text) == (403, True)


def test_a_failed_request_is_resubmitted_with_current_settings(person: Person, sandbox: Client) -> None:
    failed = id_of(person.upload(("bad.exe", b"bad")))
    sandbox.wait(failed)
    assert "of no kind that can be signed" in person.request_page(failed)
    assert person.act(failed, "Resubmit", policy="test-signing", description="").status_code == 409

    again = id_of(person.act(failed, "ResubmitWithCurrentSettings"))

    assert sandbox.wait(again)["status"] == "Failed"
    assert failed in person.request_page(again)
    done = id_of(person.upload(("good.exe", b"MZ good")))
    sandbox.wait(done)
    assert person.act(done, "ResubmitWithCurrentSettings").status_code == 409
