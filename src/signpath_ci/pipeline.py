"""The street: submit, wait, download, verify. Reading `sign` and `collect` tells the whole story.

What is downloaded does not get its final name before it is verified: no later step can publish what was not.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.clock import Clock
from signpath_ci.errors import NotSignedError, StillPendingError, UsageError, VerificationError
from signpath_ci.model import Artifact, Expectations, Origin, SigningRequestFields, SizeAllowance, Submission
from signpath_ci.origin.compare import compare_origin, difference_table
from signpath_ci.report import Reporter
from signpath_ci.signing.adopt import Resubmission, resubmit_once, submit_once
from signpath_ci.signing.artifact import Source
from signpath_ci.signing.cancel import cancel, canceled_on_interrupt
from signpath_ci.signing.download import Bounded, check_target, download, size_limit
from signpath_ci.signing.extract import Split, check_split, download_and_split
from signpath_ci.signing.receipt import ReceiptFile
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
class WaitingTime:
    """How long it is waited until a request is final, in seconds.

    Attributes:
        timeout: after which the request is left alone.
        cancel_after: after which it is canceled instead, no longer than `timeout`; `None`: never.
    """

    timeout: float
    cancel_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class Collection:
    """How a signed file is collected.

    Attributes:
        target: where the signed file goes.
        split: where the files go that a signed archive holds; `None`: it stays whole.
        force: replace the target where it exists.
        waiting: how long it is waited for.
        unsigned: the file that was submitted, to compare the content with; `None` where it is not at hand.
        expectations: what the signature must fulfil; `None`: the signed file is not verified.
        packages: sees to the libraries of verification.
        expected_origin: what SignPath must have recorded as origin; `None`: it is not compared.
        allowance: by how much the signed file may be larger than the submitted one.
        name: what people know the target as, and a file that is refused is kept beside; `None`: the target itself.
    """

    target: Path
    force: bool
    waiting: WaitingTime
    unsigned: Path | None
    expectations: Expectations | None
    packages: Packages
    expected_origin: ExpectedOrigin | None = None
    name: Path | None = None
    split: Split | None = None
    allowance: SizeAllowance = field(default_factory=SizeAllowance)

    @property
    def shown_as(self) -> Path:
        """What people know the target as."""
        return self.name or self.target

    def check(self, source: Path | None) -> None:
        """Find out whether it can be written.

        Raises:
            LocalFileError: it can't, and why.
        """
        if self.split:
            check_split(self.split, force=self.force)
        else:
            check_target(self.target, force=self.force, source=source)


@dataclass(frozen=True, kw_only=True)
class SigningResult:
    """How far it came.

    Attributes:
        submission: the request.
        signed: what was downloaded; `None` where the run did not wait for it.
        files: the files that it was split into; nothing where it is one file.
    """

    submission: Submission
    signed: Artifact | None = None
    files: tuple[Path, ...] = ()

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Where the signed files lie."""
        return self.files or ((self.signed.path,) if self.signed else ())


def sign(
    source: Source,
    fields: SigningRequestFields,
    collection: Collection | None,
    *,
    api: SignPathApi,
    reporter: Reporter,
    clock: Clock,
    receipt: ReceiptFile | None = None,
    keep_on_interrupt: bool = False,
) -> SigningResult:
    """Sign one file; without a `collection`, just submit it.

    Args:
        source: the file.
        fields: what else the submit says.
        collection: how the signed file is collected.
        api: SignPath.
        reporter: hears of each step.
        clock: the time.
        receipt: where the request's receipt is kept; the request of one that fits is gone on with.
        keep_on_interrupt: leave the request that this run made alive where a signal ends the run.

    Raises:
        SignPathError: one of its kinds, as `errors` lists them; the target is untouched then.
    """
    unsigned = source.read()
    if collection is not None:
        _check_collectable(collection, source=source.path)
    reporter.artifact_read(replace(unsigned, path=source.shown_as))
    with canceled_on_interrupt(api, keep=keep_on_interrupt) as made:
        if receipt is None:
            submission = submit(
                api, unsigned, fields, link=source.link, on_progress=reporter.uploading, on_created=made
            )
            reporter.submitted(submission)
        else:
            submission = submit_once(
                api,
                unsigned,
                fields,
                receipt,
                clock=clock,
                link=source.link,
                on_progress=reporter.uploading,
                on_created=made,
                on_submitted=reporter.submitted,
            )
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
    receipt: ReceiptFile | None = None,
    keep_on_interrupt: bool = False,
) -> SigningResult:
    """Have the artifact of an earlier request signed under another policy: the very artifact that was tested.

    Raises:
        SignPathError: one of its kinds, as `errors` lists them; the target is untouched then.
    """
    if collection is not None:
        _check_collectable(collection)
    resubmission = Resubmission(
        original_id=original_id, signing_policy_slug=signing_policy_slug, description=description
    )
    with canceled_on_interrupt(api, keep=keep_on_interrupt) as made:
        submission = resubmit_once(
            api, resubmission, receipt, clock=clock, on_created=made, on_submitted=reporter.submitted
        )
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
    collection.check(collection.unsigned)
    if collection.expectations is not None:
        collection.packages.start()
    await_completion(submission, collection.waiting, api=api, reporter=reporter, clock=clock)
    if collection.expected_origin is not None:
        _check_origin(collection.expected_origin, submission, api=api, reporter=reporter)
    request_id, force, progress = submission.signing_request_id, collection.force, reporter.downloading
    accept = partial(_verify, collection=collection, reporter=reporter)
    submitted = collection.unsigned.stat().st_size if collection.unsigned else None
    source = Bounded(api, size_limit(submitted, collection.allowance))
    if collection.split is None:
        target, name = collection.target, collection.name
        signed, _ = download(source, request_id, target, name=name, force=force, on_progress=progress, accept=accept)
        return SigningResult(submission=submission, signed=signed)
    signed, files = download_and_split(
        source, request_id, collection.split, name=collection.shown_as, force=force, on_progress=progress, accept=accept
    )
    return SigningResult(submission=submission, signed=signed, files=files)


def await_completion(
    submission: Submission, waiting: WaitingTime, *, api: SignPathApi, reporter: Reporter, clock: Clock
) -> None:
    """Wait until a request is completed.

    Raises:
        NotSignedError: it ended otherwise, or was canceled here because its time was over.
        StillPendingError: it is left alone.
        SignPathError: SignPath does not tell, or can't cancel it.
    """
    try:
        wait(
            api,
            submission.signing_request_id,
            timeout=waiting.timeout if waiting.cancel_after is None else waiting.cancel_after,
            clock=clock,
            on_status=reporter.status_changed,
            on_poll=reporter.still_waiting,
        )
    except StillPendingError as error:
        if waiting.cancel_after is None:
            raise
        status = cancel(api, submission.signing_request_id)
        reporter.status_changed(status, waiting.cancel_after)
        if not status.is_completed:  # it may have been, in the same moment
            raise NotSignedError(
                f"{error.message.rstrip('.')}: it is {status.status} now, as --cancel-after demands.",
                hint=f"See {submission.web_link}" if submission.web_link else "",
                code="request-canceled",
            ) from None


def _check_collectable(collection: Collection, source: Path | None = None) -> None:
    """Find out before anything is submitted what could not be stored or verified after it was signed."""
    collection.check(source)
    if collection.expectations is None:
        return
    collection.packages.check()
    if source is not None:
        check_judgeable(source, collection.expectations)


def check_judgeable(source: Path, expectations: Expectations | None) -> None:
    """Find out whether what will come back for a file can be judged.

    Raises:
        UsageError: it can't, but is to be.
    """
    if expectations is None:
        return
    from signpath_ci.verify import can_verify

    if not can_verify(source, expectations):
        raise UsageError(
            f"{source} is of a format whose signatures can't be verified here.",
            hint="Name it with --allow-unsupported, or sign it with --verify off, and verify it by other means.",
            code="unverifiable-format",
        )


def _verify(downloaded: Artifact, *, collection: Collection, reporter: Reporter) -> None:
    reporter.downloaded(downloaded)
    if collection.expectations is None:
        return
    collection.packages.ready()
    tell_verdicts(
        downloaded.path,
        unsigned=collection.unsigned,
        expectations=collection.expectations,
        shown_as=collection.shown_as,
        reporter=reporter,
    )


def tell_verdicts(
    path: Path, *, unsigned: Path | None, expectations: Expectations, shown_as: Path, reporter: Reporter
) -> None:
    """Verify a file, and tell the verdicts, also those that failed; arguments and errors as those of `verify_file`."""
    from signpath_ci.verify import verify_file

    try:
        verdicts = verify_file(path, unsigned=unsigned, expectations=expectations, shown_as=shown_as)
    except VerificationError as error:
        reporter.rejected(error.verdicts)
        raise
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
            code="origin-differs",
        )
