"""Never two requests for one input: what an earlier run has submitted is resumed, as its receipt tells."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from signpath_ci.clock import Clock
from signpath_ci.errors import LocalFileError, RefusedError
from signpath_ci.model import (
    WAITS_FOR_UPLOAD,
    Artifact,
    RequestStatus,
    RetrievalLink,
    SigningRequestFields,
    Submission,
)
from signpath_ci.signing.receipt import (
    Receipt,
    ReceiptFile,
    check_receipt_place,
    differences,
    origin_of,
    read_receipt,
    receipt_lock,
    receipt_of,
    shown_time,
    uploaded,
    write_receipt,
)
from signpath_ci.signing.record import has_recorded_file, record_differences
from signpath_ci.signing.submit import submit, upload
from signpath_ci.values import dataclass, replace

if TYPE_CHECKING:
    from signpath_ci.api.connector import Connector
    from signpath_ci.api.connector_payloads import BuildArtifact
    from signpath_ci.api.rest import SignPathApi

_log = logging.getLogger(__name__)

_NONE_YET = Submission(signing_request_id="", web_link=None)


def submit_once(
    api: SignPathApi,
    artifact: Artifact,
    fields: SigningRequestFields,
    file: ReceiptFile,
    *,
    clock: Clock,
    link: RetrievalLink | None = None,
    compares_file: bool = False,
    on_progress: Callable[[int, int], None],
    on_created: Callable[[Submission], None],
    on_submitted: Callable[[Submission], None],
) -> Submission:
    """Resume the request of a receipt that fits, else submit and write the receipt.

    A request fits that is for the same input under the same rules, and is pending or completed. One that has lost its
    upload is sent it.

    Args:
        api: SignPath.
        artifact: the file as it was when it was read.
        fields: what else the submit says.
        file: the receipt, which need not be there.
        clock: for the receipt's times.
        link: as in `submit`.
        compares_file: compare the file that SignPath has with the receipt's SHA-256, since nothing else will.
        on_progress: as in `submit`.
        on_created: is called with a request that is new.
        on_submitted: is called with the request once SignPath has the file, and before the receipt is written.

    Raises:
        LocalFileError: the receipt is none, or can't be written; or as `submit` says.
        RefusedError, UnexpectedAnswerError, ServiceUnavailableError: as the transport says.
    """
    check_receipt_place(file.path)
    with receipt_lock(file.path, clock):
        wanted = receipt_of(_NONE_YET, artifact, fields, file, now=clock.now())
        found = find_resumable(_asks_record(api, wanted, compares_file=compares_file), wanted, file)
        if found is not None:
            receipt, status = found
            if status.status == WAITS_FOR_UPLOAD:
                upload(api, status.signing_request_id, artifact, on_progress=on_progress)
            submission = _known_submission(status, api)
            on_submitted(submission)
            if receipt.submitted is None:
                _write(file, uploaded(replace(receipt, submission=submission), now=clock.now()))
            return submission
        made: list[Receipt] = []

        def keep(submission: Submission) -> None:
            on_created(submission)
            made.append(receipt_of(submission, artifact, fields, file, now=clock.now()))
            _write(file, made[0])

        submission = submit(api, artifact, fields, link=link, on_progress=on_progress, on_created=keep)
        on_submitted(submission)
        _write(file, uploaded(made[0], now=clock.now()))
        return submission


def _write(file: ReceiptFile, receipt: Receipt) -> None:
    """Write a receipt; where it can't be, nothing else leads to its request but the error."""
    try:
        write_receipt(file.path, receipt)
    except LocalFileError as error:
        request_id = receipt.submission.signing_request_id
        raise LocalFileError(
            error.message,
            hint=f"{error.hint} It is about the signing request {request_id}: signpath-ci status {request_id} tells "
            f"what became of it, signpath-ci download {request_id} fetches what was signed.",
            code=error.code,
        ) from None


def submit_build_artifact_once(
    connector: Connector,
    artifact: BuildArtifact,
    fields: SigningRequestFields,
    file: ReceiptFile,
    *,
    clock: Clock,
    on_submitted: Callable[[Submission], None],
) -> Submission:
    """Resume the request of a receipt that fits, else have a connector submit, and write the receipt.

    There is one call, as for a resubmit: what is said there holds here.

    Args:
        connector: the connector.
        artifact: which artifact of the CI system's; it has an identity.
        fields: slugs and parameters.
        file: the receipt, which need not be there.
        clock: for the receipt's times.
        on_submitted: is called with the request, new or not; before anything can go wrong with the receipt.

    Raises:
        LocalFileError: the receipt is none, or can't be written.
        RefusedError, UnexpectedAnswerError, ServiceUnavailableError: as the transport says.
    """
    check_receipt_place(file.path)
    with receipt_lock(file.path, clock):
        now = clock.now()
        wanted = uploaded(receipt_of(_NONE_YET, artifact.identity or "", fields, file, now=now), now=now)
        found = find_resumable(lambda request_id: (connector.status(request_id), []), wanted, file)
        if found is not None:
            submission = _known_submission(found[1], connector)
            on_submitted(submission)
            return submission
        submission = connector.submit(artifact, fields)
        on_submitted(submission)
        _write(file, replace(wanted, submission=submission))
        return submission


Recorded = tuple[RequestStatus, list[str]]
"""Where a request stands, and in what SignPath's record of it differs from the receipt that is wanted."""


class MakesUrls(Protocol):
    """Whoever knows where the signed file of a request is found: SignPath's REST API, or a connector."""

    def signed_artifact_url(self, signing_request_id: str) -> str:
        """Return where the signed file is found, for others to call."""
        ...


def _known_submission(status: RequestStatus, service: MakesUrls) -> Submission:
    """Return a request that is resumed; its URLs are of the configured service, whatever the receipt says."""
    return Submission(
        signing_request_id=status.signing_request_id,
        web_link=status.web_link,
        signed_artifact_url=service.signed_artifact_url(status.signing_request_id),
    )


def _asks_record(api: SignPathApi, wanted: Receipt, *, compares_file: bool) -> Callable[[str], Recorded]:
    def ask(signing_request_id: str) -> Recorded:
        request = api.request(signing_request_id)
        found = record_differences(wanted, request)
        expected = wanted.input if compares_file and request.state.status != WAITS_FOR_UPLOAD else None
        if expected and not found and not has_recorded_file(api, signing_request_id, expected):
            found.append("SignPath has another file")
        return request.state, found

    return ask


def find_resumable(
    record_of: Callable[[str], Recorded], wanted: Receipt, file: ReceiptFile
) -> tuple[Receipt, RequestStatus] | None:
    """Return the receipt with where its request stands; `None`, and a log line that says why, where it does not fit.

    Args:
        record_of: tells where a request stands, and what differs from `wanted`, by its id.
        wanted: the receipt that would be written.
        file: the one that may be there.

    Raises:
        LocalFileError: the file is there, but is no receipt.
        RefusedError, UnexpectedAnswerError, ServiceUnavailableError: SignPath does not tell where the request stands.
    """
    try:
        receipt = read_receipt(file.path)
    except FileNotFoundError:
        return None
    request_id = receipt.submission.signing_request_id
    reasons = differences(receipt, wanted)
    status = None
    if not reasons:
        status, reasons = _known(record_of, request_id)
        if status is None or reasons:
            pass
        elif status.is_final and not status.is_completed:
            reasons = [f"its request ended as {status.status}"]
        elif status.status == WAITS_FOR_UPLOAD and wanted.input is not None and wanted.input.size is None:
            reasons = ["its request waits for the upload of a file that is not here"]
    if status is None or reasons:
        _log.warning(
            "The receipt %s (signing request %s) does not fit: %s. Submitting anew.",
            file.path,
            request_id,
            "; ".join(reasons),
        )
        return None
    _log.info("Going on with the signing request of the receipt %s; nothing is submitted again.", file.path)
    return receipt, status


def _known(record_of: Callable[[str], Recorded], signing_request_id: str) -> tuple[RequestStatus | None, list[str]]:
    try:
        return record_of(signing_request_id)
    except RefusedError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None, ["SignPath does not know its request"]
        raise


@dataclass(frozen=True, kw_only=True)
class Resubmission:
    """What a resubmit says: which request's artifact is signed again, under which policy; a description or none."""

    original_id: str
    signing_policy_slug: str
    description: str | None


def resubmit_once(
    api: SignPathApi,
    resubmission: Resubmission,
    file: ReceiptFile | None,
    *,
    clock: Clock,
    on_created: Callable[[Submission], None],
    on_submitted: Callable[[Submission], None],
) -> Submission:
    """Resume the request of a receipt that fits, else resubmit and write the receipt.

    There is one call, and SignPath may have taken it when a run is killed before it hears so: then nothing knows of the
    new request. That is why it is never repeated by itself.

    Args:
        api: SignPath.
        resubmission: what is wanted.
        file: the receipt, which need not be there; `None`: none is wanted.
        clock: for the receipt's times.
        on_created: is called with a request that is new.
        on_submitted: is called with the request, new or not; before anything can go wrong with the receipt.

    Raises:
        LocalFileError: the receipt is none, or can't be written.
        RefusedError, UnexpectedAnswerError, ServiceUnavailableError: as the transport says.
    """
    if file is None:
        submission = _resubmit(api, resubmission)
        on_created(submission)
        on_submitted(submission)
        return submission
    check_receipt_place(file.path)
    now = shown_time(clock.now())
    wanted = Receipt(
        service=file.service,
        submission=_NONE_YET,
        original_signing_request_id=resubmission.original_id,
        input=None,
        project_slug=None,
        signing_policy_slug=resubmission.signing_policy_slug,
        artifact_configuration_slug=None,
        parameters={},
        description=resubmission.description,
        origin=origin_of(file.origin),
        created=now,
        submitted=now,
    )
    with receipt_lock(file.path, clock):
        found = find_resumable(_asks_record(api, wanted, compares_file=False), wanted, file)
        if found is not None:
            submission = _known_submission(found[1], api)
            on_submitted(submission)
            return submission
        submission = _resubmit(api, resubmission)
        on_created(submission)
        on_submitted(submission)
        _write(file, replace(wanted, submission=submission))
        return submission


def _resubmit(api: SignPathApi, resubmission: Resubmission) -> Submission:
    return api.resubmit(
        resubmission.original_id,
        signing_policy_slug=resubmission.signing_policy_slug,
        description=resubmission.description,
    )
