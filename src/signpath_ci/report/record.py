"""What is known of a run so far."""

from __future__ import annotations

from pathlib import Path

from signpath_ci.model import Artifact, Origin, RequestStatus, Submission, Verdict
from signpath_ci.report import Reporter


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
        verdicts: of the signed file, once it was verified.
        output: where the signed file or files lie, once the run is a success.
    """

    def __init__(self) -> None:
        self.project: str | None = None
        self.policy: str | None = None
        self.origin: Origin | None = None
        self.unsigned: Artifact | None = None
        self.submission: Submission | None = None
        self.status: RequestStatus | None = None
        self.waited: float | None = None
        self.signed: Artifact | None = None
        self.verdicts: tuple[Verdict, ...] = ()
        self.output: Path | None = None

    @property
    def web_link(self) -> str | None:
        """The request's page for people, where any answer named one."""
        links = (answer.web_link for answer in (self.status, self.submission) if answer)
        return next((link for link in links if link), None)

    def planned(self, *, project: str | None, policy: str, origin: Origin | None) -> None:
        self.project, self.policy, self.origin = project, policy, origin

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

    def completed(self, output: Path | None) -> None:
        self.output = output
