"""What happened, reported to whoever watches: a terminal, a log, a CI system.

A reporter hears of each step of a run, and never changes what the run does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from signpath_ci.errors import SignPathError
    from signpath_ci.model import (
        Account,
        Artifact,
        Failure,
        Origin,
        RequestStatus,
        SignedFileDigests,
        Submission,
        Verdict,
    )
    from signpath_ci.report.record import FileOutcome


class Reporter:
    """Hears of each step; this one keeps silent. Subclasses tell what their reader needs."""

    def secret(self, text: str) -> None:
        """`text` must not be shown; reported before anything else."""

    def planned(
        self, *, project: str | None, policy: str, origin: Origin | None, configuration_sha256: str | None = None
    ) -> None:
        """A request under this policy is going to be made, for this build; `None` where it is not known."""

    def artifact_read(self, artifact: Artifact) -> None:
        """The file to sign was hashed."""

    def uploading(self, done: int, total: int) -> None:
        """`done` of `total` bytes are sent; starts again from 0 where an upload is repeated."""

    def submitted(self, submission: Submission) -> None:
        """SignPath has the request and the file."""

    def status_changed(self, status: RequestStatus, waited: float) -> None:
        """The request has a new status, `waited` seconds after the waiting began."""

    def still_waiting(self, waited: float) -> None:
        """The request was asked for after `waited` seconds."""

    def downloading(self, done: int, total: int) -> None:
        """`done` of `total` bytes have come; `total` is 0 where the server does not say it."""

    def downloaded(self, artifact: Artifact) -> None:
        """The signed file has come whole, and lies under its final name once it is verified."""

    def verified(self, verdicts: tuple[Verdict, ...]) -> None:
        """The signed file is what it should be."""

    def rejected(self, verdicts: tuple[Verdict | Failure, ...]) -> None:
        """The signed file is not what it should be; what failed of it comes before what did not."""

    def accounted(self, account: Account) -> None:
        """Every file of the delivery has its outcome; comes after `verified` or `rejected`."""

    def logged(self, level: int, message: str) -> None:
        """A connector said something; `level` as `logging` numbers them."""

    def explained(self, table: tuple[str, ...]) -> None:
        """Lines that show in detail what the error that follows says; already harmless, columns aligned."""

    def close(self) -> None:
        """The work has ended, well or not; what is shown of it comes to its end."""

    def several(self, outcomes: tuple[FileOutcome, ...]) -> None:
        """What became of each of several files that were signed at the same time; the end of the run follows."""

    def described(self, files: tuple[SignedFileDigests, ...]) -> None:
        """The signed files are in place; these are their digests."""

    def completed(self, outputs: tuple[Path, ...]) -> None:
        """The run is a success; `outputs` is where the signed files lie: none where they were not fetched."""

    def failed(self, error: SignPathError) -> None:
        """The run has failed. It may be the only thing that is ever reported."""


class CompositeReporter(Reporter):
    """Passes everything on to several reporters, in their order."""

    def __init__(self, *reporters: Reporter) -> None:
        self._reporters = reporters

    def secret(self, text: str) -> None:
        for reporter in self._reporters:
            reporter.secret(text)

    def planned(
        self, *, project: str | None, policy: str, origin: Origin | None, configuration_sha256: str | None = None
    ) -> None:
        for reporter in self._reporters:
            reporter.planned(project=project, policy=policy, origin=origin, configuration_sha256=configuration_sha256)

    def artifact_read(self, artifact: Artifact) -> None:
        for reporter in self._reporters:
            reporter.artifact_read(artifact)

    def uploading(self, done: int, total: int) -> None:
        for reporter in self._reporters:
            reporter.uploading(done, total)

    def submitted(self, submission: Submission) -> None:
        for reporter in self._reporters:
            reporter.submitted(submission)

    def status_changed(self, status: RequestStatus, waited: float) -> None:
        for reporter in self._reporters:
            reporter.status_changed(status, waited)

    def still_waiting(self, waited: float) -> None:
        for reporter in self._reporters:
            reporter.still_waiting(waited)

    def downloading(self, done: int, total: int) -> None:
        for reporter in self._reporters:
            reporter.downloading(done, total)

    def downloaded(self, artifact: Artifact) -> None:
        for reporter in self._reporters:
            reporter.downloaded(artifact)

    def verified(self, verdicts: tuple[Verdict, ...]) -> None:
        for reporter in self._reporters:
            reporter.verified(verdicts)

    def rejected(self, verdicts: tuple[Verdict | Failure, ...]) -> None:
        for reporter in self._reporters:
            reporter.rejected(verdicts)

    def accounted(self, account: Account) -> None:
        for reporter in self._reporters:
            reporter.accounted(account)

    def logged(self, level: int, message: str) -> None:
        for reporter in self._reporters:
            reporter.logged(level, message)

    def explained(self, table: tuple[str, ...]) -> None:
        for reporter in self._reporters:
            reporter.explained(table)

    def close(self) -> None:
        for reporter in self._reporters:
            reporter.close()

    def several(self, outcomes: tuple[FileOutcome, ...]) -> None:
        for reporter in self._reporters:
            reporter.several(outcomes)

    def described(self, files: tuple[SignedFileDigests, ...]) -> None:
        for reporter in self._reporters:
            reporter.described(files)

    def completed(self, outputs: tuple[Path, ...]) -> None:
        for reporter in self._reporters:
            reporter.completed(outputs)

    def failed(self, error: SignPathError) -> None:
        for reporter in self._reporters:
            reporter.failed(error)
