"""The street: submit, wait, download, verify. Reading `sign` alone tells the whole story.

What is downloaded does not get its final name before it is verified: no later step can publish what was not.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.clock import Clock
from signpath_ci.errors import UsageError, VerificationError
from signpath_ci.model import Artifact, Expectations, Origin, SigningRequestFields, Submission, Verdict
from signpath_ci.origin.compare import compare_origin, difference_table
from signpath_ci.report import Reporter
from signpath_ci.signing.artifact import read_artifact
from signpath_ci.signing.download import check_target, download
from signpath_ci.signing.submit import submit
from signpath_ci.signing.wait import wait

if TYPE_CHECKING:
    from signpath_ci.api.rest import SignPathApi

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ExpectedOrigin:
    """What SignPath must have recorded: the origin, and the branch and pipeline definition that were sent with it."""

    origin: Origin
    branch: str | None
    build_settings_file: Path | None


@dataclass(frozen=True, kw_only=True)
class SigningJob:
    """One file to sign.

    Attributes:
        artifact: the unsigned file.
        target: where the signed file goes.
        force: replace the target where it exists.
        fields: project, policy and all else that a submit says.
        timeout: the longest time to wait until the request is final, in seconds; `None`: the run ends with the submit.
        expectations: what the signature must fulfil; `None`: the signed file is not verified.
        expected_origin: what SignPath must have recorded as origin; `None`: it is not compared.
    """

    artifact: Path
    target: Path
    force: bool
    fields: SigningRequestFields
    timeout: float | None
    expectations: Expectations | None
    expected_origin: ExpectedOrigin | None = None


@dataclass(frozen=True, kw_only=True)
class SigningResult:
    """How far a file came: `signed` is `None` where the run did not wait, `verdicts` where it was not verified."""

    submission: Submission
    unsigned: Artifact
    signed: Artifact | None = None
    verdicts: tuple[Verdict, ...] | None = None


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
    if job.timeout is None:
        return SigningResult(submission=submission, unsigned=unsigned)

    wait(
        api,
        submission.signing_request_id,
        timeout=job.timeout,
        clock=clock,
        on_status=reporter.status_changed,
        on_poll=reporter.still_waiting,
    )
    if job.expected_origin is not None:
        _check_origin(job.expected_origin, api, submission)

    signed, verdicts = download(
        api,
        submission.signing_request_id,
        job.target,
        force=job.force,
        on_progress=reporter.downloading,
        accept=partial(_verify, job=job, reporter=reporter),
    )
    return SigningResult(submission=submission, unsigned=unsigned, signed=signed, verdicts=verdicts)


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

    verdicts = verify_file(downloaded.path, unsigned=job.artifact, expectations=job.expectations, shown_as=job.target)
    reporter.verified(verdicts)
    return verdicts


def _check_origin(expected: ExpectedOrigin, api: SignPathApi, submission: Submission) -> None:
    recorded = api.request(submission.signing_request_id).origin
    differences = compare_origin(
        expected.origin, recorded, branch=expected.branch, build_settings_file=expected.build_settings_file
    )
    for line in difference_table(differences) if differences else []:
        _log.error("%s", line)
    if differences:
        raise VerificationError(
            f"The origin that SignPath recorded for {submission.signing_request_id} is not this build's: "
            f"{', '.join(difference.field for difference in differences)} differ.",
            hint="Do not publish what was signed; ask who submitted it, and from where.",
        )
