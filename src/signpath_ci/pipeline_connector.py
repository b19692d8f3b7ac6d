"""The street where the artifact already lies in the CI system's store, and a connector fetches it from there.

Only the connector is contacted, also for status and download (wire contract, "Connectors").
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.clock import Clock
from signpath_ci.model import Artifact, Expectations, SigningRequestFields, SizeAllowance, Submission
from signpath_ci.pipeline import SigningResult, tell_verdicts
from signpath_ci.report import Reporter
from signpath_ci.signing.adopt import submit_build_artifact_once
from signpath_ci.signing.download import Bounded, check_target, download, size_limit
from signpath_ci.signing.extract import check_directory, download_and_extract, download_as_named
from signpath_ci.signing.published import Published
from signpath_ci.signing.receipt import ReceiptFile
from signpath_ci.signing.wait import is_artifact_fetched, wait

if TYPE_CHECKING:
    from signpath_ci.api.connector import Connector
    from signpath_ci.api.connector_payloads import BuildArtifact
    from signpath_ci.verify.packages import Packages


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Where the signed artifact goes, and what is demanded of it.

    Attributes:
        directory: a ZIP is extracted into it; `None`: it is not.
        file: the artifact is saved as this file; `None`: it is not.
        as_sent: a directory gets the artifact as it comes, under the name that the connector gives it.
        force: replace existing files.
        expectations: what signatures must fulfil; `None`: nothing is verified.
        packages: sees to the libraries of verification.
        allowance: by how much the signed artifact may be larger than the published files.
        unsigned: what was published, to compare the content with; `None` where it is not at hand.
    """

    directory: Path | None
    file: Path | None
    as_sent: bool
    force: bool
    expectations: Expectations | None
    packages: Packages
    unsigned: Published | None = None
    allowance: SizeAllowance = field(default_factory=SizeAllowance)

    @property
    def is_verified(self) -> bool:
        """Whether something is delivered that is verified."""
        return self.expectations is not None and not (self.directory is None and self.file is None)


def sign_build_artifact(
    artifact: BuildArtifact,
    fields: SigningRequestFields,
    delivery: Delivery | None,
    *,
    timeout: float,
    connector: Connector,
    reporter: Reporter,
    clock: Clock,
    receipt: ReceiptFile | None = None,
) -> SigningResult:
    """Have an artifact of the CI system's store signed.

    Args:
        artifact: which one.
        fields: slugs and parameters.
        delivery: where the signed artifact goes; `None`: the run ends when SignPath has fetched the unsigned one. It
            must not end before, since the token to fetch it with dies with the job.
        timeout: the longest time to wait, in seconds.
        connector: the connector.
        reporter: hears of each step.
        clock: waits.
        receipt: where the request's receipt is kept; the request of one that fits is gone on with.

    Raises:
        SignPathError: one of its kinds, as `errors` lists them; nothing is written then.
    """
    if delivery is not None:
        _check_deliverable(delivery)
    if receipt is None:
        submission = connector.submit(artifact, fields)
        reporter.submitted(submission)
    else:
        submission = submit_build_artifact_once(
            connector, artifact, fields, receipt, clock=clock, on_submitted=reporter.submitted
        )
    if delivery is not None and delivery.is_verified:
        delivery.packages.start()
    until = {} if delivery is not None else {"until": is_artifact_fetched}
    wait(
        connector,
        submission.signing_request_id,
        timeout=timeout,
        clock=clock,
        on_status=reporter.status_changed,
        on_poll=reporter.still_waiting,
        **until,
    )
    signed = None if delivery is None else _deliver(submission, delivery, connector=connector, reporter=reporter)
    return SigningResult(submission=submission, signed=signed)


def _check_deliverable(delivery: Delivery) -> None:
    """Find out before anything is submitted what could not be stored or verified after it was signed."""
    if delivery.directory is not None:
        check_directory(delivery.directory)
    if delivery.file is not None:
        check_target(delivery.file, force=delivery.force)
    if delivery.is_verified:
        delivery.packages.check()
        if delivery.unsigned is not None:
            delivery.unsigned.check()


def _deliver(
    submission: Submission, delivery: Delivery, *, connector: Connector, reporter: Reporter
) -> Artifact | None:
    request_id, force, progress = submission.signing_request_id, delivery.force, reporter.downloading
    submitted = delivery.unsigned.size() if delivery.unsigned else None
    source = Bounded(connector, size_limit(submitted, delivery.allowance))
    accept = partial(_verify, delivery=delivery, reporter=reporter)
    if delivery.file is not None:
        named = partial(accept, name=delivery.file)
        return download(source, request_id, delivery.file, force=force, on_progress=progress, accept=named)[0]
    directory = delivery.directory
    if directory is None:
        return None
    if delivery.as_sent:
        return download_as_named(source, request_id, directory, force=force, on_progress=progress, accept=accept)[0]
    fetched, _, _ = download_and_extract(
        source, request_id, directory, force=force, on_progress=progress, accept=partial(accept, name=directory)
    )
    return Artifact(path=directory, size=fetched.size, sha256=fetched.sha256)


def _verify(downloaded: Artifact, name: Path, *, delivery: Delivery, reporter: Reporter) -> None:
    reporter.downloaded(downloaded)
    if delivery.expectations is None:
        return
    delivery.packages.ready()
    with delivery.unsigned.as_file() if delivery.unsigned else nullcontext() as unsigned:
        tell_verdicts(
            downloaded.path,
            unsigned=unsigned,
            expectations=delivery.expectations,
            shown_as=name,
            reporter=reporter,
        )
