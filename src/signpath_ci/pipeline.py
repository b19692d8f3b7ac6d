"""The street: submit, wait, download, verify. Reading `sign` alone tells the whole story.

What is downloaded does not get its final name before it is verified: no later step can publish what was not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.clock import Clock
from signpath_ci.errors import UsageError
from signpath_ci.model import Artifact, Expectations, RequestStatus, SigningRequestFields, Submission, Verdict
from signpath_ci.report import Reporter
from signpath_ci.signing.artifact import read_artifact
from signpath_ci.signing.download import check_target, download
from signpath_ci.signing.submit import submit
from signpath_ci.signing.wait import wait

if TYPE_CHECKING:
    from signpath_ci.api.rest import SignPathApi


@dataclass(frozen=True, kw_only=True)
class SigningJob:
    """One file to sign.

    Attributes:
        artifact: the unsigned file.
        target: where the signed file goes.
        force: replace the target where it exists.
        fields: project, policy and all else that a submit says.
        timeout: the longest time to wait until the request is final, in seconds.
        expectations: what the signature must fulfil; `None`: the signed file is not verified.
    """

    artifact: Path
    target: Path
    force: bool
    fields: SigningRequestFields
    timeout: float
    expectations: Expectations | None


@dataclass(frozen=True, kw_only=True)
class SigningResult:
    """A signed file, and how it came to be. `verdicts` is `None` where it was not verified."""

    submission: Submission
    status: RequestStatus
    unsigned: Artifact
    signed: Artifact
    verdicts: tuple[Verdict, ...] | None


def sign(job: SigningJob, *, api: SignPathApi, reporter: Reporter, clock: Clock) -> SigningResult:
    """Sign one file.

    Raises:
        SignPathError: one of its kinds, as `errors` lists them; the target is untouched then.
    """
    check_target(job.target, force=job.force, source=job.artifact)
    unsigned = read_artifact(job.artifact)
    if job.expectations is not None:
        _check_verifiable(job.artifact)
    reporter.artifact_read(unsigned)

    submission = submit(api, unsigned, job.fields, on_progress=reporter.uploading)
    reporter.submitted(submission)

    status = wait(
        api,
        submission.signing_request_id,
        timeout=job.timeout,
        clock=clock,
        on_status=reporter.status_changed,
        on_poll=reporter.still_waiting,
    )

    signed, verdicts = download(
        api,
        submission.signing_request_id,
        job.target,
        force=job.force,
        on_progress=reporter.downloading,
        accept=partial(_verify, job=job, reporter=reporter),
    )
    return SigningResult(submission=submission, status=status, unsigned=unsigned, signed=signed, verdicts=verdicts)


def _check_verifiable(path: Path) -> None:
    """Find out what can't be verified before it is submitted, not after it was signed."""
    from signpath_ci.verify import can_verify, require_extra

    require_extra()
    if not can_verify(path):
        raise UsageError(
            f"{path} is of a format whose signatures can't be verified here.",
            hint="Sign it with --verify off, and verify it by other means.",
        )


def _verify(downloaded: Artifact, *, job: SigningJob, reporter: Reporter) -> tuple[Verdict, ...] | None:
    reporter.downloaded(downloaded)
    if job.expectations is None:
        return None
    from signpath_ci.verify import verify_file

    verdicts = verify_file(downloaded.path, unsigned=job.artifact, expectations=job.expectations)
    reporter.verified(verdicts)
    return verdicts
