"""The things of the field, as frozen values: no I/O, no behaviour beyond their own data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from signpath_ci.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime


WAITS_FOR_UPLOAD = "WaitingForArtifactUpload"
"""The `status` of a request that was announced, and does not have its artifact: it is not signed before it has."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file as it was when it was hashed.

    Attributes:
        path: where it lies; just its name where it lies elsewhere.
        size: in bytes; `None` where it lies elsewhere and nobody said it.
        sha256: of its bytes, in lower-case hex.
    """

    path: Path
    size: int | None
    sha256: str


@dataclass(frozen=True, kw_only=True)
class SignedFileDigests:
    """A signed file as it is published.

    Attributes:
        path: where it lies.
        size: in bytes.
        sha256: of its bytes, in lower-case hex.
        sha512: the same.
        unsigned_size: that of the unsigned file; `None` where it is not known.
        unsigned: its digests in lower-case hex, by the name of the algorithm: those that something else may hold.
    """

    path: Path
    size: int
    sha256: str
    sha512: str
    unsigned_size: int | None = None
    unsigned: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RetrievalLink:
    """Where SignPath fetches an artifact from, instead of being sent it (wire contract, "Submit").

    Attributes:
        url: may itself be a secret, as one that is signed for a while.
        file_name: without a directory.
        headers: name and value of those that SignPath sends along; secret.
    """

    url: str = field(repr=False)
    file_name: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class SigningRequestFields:
    """What a submit says besides the artifact (wire contract, "Fields of every submit").

    Attributes:
        project_slug: the project in SignPath.
        signing_policy_slug: which certificate, under which rules.
        artifact_configuration_slug: how the file is to be signed; `None`: the project's default.
        artifact_configuration_sha256: of its copy in the checkout, in lower-case hex; not sent. `None`: there is none.
        description: free text, shown to approvers; `None`: none.
        parameters: user-defined parameters by name.
        origin: `origin.*` fields by their name on the wire, only from a trusted build system.
        build_settings_file: the pipeline's definition, sent as `origin.buildData.buildSettingsFile`.
    """

    project_slug: str
    signing_policy_slug: str
    artifact_configuration_slug: str | None = None
    artifact_configuration_sha256: str | None = None
    description: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)
    build_settings_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What a successful submit answers: the request's id and the page for people.

    Attributes:
        signing_request_id: of the new request.
        web_link: the page for people; `None` where the server does not say it.
        signed_artifact_url: where a program with the token finds the signed file once the request is completed.
    """

    signing_request_id: str
    web_link: str | None
    signed_artifact_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class RequestStatus:
    """Where a signing request stands (wire contract, "Follow").

    Attributes:
        status: `InProgress`, `WaitingForApproval`, `Completed`, ...; new ones may come.
        workflow_status: the finer `workflowStatus`; `None` where the server does not say it.
        is_final: nothing will change any more. Only `status == "Completed"` is a success.
        web_link: the page for people; `None` where the server does not say it.
        is_artifact_fetched: SignPath has fetched the artifact from the CI system; `None` but from connectors.
    """

    signing_request_id: str
    status: str
    workflow_status: str | None
    is_final: bool
    web_link: str | None = None
    is_artifact_fetched: bool | None = None

    @property
    def is_completed(self) -> bool:
        """Whether the signed artifact is there."""
        return self.is_final and self.status == "Completed"


STRONG_DIGESTS = ("sha256", "sha384", "sha512")
"""The digest algorithms that a signature can rely on; collisions of MD5 and SHA-1 can be made."""


@dataclass(frozen=True, kw_only=True)
class FileRule:
    """What the user says about the files that a pattern matches.

    Attributes:
        pattern: a path, or its last part, with `*`, `?` and `[...]`; `container!/path` names a file in a container.
        reason: why; shown in the account.
        owner: who answers for it.
        expires: the last day on which it applies; `None`: it does not end.
    """

    pattern: str
    reason: str = ""
    owner: str = ""
    expires: date | None = None


@dataclass(frozen=True, kw_only=True)
class FileRules:
    """The user's rules about single files of a delivery.

    Attributes:
        unchanged: files that come back byte for byte, whoever signed them or nobody.
        must_be_signed: files that come back signed, whatever their kind.
        must_not_be_signed: files that come back without a signature.
        allow_unsupported: files that may stay unverified where their format, or their signature's, is not supported.
        denied_signers: texts in a signer's subject, or thumbprints (SHA-256, lower-case hex), that no signature of any
            file may have.
        is_strict: a rule that matches nothing is an error, not a warning.
    """

    unchanged: tuple[FileRule, ...] = ()
    must_be_signed: tuple[FileRule, ...] = ()
    must_not_be_signed: tuple[FileRule, ...] = ()
    allow_unsupported: tuple[FileRule, ...] = ()
    denied_signers: tuple[str, ...] = ()
    is_strict: bool = False


@dataclass(frozen=True, kw_only=True)
class SizeAllowance:
    """By how much a signed file may be larger than the submitted one.

    Attributes:
        size: in bytes.
        percent: of the submitted file's size.
    """

    size: int = 64 * 1024**2
    percent: float = 100.0

    def limit(self, submitted: int) -> int:
        """Return the largest size in bytes of a signed file, by that of the submitted one."""
        return submitted + self.size + int(submitted * self.percent / 100)


@dataclass(frozen=True, kw_only=True)
class Expectations:
    """What a signature must fulfil beyond being intact.

    Attributes:
        trust_roots: PEM files with the root certificates to trust.
        thumbprints: SHA-256 of signers' certificates to trust, lower-case hex.
        stated_by: the signing policy whose certificate SignPath states the thumbprints to be; empty: they are the
            user's own.
        subject: a text that the signer's subject must contain; a condition, never trust by itself.
        issuer: a text that the name of the certificate's issuer must contain, likewise.
        signer_certificate: PEM file with the certificate of a raw signature, which has none inside, and behind it
            those of its issuers.
        strict: trust and a timestamp are required of every signature.
        digest_algorithms: those that a signature may use, of `STRONG_DIGESTS`.
        rules: the user's, about single files.
    """

    trust_roots: tuple[Path, ...] = ()
    thumbprints: frozenset[str] = frozenset()
    stated_by: str = ""
    subject: str | None = None
    issuer: str | None = None
    signer_certificate: Path | None = None
    strict: bool = False
    digest_algorithms: frozenset[str] = frozenset(STRONG_DIGESTS)
    rules: FileRules = FileRules()


@dataclass(frozen=True, kw_only=True)
class SignerCertificate:
    """Who signed: names as RFC 4514 strings, the certificate's SHA-256 in lower-case hex, its validity in UTC."""

    subject: str
    issuer: str
    thumbprint: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, kw_only=True)
class Timestamp:
    """When the signature existed, and which authority says so (RFC 3161)."""

    time: datetime
    authority: str


TrustKind = Literal["root", "thumbprint", "pinned-self-signed", "stated", "not-checked"]
"""What makes a signer trusted, if anything does; see `Verdict`."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A file whose signature is intact, and passed every check.

    Attributes:
        path: the file on disk.
        member: its name inside `path` where that is a container, else `None`.
        format: `pe`, `powershell`, `msi`, `cab`, `jar`, `cms` or `raw`.
        signer: the signer's certificate.
        timestamp: `None` where the signature has none.
        digest_algorithm: of the content, e.g. `sha256`.
        content_digest: what the signature covers, lower-case hex.
        identity: `same` where the content was compared with the submitted file's, else `not-checked`.
        trust: `root` or `thumbprint`, whichever the signer was trusted by; `pinned-self-signed` where the thumbprint is
            that of a self-signed test certificate, which is not trust; `stated` where SignPath itself named the
            signer's certificate; `not-checked` where nothing was expected.
        stated_by: the signing policy whose certificate it is, where `trust` is `stated`; empty elsewhere.
        notes: what is unusual about the signature and yet no failure, e.g. a weak signature beside it.
    """

    path: Path
    member: str | None = None
    format: str
    signer: SignerCertificate
    timestamp: Timestamp | None
    digest_algorithm: str
    content_digest: str
    identity: Literal["same", "not-checked"]
    trust: TrustKind
    stated_by: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A file that failed a check, or that can't be verified.

    Attributes:
        path: the file on disk.
        member: its name inside `path` where that is a container, else `None`.
        format: as in `Verdict.format`, or `zip`; `None` where it is unknown, or none that can be verified.
        check: what failed, as a sentence.
        code: what failed, one of `error_codes.CODES`.
    """

    path: Path
    member: str | None = None
    format: str | None
    check: str
    code: str


Outcome = Literal["signed", "unchanged", "added", "allowed", "not-compared", "failed"]
"""What the account says about a file; `FileOutcome` explains each."""


@dataclass(frozen=True, kw_only=True)
class FileOutcome:
    """One file of a delivery, with its one outcome.

    Attributes:
        path: the delivery on disk.
        member: the file's name inside `path` where that is a container, else `None`.
        format: what the file is, as in `formats.registry`; `None`: of no known format.
        outcome: `signed`: its signature passed every check, and its content is what was submitted, as far as that is at
            hand; `unchanged`: byte for byte what was submitted; `added`: a verified signature that belongs to another
            file; `allowed`: it can't be verified, and a rule of the user lets it through; `not-compared`: nothing has
            to sign it, and there is no submitted file to compare it with; `failed`: `check` says why.
        verdicts: of its signatures; nothing but for `signed` and `added`.
        signed_by: the certificate subject of who signed an unchanged file; intact, but not put under the user's rules.
        note: what else a reader should know, e.g. that an unchanged script carries no signature; may be empty.
        is_warning: whether the note is about something that is probably not meant.
        check: what failed, as a sentence; empty where nothing did.
        code: what failed, one of `error_codes.CODES`; empty where nothing did.
        hint: what to do about it; may be empty.
        is_unsupported: it failed because it can't be verified here.
    """

    path: Path
    member: str | None = None
    format: str | None
    outcome: Outcome
    verdicts: tuple[Verdict, ...] = ()
    signed_by: str = ""
    note: str = ""
    is_warning: bool = False
    check: str = ""
    code: str = ""
    hint: str = ""
    is_unsupported: bool = False


@dataclass(frozen=True, kw_only=True)
class Account:
    """Every file of a delivery, in the order of the containers.

    Attributes:
        path: the delivery, as people know it.
        files: each file with its outcome; plain ZIP archives are not listed, but what is in them is.
        is_compared: whether the submitted file was at hand.
        warnings: about the delivery as a whole, such as a rule that matches no file.
    """

    path: Path
    files: tuple[FileOutcome, ...]
    is_compared: bool
    warnings: tuple[str, ...] = ()

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts of all signatures."""
        return tuple(verdict for file in self.files for verdict in file.verdicts)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The checks that failed."""
        return tuple(
            Failure(path=file.path, member=file.member, format=file.format, check=file.check, code=file.code)
            for file in self.failed
        )

    @property
    def failed(self) -> tuple[FileOutcome, ...]:
        """The files that failed."""
        return tuple(file for file in self.files if file.outcome == "failed")

    def count(self, outcome: Outcome) -> int:
        """Return how many files have an outcome."""
        return sum(file.outcome == outcome for file in self.files)


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """The pull or merge request that a build belongs to; `None` stands for what the platform does not say.

    Attributes:
        number: as people write it (`#17`, `!17`).
        source_branch: short name of the branch that is to be merged.
        target_branch: short name of the branch that it is to be merged into.
        head_commit: tip of the source branch, as against `Origin.commit`, which may be a merge of both.
        is_fork: the source branch lies in another repository.
        source_repository_url: the repository of the source branch, without user info.
    """

    number: int | None = None
    source_branch: str | None = None
    target_branch: str | None = None
    head_commit: str | None = None
    is_fork: bool | None = None
    source_repository_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Which repository, commit and build this is; `None` stands for what is unknown or does not apply.

    Attributes:
        platform: whose variables said so; `local` for a checkout on no known platform.
        repository_url: without user info; ssh remotes as they are.
        branch: short name; never a tag, never a pull request's target, `None` on a pull request from a fork.
        tag: short name, on tag builds only.
        commit: what was built, lower-case hex; a changeset or revision where `scm` is not `git`.
        build_url: the page for people.
        scm: `git`, `tfvc` or `svn`.
        is_pull_request: the build was started for a pull or merge request.
        pull_request: which one.
        actor: who started it.
        run_id: the platform's id of the run.
        run_attempt: 1 for the first.
        workflow: name of the workflow, pipeline or definition.
        detached: `HEAD` of the checkout is on no branch.
        dirty: a tracked file of the checkout differs from the commit.
        shallow: the checkout's history is cut off.
        version: of what was built.
    """

    platform: str
    repository_url: str | None = None
    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    build_url: str | None = None
    scm: str | None = None
    is_pull_request: bool = False
    pull_request: PullRequest | None = None
    actor: str | None = None
    run_id: str | None = None
    run_attempt: int | None = None
    workflow: str | None = None
    detached: bool | None = None
    dirty: bool | None = None
    shallow: bool | None = None
    version: str | None = None


@dataclass(frozen=True, kw_only=True)
class RecordedOrigin:
    """The `origin` of a whole signing request (wire contract, "Follow"); `None` where the server is silent.

    Attributes:
        repository_url: `repositoryData.url`.
        branch: `repositoryData.branchName`.
        commit: `repositoryData.commitId`.
        scm: `repositoryData.sourceControlManagementType`.
        build_url: `buildData.url`.
        build_settings_file_name: `buildData.buildSettingsFile.fileName`.
    """

    repository_url: str | None = None
    branch: str | None = None
    commit: str | None = None
    scm: str | None = None
    build_url: str | None = None
    build_settings_file_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class SigningRequest:
    """The whole signing request (wire contract, "Follow"); `None` where the server is silent.

    Attributes:
        state: where it stands, with its id and the page for people.
        description: as it was submitted.
        project_slug: the project in SignPath.
        signing_policy_slug: the signing policy.
        artifact_configuration_slug: how the file is signed.
        parameters: user-defined parameters by name.
        origin: what SignPath recorded; `None` where the request has no origin.
    """

    state: RequestStatus
    description: str | None
    project_slug: str | None
    signing_policy_slug: str | None
    artifact_configuration_slug: str | None
    parameters: Mapping[str, str]
    origin: RecordedOrigin | None
