"""The request of an earlier run: an id, or the receipt that the run wrote; and what commands do with it."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.errors import LocalFileError, UsageError
from signpath_ci.model import Origin, SigningRequest, Submission
from signpath_ci.report import Reporter
from signpath_ci.settings import DownloadSettings, Earlier, ResubmitSettings, Service, WaitSettings
from signpath_ci.settings.parsers import DirectoryPath
from signpath_ci.signing import receipt as receipts
from signpath_ci.signing.cancel import canceled_on_interrupt
from signpath_ci.signing.record import check_record, check_submitted_file, submitted_file
from signpath_ci.signing.resume import Resubmission, resubmit_once
from signpath_ci.signing.target import default_target
from signpath_ci.values import dataclass
from signpath_ci.verify import check_trust_files
from signpath_ci.workflows.clients import connect
from signpath_ci.workflows.destinations import SignedFile
from signpath_ci.workflows.finishing import Finishing
from signpath_ci.workflows.inputs import make_directory
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.sign import Delivery, SigningResult
from signpath_ci.workflows.stated_signer import stated_signer
from signpath_ci.workflows.stated_tree import stated_tree
from signpath_ci.workflows.submission import receipt_file, service_of
from signpath_ci.workflows.verification import verification_for
from signpath_ci.workflows.waiting import waiting_time

if TYPE_CHECKING:
    from signpath_ci.api.rest import SignPathApi

_PATH = re.compile(r"[/\\]|\.json$", re.IGNORECASE)
"""What no id holds, and nearly every receipt's path does."""


@dataclass(frozen=True, kw_only=True)
class ExistingRequest:
    """A request of an earlier run: its id, and its receipt where that was given."""

    signing_request_id: str
    receipt: receipts.Receipt | None = None

    @property
    def input_path(self) -> Path | None:
        """The submitted file's name in the current directory; `None` where it is not known."""
        given = self.receipt.input if self.receipt else None
        return Path(Path(given.name).name) if given else None


def existing_request(settings: Earlier, service: Service) -> ExistingRequest:
    """Return the request that a command's settings name; it takes them as what they say of either.

    Raises:
        LocalFileError: there is no such receipt, or the file is none.
        UsageError: the receipt is of another SignPath or organization.
    """
    text = settings.signing_request_id
    path = Path(text)
    if not _PATH.search(text) and not path.is_file():
        return ExistingRequest(signing_request_id=text.strip())
    try:
        receipt = receipts.read_receipt(path)
    except FileNotFoundError:
        raise LocalFileError(
            f"There is no receipt {path}.",
            hint="Name a receipt that `submit` or `sign --receipt` wrote, or an id.",
            code="receipt-missing",
        ) from None
    of, here = receipt.service, service_of(service)
    if of != here:
        raise UsageError(
            f"The receipt {path} is of {of.api_url}, organization {of.organization_id}, "
            f"and not of {here.api_url}, organization {here.organization_id}.",
            hint="Set --api-url and --organization-id to the receipt's.",
            code="wrong-receipt",
        )
    return ExistingRequest(signing_request_id=receipt.submission.signing_request_id, receipt=receipt)


def known_request(api: SignPathApi, request: ExistingRequest) -> SigningRequest:
    """Return SignPath's own record of a request, which the receipt must not contradict.

    Raises:
        VerificationError: it does.
        SignPathError: SignPath refuses to tell it, or is not there.
    """
    recorded = api.request(request.signing_request_id)
    if request.receipt:
        check_record(request.receipt, recorded)
    return recorded


def known_submission(api: SignPathApi, request: ExistingRequest) -> Submission:
    """Return a request as its submit answered, from SignPath's own record; errors as those of `known_request`."""
    state = known_request(api, request).state
    return Submission(
        signing_request_id=state.signing_request_id,
        web_link=state.web_link,
        signed_artifact_url=api.signed_artifact_url(state.signing_request_id),
    )


def wait_for(settings: WaitSettings, process: Process, reporter: Reporter) -> SigningResult:
    """Wait for a request, and leave what was signed with SignPath.

    Raises:
        SignPathError: it is not signed, or the run failed otherwise.
    """
    request = existing_request(settings, settings)
    waiting = waiting_time(settings, process)
    api = connect(settings, process)
    submission = known_submission(api, request)
    reporter.submitted(submission)
    delivery = Delivery(
        client=api, reporter=reporter, clock=process.clock, waiting=waiting, destination=None, verification=None
    )
    return delivery.finish(submission)


def download(settings: DownloadSettings, process: Process, reporter: Reporter) -> SigningResult:
    """Wait for a request, then download, verify and deliver what was signed.

    Raises:
        SignPathError: the run failed.
    """
    request = existing_request(settings, settings)
    api = connect(settings, process)
    submission = known_submission(api, request)
    reporter.submitted(submission)
    return _delivery(request, settings, process, reporter, api=api).finish(submission)


def resubmit(
    request: ExistingRequest, settings: ResubmitSettings, process: Process, reporter: Reporter, *, origin: Origin
) -> SigningResult:
    """Have the artifact of a request signed under another policy: the very artifact that was tested.

    Args:
        request: whose artifact.
        settings: with the one policy.
        process: whose clock is used.
        reporter: hears of each step.
        origin: of this build, for the receipt.

    Raises:
        SignPathError: the run failed; nothing is delivered then.
    """
    api = connect(settings, process)
    if request.receipt:
        known_request(api, request)
    delivery = _delivery(request, settings, process, reporter, api=api)
    resubmission = Resubmission(
        original_id=request.signing_request_id,
        signing_policy_slug=settings.signing_policy_slug,
        description=settings.description,
    )
    receipt = receipt_file(settings.receipt, settings, origin) if settings.receipt else None
    with canceled_on_interrupt(api, keep=settings.keep_on_interrupt) as made:
        submission = resubmit_once(
            api, resubmission, receipt, clock=process.clock, on_created=made, on_submitted=reporter.submitted
        )
        return delivery.finish(submission)


def _delivery(
    request: ExistingRequest,
    settings: DownloadSettings | ResubmitSettings,
    process: Process,
    reporter: Reporter,
    *,
    api: SignPathApi,
) -> Delivery:
    """Return what happens to the signed file of an existing request's artifact, after a check of its destination."""
    waits = settings.wait_for_completion
    destination = _destination(request, settings) if waits else None
    expected = request.receipt.input if request.receipt else None
    if expected and settings.unsigned:
        check_submitted_file(settings.unsigned, expected)
    delivery = Delivery(
        client=api,
        reporter=reporter,
        clock=process.clock,
        waiting=waiting_time(settings, process) if waits else None,
        destination=destination,
        verification=verification_for(
            settings,
            settings,
            settings,
            process,
            submitted=settings.unsigned,
            stated_signer=stated_signer(settings, settings, process, api=api, project=None, policy=None),
            stated_tree=stated_tree(settings, process, api=api),
        ),
        submitted_size=lambda: _size(settings.unsigned),
        allowance=settings.size_allowance,
        submitted_copy=partial(submitted_file, api, expected=expected, directory=destination.path.parent)
        if expected and destination and settings.unsigned is None
        else None,
        source=settings.unsigned,
        finishing=Finishing(
            process=process, unsigned=settings.unsigned, output=destination.shown_as, replaces=settings.force
        )
        if destination
        else None,
    )
    if delivery.destination is not None:
        delivery.destination.check(settings.unsigned)
        if delivery.verification is not None:
            check_trust_files(delivery.verification.expectations)
            delivery.verification.packages.check()
    return delivery


def _size(path: Path | None) -> int | None:
    return path.stat().st_size if path and path.is_file() else None


def _destination(request: ExistingRequest, settings: DownloadSettings | ResubmitSettings) -> SignedFile:
    input_path = settings.unsigned or request.input_path
    output = settings.output or (default_target(input_path) if input_path else None)
    if output is None:
        raise UsageError(
            "No output path was given.",
            hint="Name it with --output (SIGNPATH_OUTPUT), or --unsigned, or a receipt instead of the id.",
            code="no-output",
        )
    if isinstance(output, DirectoryPath):
        if input_path is None:
            raise UsageError(
                f"What the signed file in {output} is to be called is not known.",
                hint="Name the file with --output (SIGNPATH_OUTPUT), or give --unsigned or a receipt.",
                code="no-output",
            )
        make_directory(output, option="--output")
    if input_path is not None and output.is_dir():
        output /= input_path.name
    return SignedFile(path=output, force=settings.force, original=input_path)
