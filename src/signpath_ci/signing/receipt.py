"""The receipt of a request: a small file by which a later run, job or machine goes on where this one ended.

It is written right after SignPath made the request, before the file is uploaded, and again when SignPath has it. So a
run that is killed anywhere leaves either no request, one that can never be signed, or one that its receipt leads to.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from signpath_ci.clock import Clock
from signpath_ci.errors import LocalFileError
from signpath_ci.files import locked, read_bounded, write_atomically
from signpath_ci.model import Artifact, Origin, SigningRequestFields, Submission
from signpath_ci.schema import load_schema, violations
from signpath_ci.signing.target import check_target, disk_errors
from signpath_ci.values import dataclass, replace

_LARGEST = 1024 * 1024
_VERSION = 1
_LONGEST_WAIT, _PAUSE = 3600.0, 0.2
"""Seconds that a run waits for another one to submit, and between its attempts; an upload alone may take long."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """The file that was submitted.

    Attributes:
        name: without a directory.
        size: in bytes; `None` of one that SignPath fetched, and that was not at hand.
        sha256: in lower-case hex.
    """

    name: str
    size: int | None
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Service:
    """Which SignPath, and which organization of it."""

    api_url: str
    organization_id: str


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a receipt says; the schema `receipt.schema.json` describes each value.

    Attributes:
        service: where the request was made.
        submission: the request.
        original_signing_request_id: of a resubmit.
        input: `None` where only SignPath has the file.
        build_artifact: what a connector fetched from the CI system, as `BuildArtifact.identity` names it.
        project_slug: `None` where a resubmit did not ask.
        artifact_configuration_sha256: of the copy in the checkout, when the request was made; `None`: there was none.
        origin: the build, as `origin_of` tells it.
        created: when SignPath made the request.
        submitted: when SignPath had the file; `None` until then.
    """

    service: Service
    submission: Submission
    original_signing_request_id: str | None
    input: InputFile | None
    build_artifact: str | None = None
    project_slug: str | None
    signing_policy_slug: str
    artifact_configuration_slug: str | None
    artifact_configuration_sha256: str | None = None
    parameters: Mapping[str, str]
    description: str | None
    origin: Mapping[str, str | None]
    created: str
    submitted: str | None


@dataclass(frozen=True, kw_only=True)
class ReceiptFile:
    """Where a run keeps its receipt, and what it knows besides the request."""

    path: Path
    service: Service
    origin: Origin


def default_receipt(artifact: Path) -> Path:
    """Return where `submit` keeps the receipt of a file: `app.exe` -> `app.exe.receipt.json`."""
    return artifact.with_name(f"{artifact.name}.receipt.json")


def origin_of(origin: Origin) -> dict[str, str | None]:
    """Return what a receipt says of the build."""
    return {
        "platform": origin.platform,
        "repository_url": origin.repository_url,
        "branch": origin.branch,
        "tag": origin.tag,
        "commit": origin.commit,
        "build_url": origin.build_url,
    }


def receipt_of(
    submission: Submission,
    artifact: Artifact | str,
    fields: SigningRequestFields,
    file: ReceiptFile,
    *,
    now: datetime,
) -> Receipt:
    """Return the receipt of a request that was just made, and does not have its file yet.

    Args:
        submission: the request.
        artifact: the file; or what names the CI system's artifact that a connector fetches.
        fields: what else the submit says.
        file: where it is kept.
        now: the time.
    """
    sent = None if isinstance(artifact, str) else artifact
    return Receipt(
        service=file.service,
        submission=submission,
        original_signing_request_id=None,
        input=InputFile(name=sent.path.name, size=sent.size, sha256=sent.sha256) if sent else None,
        build_artifact=artifact if isinstance(artifact, str) else None,
        project_slug=fields.project_slug,
        signing_policy_slug=fields.signing_policy_slug,
        artifact_configuration_slug=fields.artifact_configuration_slug,
        artifact_configuration_sha256=fields.artifact_configuration_sha256,
        parameters=dict(fields.parameters),
        description=fields.description,
        origin=origin_of(file.origin),
        created=shown_time(now),
        submitted=None,
    )


def uploaded(receipt: Receipt, *, now: datetime) -> Receipt:
    """Return the same receipt, of a request that has its file."""
    return replace(receipt, submitted=shown_time(now))


def shown_time(time: datetime) -> str:
    """Return a time as receipts say it: `2026-11-24T03:06:57Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def differences(receipt: Receipt, wanted: Receipt) -> list[str]:
    """Return why a receipt is of another request than the one that is wanted; nothing where it fits."""
    before = receipt.input.sha256 if receipt.input else None
    now = wanted.input.sha256 if wanted.input else None
    pairs = (
        ("the SignPath", receipt.service.api_url, wanted.service.api_url),
        ("the organization", receipt.service.organization_id, wanted.service.organization_id),
        ("the original request", receipt.original_signing_request_id, wanted.original_signing_request_id),
        ("the input's SHA-256", before, now),
        ("the build's artifact", receipt.build_artifact, wanted.build_artifact),
        ("the project", receipt.project_slug, wanted.project_slug),
        ("the signing policy", receipt.signing_policy_slug, wanted.signing_policy_slug),
        ("the artifact configuration", receipt.artifact_configuration_slug, wanted.artifact_configuration_slug),
    )
    found = [f"{what} is {new or 'none'}, and was {old or 'none'}" for what, old, new in pairs if old != new]
    if receipt.parameters != wanted.parameters:
        names = sorted(
            name
            for name in receipt.parameters.keys() | wanted.parameters.keys()
            if receipt.parameters.get(name) != wanted.parameters.get(name)
        )
        found.append(f"the parameters {', '.join(names)} are others")
    return found


def write_receipt(path: Path, receipt: Receipt) -> None:
    """Write a receipt, at once and as a whole, in place of an older one.

    Raises:
        LocalFileError: it can't be written.
    """
    text = json.dumps(_as_json(receipt), indent=2) + "\n"
    with disk_errors(path):
        write_atomically(path, text.encode("ascii"))


@contextmanager
def receipt_lock(path: Path, clock: Clock) -> Iterator[None]:
    """Hold a receipt from reading it until its request is in it; wait while another run of this machine does.

    So runs that start at the same time make one request: the first submits, and the others resume its request.
    Runs on several machines are kept apart only where they share a file system that has locks.

    Raises:
        LocalFileError: the lock can't be had, or not within an hour.
    """
    deadline = clock.monotonic() + _LONGEST_WAIT
    is_waiting = False

    def wait() -> None:
        nonlocal is_waiting
        if not is_waiting:
            _log.info("Another run submits the request of the receipt %s: waiting for it.", path)
        is_waiting = True
        if clock.monotonic() > deadline:
            raise LocalFileError(
                f"Another run has held the receipt {path} for {_LONGEST_WAIT / 60:.0f} minutes.",
                hint="See which run submits for so long; once it has ended, run this again.",
                code="receipt-locked",
            )
        clock.sleep(_PAUSE)

    with ExitStack() as stack:
        with disk_errors(path):
            if not stack.enter_context(locked(path, wait=wait)):
                _log.warning(
                    "The file system of the receipt %s has no locks: runs at the same time may submit a request each.",
                    path,
                )
        yield


def check_receipt_place(path: Path) -> None:
    """Find out before anything is submitted whether a receipt can be written.

    Raises:
        LocalFileError: it can't, and why.
    """
    check_target(path, force=True)


def read_receipt(path: Path) -> Receipt:
    """Read a receipt.

    Raises:
        FileNotFoundError: there is no such file.
        LocalFileError: it can't be read, or is no receipt.
    """
    try:
        data = read_bounded(path, most=_LARGEST)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise LocalFileError(
            f"The receipt {path} can't be read: {error.strerror}.", hint="Check it.", code="unreadable-file"
        ) from None
    if data is None:
        raise _no_receipt(path, f"it has more than {_LARGEST} bytes")
    try:
        said = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _no_receipt(path, f"it is not JSON ({error or 'nested too deep'})") from None
    problems = violations(said, load_schema("receipt"))
    if problems:
        words = "; ".join(f"{problem.place or 'it'} {problem.expected}" for problem in problems[:5])
        raise _no_receipt(path, words)
    return _from_json(said)


def _no_receipt(path: Path, why: str) -> LocalFileError:
    return LocalFileError(
        f"{path} is no receipt of a signing request: {why}.",
        hint="Name another file, or remove it where nothing depends on it; a receipt is never written over another's.",
        code="invalid-receipt",
    )


def _as_json(receipt: Receipt) -> dict[str, Any]:
    given = receipt.input
    return {
        "version": _VERSION,
        "api_url": receipt.service.api_url,
        "organization_id": receipt.service.organization_id,
        "signing_request_id": receipt.submission.signing_request_id,
        "web_link": receipt.submission.web_link,
        "signed_artifact_url": receipt.submission.signed_artifact_url,
        "original_signing_request_id": receipt.original_signing_request_id,
        "input": {"name": given.name, "size": given.size, "sha256": given.sha256} if given else None,
        "build_artifact": receipt.build_artifact,
        "project_slug": receipt.project_slug,
        "signing_policy_slug": receipt.signing_policy_slug,
        "artifact_configuration_slug": receipt.artifact_configuration_slug,
        "artifact_configuration_sha256": receipt.artifact_configuration_sha256,
        "parameters": dict(receipt.parameters),
        "description": receipt.description,
        "origin": dict(receipt.origin),
        "created": receipt.created,
        "submitted": receipt.submitted,
    }


def _from_json(said: dict[str, Any]) -> Receipt:
    given = said["input"]
    return Receipt(
        service=Service(api_url=said["api_url"], organization_id=said["organization_id"]),
        submission=Submission(
            signing_request_id=said["signing_request_id"],
            web_link=said["web_link"],
            signed_artifact_url=said["signed_artifact_url"],
        ),
        original_signing_request_id=said["original_signing_request_id"],
        input=InputFile(**given) if given else None,
        build_artifact=said["build_artifact"],
        project_slug=said["project_slug"],
        signing_policy_slug=said["signing_policy_slug"],
        artifact_configuration_slug=said["artifact_configuration_slug"],
        artifact_configuration_sha256=said.get("artifact_configuration_sha256"),
        parameters=said["parameters"],
        description=said["description"],
        origin=said["origin"],
        created=said["created"],
        submitted=said["submitted"],
    )
