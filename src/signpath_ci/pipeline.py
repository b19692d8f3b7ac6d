"""The street: submit, wait, download, verify. Reading `sign` and `collect` tells the whole story.

What is downloaded does not get its final name before it is verified: no later step can publish what was not.
"""

from __future__ import annotations

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
    from signpath_ci.verify.packages import Packages


@dataclass(frozen=True, kw_only=True)
class ExpectedOrigin:
    """What SignPath must have recorded: the origin, and the branch and pipeline definition that were sent with it."""

    origin: Origin
    branch: str | None
    build_settings_file: Path | None


@dataclass(frozen=True, kw_only=True)
class Collection:
    """How a signed file is collected.

    Attributes:
        target: where the signed file goes.
        force: replace the target where it exists.
        timeout: the longest time to wait until the request is final, in seconds.
        unsigned: the file that was submitted, to compare the content with; `None` where it is not at hand.
        expectations: what the signature must fulfil; `None`: the signed file is not verified.
        packages: sees to the libraries of verification.
        expected_origin: what SignPath must have recorded as origin; `None`: it is not compared.
    """

    target: Path
    force: bool
    timeout: float
    unsigned: Path | None
    expectations: Expectations | None
    packages: Packages
    expected_origin: ExpectedOrigin | None = None


@dataclass(frozen=True, kw_only=True)
class SigningResult:
    """How far it came: `signed` is `None` where the run did not wait for it."""

    submission: Submission
    signed: Artifact | None = None


def sign(
    artifact: Path,
    fields: SigningRequestFields,
    collection: Collection | None,
    *,
    api: SignPathApi,
    reporter: Reporter,
    clock: Clock,
) -> SigningResult:
    """Sign one file; without a `collection`, just submit it.

    Raises:
        SignPathError: one of its kinds, as `errors` lists them; the target is untouched then.
    """
    unsigned = read_artifact(artifact)
    if collection is not None:
        _check_collectable(collection, source=artifact)
    reporter.artifact_read(unsigned)
    submission = submit(api, unsigned, fields, on_progress=reporter.uploading)
    reporter.submitted(submission)
    if collection is None:
        return SigningResult(submission=submission)
    return collect(submission, collection, api=api, reporter=reporter, clock=clock)


def resubmit(
    original_id: str,
    collection: Collection | None,
    *,
    signing_policy_slug: str,
    description: str | None,
    api: SignPathApi,
    reporter: Reporter,
    clock: Clock,
) -> SigningResult:
    """Have the artifact of an earlier request signed under another policy: the very artifact that was tested.

    Raises:
        SignPathError: one of its kinds, as `errors` lists them; the target is untouched then.
    """
    if collection is not None:
        _check_collectable(collection)
    submission = api.resubmit(original_id, signing_policy_slug=signing_policy_slug, description=description)
    reporter.submitted(submission)
    if collection is None:
        return SigningResult(submission=submission)
    return collect(submission, collection, api=api, reporter=reporter, clock=clock)


def collect(
    submission: Submission, collection: Collection, *, api: SignPathApi, reporter: Reporter, clock: Clock
) -> SigningResult:
    """Wait for a request, then fetch and verify what was signed.

    Raises:
        SignPathError: one of its kinds, as `errors` lists them; the target is untouched then.
    """
    check_target(collection.target, force=collection.force, source=collection.unsigned)
    if collection.expectations is not None:
        collection.packages.start()
    wait(
        api,
        submission.signing_request_id,
        timeout=collection.timeout,
        clock=clock,
        on_status=reporter.status_changed,
        on_poll=reporter.still_waiting,
    )
    if collection.expected_origin is not None:
        _check_origin(collection.expected_origin, submission, api=api, reporter=reporter)
    signed, _ = download(
        api,
        submission.signing_request_id,
        collection.target,
        force=collection.force,
        on_progress=reporter.downloading,
        accept=partial(_verify, collection=collection, reporter=reporter),
    )
    return SigningResult(submission=submission, signed=signed)


def _check_collectable(collection: Collection, source: Path | None = None) -> None:
    """Find out before anything is submitted what could not be stored or verified after it was signed."""
    check_target(collection.target, force=collection.force, source=source)
    if collection.expectations is None:
        return
    from signpath_ci.verify import can_verify

    collection.packages.check()
    if source is not None and not can_verify(source):
        raise UsageError(
            f"{source} is of a format whose signatures can't be verified here.",
            hint="Sign it with --verify off, and verify it by other means.",
        )


def _verify(downloaded: Artifact, *, collection: Collection, reporter: Reporter) -> None:
    reporter.downloaded(downloaded)
    if collection.expectations is None:
        return
    from signpath_ci.verify import verify_file

    collection.packages.ready()
    verdicts: tuple[Verdict, ...] = verify_file(
        downloaded.path,
        unsigned=collection.unsigned,
        expectations=collection.expectations,
        shown_as=collection.target,
    )
    reporter.verified(verdicts)


def _check_origin(expected: ExpectedOrigin, submission: Submission, *, api: SignPathApi, reporter: Reporter) -> None:
    recorded = api.request(submission.signing_request_id).origin
    differences = compare_origin(
        expected.origin, recorded, branch=expected.branch, build_settings_file=expected.build_settings_file
    )
    if differences:
        reporter.explained(tuple(difference_table(differences)))
        raise VerificationError(
            f"The origin that SignPath recorded for {submission.signing_request_id} is not this build's: "
            f"{', '.join(difference.field for difference in differences)} differ.",
            hint="Do not publish what was signed; ask who submitted it, and from where.",
        )
