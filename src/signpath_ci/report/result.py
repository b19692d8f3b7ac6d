"""Results as JSON objects, for programs: the keys are stable, what is unknown is `null`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from signpath_ci.errors import SignPathError
from signpath_ci.model import Account, Artifact, Failure, Outcome, RequestStatus, SignedFileDigests, Verdict
from signpath_ci.report.record import Record


class ResultReporter(Record):
    """Tells the result of a run as an object, also where the run failed half-way."""

    def result(
        self,
        *,
        signed: Artifact | None,
        level: str,
        outputs: tuple[Path, ...] = (),
        error: SignPathError | None = None,
    ) -> dict[str, Any]:
        """Return the object that `sign --json` prints.

        Args:
            signed: the signed file, where there is one; what was downloaded, where that was split into files.
            outputs: the signed files.
            level: what `--verify` required.
            error: why the run failed, where it did.
        """
        return {
            "signing_request_id": self.submission.signing_request_id if self.submission else None,
            "status": self.status.status if self.status else None,
            "workflow_status": self.status.workflow_status if self.status else None,
            "web_link": self.submission.web_link if self.submission else None,
            "input": str(self.unsigned.path) if self.unsigned else None,
            "output": str(signed.path) if signed else None,
            "outputs": [str(path) for path in outputs],
            "unsigned_sha256": self.unsigned.sha256 if self.unsigned else None,
            "signed_sha256": signed.sha256 if signed else None,
            "files": files_object(self.signed_files),
            "artifact_configuration_sha256": self.configuration_sha256,
            "verification": {
                "level": level,
                "verdicts": [verdict_object(verdict) for verdict in self.verdicts],
                "account": account_object(self.account) if self.account else None,
            },
            "error": error_object(error) if error else None,
        }


def files_object(files: tuple[SignedFileDigests, ...]) -> list[dict[str, Any]]:
    """Return the signed files as they are published, and what is known of the unsigned ones."""
    return [
        {
            "path": str(file.path),
            "size": file.size,
            "sha256": file.sha256,
            "sha512": file.sha512,
            "unsigned": {"size": file.unsigned_size, **file.unsigned} if file.unsigned else None,
        }
        for file in files
    ]


def error_object(error: SignPathError) -> dict[str, Any]:
    """Return an error as an object: its two sentences, its code, and the exit code of the process."""
    return {"message": error.message, "hint": error.hint or None, "code": error.code, "exit_code": error.exit_code}


def verdict_object(verdict: Verdict | Failure) -> dict[str, Any]:
    """Return a verdict as an object of plain values; times in UTC, as ISO 8601. Of a failed file the rest is `null`."""
    file = {"file": str(verdict.path), "member": verdict.member, "format": verdict.format}
    if isinstance(verdict, Failure):
        rest = ("trust", "stated_by", "identity", "digest_algorithm", "content_digest", "signer", "timestamp", "notes")
        return {**file, "verdict": f"failed: {verdict.check.rstrip('.')}", "code": verdict.code, **dict.fromkeys(rest)}
    stamp = verdict.timestamp
    return {
        **file,
        "verdict": "good",
        "code": None,
        "trust": verdict.trust,
        "stated_by": verdict.stated_by or None,
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
        "timestamp": {"time": stamp.time.isoformat(), "authority": stamp.authority} if stamp else None,
        "notes": list(verdict.notes),
    }


def account_object(account: Account) -> dict[str, Any]:
    """Return the account of a delivery as an object: how many files have each outcome, and each file."""
    return {
        "compared": account.is_compared,
        **{outcome: account.count(outcome) for outcome in get_args(Outcome)},
        "warnings": list(account.warnings),
        "files": [
            {
                "member": file.member,
                "format": file.format,
                "outcome": file.outcome,
                "code": file.code or None,
                "signed_by": file.signed_by or None,
                "note": file.note or None,
            }
            for file in account.files
        ],
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
