"""Runs, as reporters hear of them."""

from __future__ import annotations

import logging
from pathlib import Path

from signpath_ci.errors import NotSignedError, VerificationError
from signpath_ci.model import Failure, Origin, Submission, Verdict
from signpath_ci.report import Reporter
from signpath_ci.report.platform import PlatformReporter
from tests.support.values import LINK, REQUEST_ID, artifact, failure, status, verdict

DOWNLOAD = f"https://signpath.example/Api/v1/o/SigningRequests/{REQUEST_ID}/SignedArtifact"
SUMMARY = f"""\
### SignPath: signed and verified

| | |
| --- | --- |
| File | `app.exe` |
| SHA-256 before | `{"ab" * 32}` |
| Signed | `out dir/app.signed.exe` |
| SHA-256 after | `{"cd" * 32}` |
| Format | `pe` |
| Signer | `CN=Acme` |
| Thumbprint | `{"cd" * 32}` |
| Timestamp | `2026-06-01 12:30:15 UTC by CN=TSA` |
| Digest | `sha256 {"ef" * 32}` |
| Content | `same content as submitted` |
| Verdict | `trusted by root` |
| Signing request | [`{REQUEST_ID}`]({LINK}) |
| Status | `Completed` |
| Policy | `demo / release-signing` |
| Origin | `https://git.example/acme/app, tag v1.2, commit {"0" * 40}` |
| Waited | `62.5 s` |
"""
FAILURE_SUMMARY = f"""\
### SignPath: not signed

`It ended as Denied. Ask the approver. [request-not-completed]`

| | |
| --- | --- |
| File | `app.exe` |
| SHA-256 before | `{"ab" * 32}` |
| Signing request | [`{REQUEST_ID}`]({LINK}) |
| Status | `Denied` |
| Policy | `demo / release-signing` |
| Waited | `5.0 s` |
"""


REJECTION_SUMMARY = f"""\
### SignPath: not accepted

`all.zip: b# #vso[x] ¦.exe: the file is not signed. Ask. [not-signed]`

| | |
| --- | --- |
| File | `app.exe` |
| SHA-256 before | `{"ab" * 32}` |
| SHA-256 after | `{"cd" * 32}` |
| Signing request | [`{REQUEST_ID}`]({LINK}) |
| Status | `Completed` |
| Waited | `5.0 s` |

| File | Format | Signer | Thumbprint | Timestamp | Digest | Content | Verdict |
| --- | --- | --- | --- | --- | --- | --- | --- |
| `all.zip: b# #vso[x] ¦.exe` | `pe` |  |  |  |  |  | `failed: the file is not signed [not-signed]` |
| `all.zip: note.txt` | `unknown` |  |  |  |  |  | `failed: submitted, but missing [content-missing]` |
| `all.zip: a.exe` | `pe` | `CN=Acme` | `{"cd" * 32}` | `2026-06-01 12:30:15 UTC by CN=TSA` | `sha256 {"ef" * 32}` | \
`same content as submitted` | `trusted by root` |
"""
REJECTION_LINES = [
    "Not verified all.zip: b# #vso[x] |.exe: failed: the file is not signed [not-signed]",
    "  format: pe",
    "Not verified all.zip: note.txt: failed: submitted, but missing [content-missing]",
    "  format: unknown",
    "Verified all.zip: a.exe: trusted by root; same content as submitted",
    "  format: pe",
    "  signer: CN=Acme",
    f"  thumbprint: {'cd' * 32}",
    "  timestamp: 2026-06-01 12:30:15 UTC by CN=TSA",
    f"  digest: sha256 {'ef' * 32}",
]


def rejected() -> tuple[Verdict | Failure, ...]:
    """Return the verdicts of an archive with a bad file, whose name is hostile, a missing one, and a good one."""
    archive = Path("all.zip")
    return (
        failure(path=archive, member="b##vso[x]\n|.exe"),
        failure(path=archive, member="note.txt", format=None, check="submitted, but missing.", code="content-missing"),
        verdict(path=archive, member="a.exe"),
    )


def tell_of_rejection(reporter: Reporter) -> None:
    """A signed file comes back, and is not what it should be."""
    reporter.artifact_read(artifact())
    reporter.submitted(Submission(signing_request_id=REQUEST_ID, web_link=LINK))
    reporter.status_changed(status("Completed", final=True), 5.0)
    reporter.downloaded(artifact("tmp", sha256="cd" * 32))
    reporter.rejected(rejected())
    reporter.close()
    words = "all.zip: b##vso[x]\n|.exe: the file is not signed."
    reporter.failed(VerificationError(words, hint="Ask.", code="not-signed"))


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
    reporter.rejected((failure(path=Path(HOSTILE), member=HOSTILE, check=HOSTILE), verdict(member=HOSTILE)))
    reporter.close()
    reporter.completed((Path(HOSTILE),))
    reporter.failed(NotSignedError(HOSTILE, hint=HOSTILE))
