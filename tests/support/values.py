"""Values of the model for tests that need some, whichever."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from signpath_ci.clock import Clock
from signpath_ci.model import Artifact, Failure, RequestStatus, SignerCertificate, Submission, Timestamp, Verdict

REQUEST_ID = "11111111-2222-3333-4444-555555555555"
LINK = "https://signpath.example/requests/1"


def artifact(name: str = "app.exe", *, size: int = 1536, sha256: str = "ab" * 32) -> Artifact:
    return Artifact(path=Path(name), size=size, sha256=sha256)


def submission() -> Submission:
    return Submission(signing_request_id=REQUEST_ID, web_link=LINK)


def status(name: str = "InProgress", workflow: str | None = None, *, final: bool = False) -> RequestStatus:
    return RequestStatus(
        signing_request_id=REQUEST_ID, status=name, workflow_status=workflow, is_final=final, web_link=LINK
    )


def verdict(**changes: object) -> Verdict:
    said: dict[str, object] = {
        "path": Path("app.signed.exe"),
        "format": "pe",
        "signer": SignerCertificate(
            subject="CN=Acme",
            issuer="CN=Acme CA",
            thumbprint="cd" * 32,
            not_before=datetime(2026, 1, 1, tzinfo=timezone.utc),
            not_after=datetime(2027, 1, 1, tzinfo=timezone.utc),
        ),
        "timestamp": Timestamp(time=datetime(2026, 6, 1, 12, 30, 15, tzinfo=timezone.utc), authority="CN=TSA"),
        "digest_algorithm": "sha256",
        "content_digest": "ef" * 32,
        "identity": "same",
        "trust": "root",
        **changes,
    }
    return Verdict(**said)  # type: ignore[arg-type] # the keywords are Verdict's own


def failure(**changes: object) -> Failure:
    said: dict[str, object] = {
        "path": Path("app.signed.exe"),
        "format": "pe",
        "check": "the file is not signed.",
        "code": "not-signed",
        **changes,
    }
    return Failure(**said)  # type: ignore[arg-type] # the keywords are Failure's own


class FakeTime:
    """A clock whose time passes only where something sleeps, or a test says so."""

    def __init__(self, start: datetime = datetime(2026, 6, 1, 12, 0, 0, tzinfo=timezone.utc)) -> None:
        self._start = start
        self.seconds = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        from datetime import timedelta

        return Clock(
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            now=lambda: self._start + timedelta(seconds=self.seconds),
        )
