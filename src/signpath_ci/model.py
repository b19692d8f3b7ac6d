"""The things of the field, as frozen values: no I/O, no behaviour beyond their own data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file as it was when it was hashed.

    Attributes:
        path: where it lies.
        size: in bytes.
        sha256: of its bytes, in lower-case hex.
    """

    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class SigningRequestFields:
    """What a submit says besides the artifact (wire contract, section 1, "Fields of every submit").

    Attributes:
        project_slug: the project in SignPath.
        signing_policy_slug: which certificate, under which rules.
        artifact_configuration_slug: how the file is to be signed; `None`: the project's default.
        description: free text, shown to approvers; `None`: none.
        parameters: user-defined parameters by name.
        origin: `origin.*` fields by their name on the wire, only from a trusted build system.
        build_settings_file: the pipeline's definition, sent as `origin.buildData.buildSettingsFile`.
    """

    project_slug: str
    signing_policy_slug: str
    artifact_configuration_slug: str | None = None
    description: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)
    build_settings_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What a successful submit answers: the request's id and the page for people."""

    signing_request_id: str
    web_link: str | None


@dataclass(frozen=True, kw_only=True)
class RequestStatus:
    """Where a signing request stands (wire contract, section 1, "Follow").

    Attributes:
        status: `InProgress`, `WaitingForApproval`, `Completed`, ...; new ones may come.
        workflow_status: the finer `workflowStatus`; `None` where the server does not say it.
        is_final: nothing will change any more. Only `status == "Completed"` is a success.
        web_link: the page for people; `None` where the server does not say it.
    """

    signing_request_id: str
    status: str
    workflow_status: str | None
    is_final: bool
    web_link: str | None = None

    @property
    def is_completed(self) -> bool:
        """Whether the signed artifact is there."""
        return self.is_final and self.status == "Completed"


@dataclass(frozen=True, kw_only=True)
class Expectations:
    """What a signature must fulfil beyond being intact.

    Attributes:
        trust_roots: PEM files with the root certificates to trust.
        thumbprints: SHA-256 of signers' certificates to trust, lower-case hex.
        subject: a text that the signer's subject must contain; a condition, never trust by itself.
    """

    trust_roots: tuple[Path, ...] = ()
    thumbprints: frozenset[str] = frozenset()
    subject: str | None = None


@dataclass(frozen=True, kw_only=True)
class SignerCertificate:
    """Who signed: names as RFC 4514 strings, the certificate's SHA-256 in lower-case hex, its validity in UTC."""

    subject: str
    issuer: str
    thumbprint: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, kw_only=True)
class TimeStamp:
    """When the signature existed, and which authority says so (RFC 3161)."""

    time: datetime
    authority: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A file whose signature is intact; whatever is not raises instead.

    Attributes:
        path: the file on disk.
        member: its name inside `path` where that is a container, else `None`.
        format: `pe`, ...
        signer: the signer's certificate.
        time_stamp: `None` where the signature has none.
        digest_algorithm: of the content, e.g. `sha256`.
        content_digest: what the signature covers, lower-case hex.
        identity: `same` where the content was compared with the submitted file's, else `not-checked`.
        trust: `root` or `thumbprint`, whichever the signer was trusted by; `not-checked` where nothing was expected.
    """

    path: Path
    member: str | None = None
    format: str
    signer: SignerCertificate
    time_stamp: TimeStamp | None
    digest_algorithm: str
    content_digest: str
    identity: Literal["same", "not-checked"]
    trust: Literal["root", "thumbprint", "not-checked"]
