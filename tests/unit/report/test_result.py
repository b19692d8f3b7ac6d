from __future__ import annotations

from pathlib import Path
from typing import Any

from signpath_ci.errors import StillPendingError, VerificationError
from signpath_ci.report.result import ResultReporter, verdict_object
from tests.support.stories import rejected, tell_of_rejection
from tests.support.values import LINK, REQUEST_ID, artifact, status, submission, verdict

NOTHING: dict[str, Any] = {
    "signing_request_id": None,
    "status": None,
    "workflow_status": None,
    "web_link": None,
    "input": None,
    "output": None,
    "outputs": [],
    "unsigned_sha256": None,
    "signed_sha256": None,
    "files": [],
    "artifact_configuration_sha256": None,
    "verification": {"level": "signed", "verdicts": [], "account": None},
    "error": None,
}


def test_before_anything_happened_nothing_is_known() -> None:
    assert ResultReporter().result(signed=None, level="signed") == NOTHING


def test_a_run_that_failed_half_way_tells_what_is_known() -> None:
    reporter = ResultReporter()
    reporter.artifact_read(artifact())
    reporter.submitted(submission())
    reporter.status_changed(status("WaitingForApproval"), 0.0)

    assert reporter.result(signed=None, level="signed", error=StillPendingError("Pending.", hint="Go on.")) == {
        **NOTHING,
        "signing_request_id": REQUEST_ID,
        "status": "WaitingForApproval",
        "web_link": LINK,
        "input": "app.exe",
        "unsigned_sha256": "ab" * 32,
        "error": {"message": "Pending.", "hint": "Go on.", "code": "still-pending", "exit_code": 5},
    }


def test_a_good_run_tells_everything() -> None:
    reporter = ResultReporter()
    reporter.artifact_read(artifact())
    reporter.submitted(submission())
    reporter.status_changed(status("Completed", "Completed", final=True), 1.0)
    reporter.verified((verdict(),))

    signed, outputs = artifact("out.exe", sha256="cd" * 32), (Path("out.exe"),)
    assert reporter.result(signed=signed, outputs=outputs, level="signed") == {
        "signing_request_id": REQUEST_ID,
        "status": "Completed",
        "workflow_status": "Completed",
        "web_link": LINK,
        "input": "app.exe",
        "output": "out.exe",
        "outputs": ["out.exe"],
        "unsigned_sha256": "ab" * 32,
        "signed_sha256": "cd" * 32,
        "files": [],
        "artifact_configuration_sha256": None,
        "verification": {
            "level": "signed",
            "verdicts": [
                {
                    "file": "app.signed.exe",
                    "member": None,
                    "format": "pe",
                    "verdict": "good",
                    "code": None,
                    "trust": "root",
                    "stated_by": None,
                    "identity": "same",
                    "digest_algorithm": "sha256",
                    "content_digest": "ef" * 32,
                    "signer": {
                        "subject": "CN=Acme",
                        "issuer": "CN=Acme CA",
                        "thumbprint": "cd" * 32,
                        "not_before": "2026-01-01T00:00:00+00:00",
                        "not_after": "2027-01-01T00:00:00+00:00",
                    },
                    "timestamp": {"time": "2026-06-01T12:30:15+00:00", "authority": "CN=TSA"},
                    "notes": [],
                }
            ],
            "account": None,
        },
        "error": None,
    }


def test_a_failure_is_an_object_like_a_good_verdict() -> None:
    reporter = ResultReporter()

    tell_of_rejection(reporter)

    error = VerificationError("all.zip: b.exe: the file is not signed.", code="not-signed")
    verification = reporter.result(signed=None, level="strict", error=error)["verification"]
    good = verdict_object(rejected()[2])
    nothing = dict.fromkeys(good)
    assert verification == {
        "level": "strict",
        "verdicts": [
            {
                **nothing,
                "file": "all.zip",
                "member": "b##vso[x]\n|.exe",
                "format": "pe",
                "verdict": "failed: the file is not signed",
                "code": "not-signed",
            },
            {
                **nothing,
                "file": "all.zip",
                "member": "note.txt",
                "verdict": "failed: submitted, but missing",
                "code": "content-missing",
            },
            good,
        ],
        "account": None,
    }
    assert good["verdict"] == "good"
