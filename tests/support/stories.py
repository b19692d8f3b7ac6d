"""Runs, as reporters hear of them."""

from __future__ import annotations

import logging
from pathlib import Path

from signpath_ci.errors import NotSignedError
from signpath_ci.model import Origin, Submission
from signpath_ci.report.platform import PlatformReporter
from tests.support.values import LINK, REQUEST_ID, artifact, status, verdict

DOWNLOAD = f"https://signpath.example/Api/v1/o/SigningRequests/{REQUEST_ID}/SignedArtifact"
SUMMARY = f"""\
### SignPath: signed and verified

| | |
| --- | --- |
| File | `app.exe` |
| SHA-256 before | `{"ab" * 32}` |
| Signed | `out dir/app.signed.exe` |
| SHA-256 after | `{"cd" * 32}` |
| Signer | `CN=Acme` |
| Time stamp | `2026-06-01 12:30:15 UTC by CN=TSA` |
| Verification | `trusted by root; same content as submitted` |
| Signing request | [`{REQUEST_ID}`]({LINK}) |
| Status | `Completed` |
| Policy | `demo / release-signing` |
| Origin | `https://git.example/acme/app, tag v1.2, commit {"0" * 40}` |
| Waited | `62.5 s` |
"""
FAILURE_SUMMARY = f"""\
### SignPath: not signed

`It ended as Denied. Ask the approver.`

| | |
| --- | --- |
| File | `app.exe` |
| SHA-256 before | `{"ab" * 32}` |
| Signing request | [`{REQUEST_ID}`]({LINK}) |
| Status | `Denied` |
| Policy | `demo / release-signing` |
| Waited | `5.0 s` |
"""


def tell_of_success(reporter: PlatformReporter) -> None:
    """A request is approved, signed, downloaded and verified."""
    reporter.secret("tok%en")
    origin = Origin(platform="github", repository_url="https://git.example/acme/app", tag="v1.2", commit="0" * 40)
    reporter.planned(project="demo", policy="release-signing", origin=origin)
    reporter.artifact_read(artifact())
    reporter.uploading(768, 1536)
    reporter.uploading(1536, 1536)
    reporter.submitted(Submission(signing_request_id=REQUEST_ID, web_link=LINK, signed_artifact_url=DOWNLOAD))
    reporter.status_changed(status("WaitingForApproval"), 0.0)
    reporter.still_waiting(30.0)
    reporter.noted(logging.INFO, "not worth an annotation")
    reporter.noted(logging.WARNING, "the connector is slow")
    reporter.status_changed(status("Completed", final=True), 62.5)
    reporter.downloading(1536, 1536)
    reporter.downloaded(artifact("tmp", sha256="cd" * 32))
    reporter.verified((verdict(),))
    reporter.close()
    reporter.completed((Path("out dir/app.signed.exe"),))


def tell_of_denial(reporter: PlatformReporter) -> None:
    """A request is denied."""
    reporter.planned(project="demo", policy="release-signing", origin=None)
    reporter.artifact_read(artifact())
    reporter.submitted(Submission(signing_request_id=REQUEST_ID, web_link=LINK))
    reporter.status_changed(status("Denied", final=True), 5.0)
    reporter.close()
    reporter.failed(NotSignedError("It ended as Denied.", hint="Ask the approver."))


HOSTILE = "x\r\n::error::no\n##vso[task.complete result=Failed;]\n##[error]|`<b>\n[a](javascript:b)\x1b]0;t\x07$(id)"
"""What a server or a file name may hold: commands of all platforms, Markdown, an escape sequence, a macro."""


def tell_of_hostility(reporter: PlatformReporter) -> None:
    """All that comes from outside is hostile."""
    url = f"https://signpath.example/{HOSTILE}"
    origin = Origin(platform="github", repository_url=url, branch=HOSTILE, commit=HOSTILE)
    reporter.planned(project=HOSTILE, policy=HOSTILE, origin=origin)
    reporter.artifact_read(artifact(HOSTILE))
    reporter.submitted(Submission(signing_request_id=HOSTILE, web_link=url, signed_artifact_url=url))
    reporter.status_changed(status("WaitingForApproval"), 0.0)
    reporter.status_changed(status(HOSTILE, HOSTILE), 1.0)
    reporter.noted(logging.ERROR, HOSTILE)
    reporter.downloaded(artifact(HOSTILE))
    reporter.verified((verdict(path=Path(HOSTILE)), verdict(member=HOSTILE)))
    reporter.close()
    reporter.completed((Path(HOSTILE),))
    reporter.failed(NotSignedError(HOSTILE, hint=HOSTILE))
