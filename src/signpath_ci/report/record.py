"""What is known of a run so far."""

from __future__ import annotations

from pathlib import Path

from signpath_ci.errors import SignPathError
from signpath_ci.model import Account, Artifact, Failure, Origin, RequestStatus, SignedFileDigests, Submission, Verdict
from signpath_ci.report import Reporter
from signpath_ci.values import dataclass


class Record(Reporter):
    """Remembers what it hears.

    Attributes:
        project: the project in SignPath, where known.
        policy: the signing policy, where known.
        origin: of this build, where known.
        unsigned: the file to sign, once it was read.
        submission: the request, once there is one.
        status: where it stood last.
        waited: seconds that it was waited for.
        signed: the signed file, once it has come.
        verdicts: of the signed file, once it was verified; where it failed, of what failed first.
        account: of all files of the delivery, once it was verified.
        signed_files: the signed files with their digests, once they are in place.
        outputs: where the signed files lie, once the run is a success.
        outcomes: of each file, where several are signed at the same time; `None` elsewhere.
    """

    def __init__(self) -> None:
        self.project: str | None = None
        self.policy: str | None = None
        self.origin: Origin | None = None
        self.configuration_sha256: str | None = None
        self.unsigned: Artifact | None = None
        self.submission: Submission | None = None
        self.status: RequestStatus | None = None
        self.waited: float | None = None
        self.signed: Artifact | None = None
        self.signed_files: tuple[SignedFileDigests, ...] = ()
        self.verdicts: tuple[Verdict | Failure, ...] = ()
        self.account: Account | None = None
        self.outputs: tuple[Path, ...] = ()
        self.outcomes: tuple[FileOutcome, ...] | None = None

    @property
    def web_link(self) -> str | None:
        """The request's page for people, where any answer named one."""
        links = (answer.web_link for answer in (self.status, self.submission) if answer)
        return next((link for link in links if link), None)

    @property
    def is_signed(self) -> bool:
        """Whether what was to be signed is, of a run that is a success: a request may not have been waited for."""
        if self.outcomes is not None:
            return all(outcome.record.is_signed for outcome in self.outcomes)
        return bool(self.outputs) or (self.status is not None and self.status.is_completed)

    def planned(
        self, *, project: str | None, policy: str, origin: Origin | None, configuration_sha256: str | None = None
    ) -> None:
        self.project, self.policy, self.origin = project, policy, origin
        self.configuration_sha256 = configuration_sha256

    def artifact_read(self, artifact: Artifact) -> None:
        self.unsigned = artifact

    def submitted(self, submission: Submission) -> None:
        self.submission = submission

    def status_changed(self, status: RequestStatus, waited: float) -> None:
        self.status, self.waited = status, waited

    def still_waiting(self, waited: float) -> None:
        self.waited = waited

    def downloaded(self, artifact: Artifact) -> None:
        self.signed = artifact

    def verified(self, verdicts: tuple[Verdict, ...]) -> None:
        self.verdicts = verdicts

    def accounted(self, account: Account) -> None:
        self.account = account

    def rejected(self, verdicts: tuple[Verdict | Failure, ...]) -> None:
        self.verdicts = verdicts

    def several(self, outcomes: tuple[FileOutcome, ...]) -> None:
        self.outcomes = outcomes

    def described(self, files: tuple[SignedFileDigests, ...]) -> None:
        self.signed_files = files

    def completed(self, outputs: tuple[Path, ...]) -> None:
        self.outputs = outputs


@dataclass(frozen=True, kw_only=True)
class FileOutcome:
    """What became of one of several files.

    Attributes:
        path: the file.
        record: how far it came.
        output: where the signed file lies; `None` where there is none.
        error: why it failed; `None` where it did not.
    """

    path: Path
    record: Record
    output: Path | None = None
    error: SignPathError | None = None
