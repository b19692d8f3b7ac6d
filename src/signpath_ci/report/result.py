"""Results as JSON objects, for programs: the keys are stable, what is unknown is `null`."""

from __future__ import annotations

from typing import Any

from signpath_ci.errors import SignPathError
from signpath_ci.model import Artifact, RequestStatus, Submission, Verdict
from signpath_ci.report import Reporter


class ResultReporter(Reporter):
    """Remembers what happened, so that the result can be told even where the run failed half-way."""

    def __init__(self) -> None:
        self._unsigned: Artifact | None = None
        self._submission: Submission | None = None
        self._status: RequestStatus | None = None
        self._verdicts: tuple[Verdict, ...] = ()

    def artifact_read(self, artifact: Artifact) -> None:
        self._unsigned = artifact

    def submitted(self, submission: Submission) -> None:
        self._submission = submission

    def status_changed(self, status: RequestStatus, waited: float) -> None:
        self._status = status

    def verified(self, verdicts: tuple[Verdict, ...]) -> None:
        self._verdicts = verdicts

    def result(self, *, signed: Artifact | None, level: str, error: SignPathError | None = None) -> dict[str, Any]:
        """Return the object that `sign --json` prints.

        Args:
            signed: the signed file, where there is one.
            level: what `--verify` demanded.
            error: why the run failed, where it did.
        """
        return {
            "signing_request_id": self._submission.signing_request_id if self._submission else None,
            "status": self._status.status if self._status else None,
            "workflow_status": self._status.workflow_status if self._status else None,
            "web_link": self._submission.web_link if self._submission else None,
            "input": str(self._unsigned.path) if self._unsigned else None,
            "output": str(signed.path) if signed else None,
            "unsigned_sha256": self._unsigned.sha256 if self._unsigned else None,
            "signed_sha256": signed.sha256 if signed else None,
            "verification": {"level": level, "verdicts": [verdict_object(verdict) for verdict in self._verdicts]},
            "error": error_object(error) if error else None,
        }


def error_object(error: SignPathError) -> dict[str, Any]:
    """Return an error as an object: its two sentences, and the exit code of the process."""
    return {"message": error.message, "hint": error.hint or None, "exit_code": error.exit_code}


def verdict_object(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as an object of plain values; times in UTC, as ISO 8601."""
    stamp = verdict.time_stamp
    return {
        "file": str(verdict.path),
        "member": verdict.member,
        "format": verdict.format,
        "trust": verdict.trust,
        "identity": verdict.identity,
        "digest_algorithm": verdict.digest_algorithm,
        "content_digest": verdict.content_digest,
        "signer": {
            "subject": verdict.signer.subject,
            "issuer": verdict.signer.issuer,
            "thumbprint": verdict.signer.thumbprint,
            "not_before": verdict.signer.not_before.isoformat(),
            "not_after": verdict.signer.not_after.isoformat(),
        },
        "time_stamp": {"time": stamp.time.isoformat(), "authority": stamp.authority} if stamp else None,
    }


def status_object(status: RequestStatus) -> dict[str, Any]:
    """Return where a request stands as an object."""
    return {
        "signing_request_id": status.signing_request_id,
        "status": status.status,
        "workflow_status": status.workflow_status,
        "is_final": status.is_final,
        "web_link": status.web_link,
    }
