"""The options themselves, in the groups that `--help` and the documentation show; a command takes some of them."""

from __future__ import annotations

from pathlib import Path

from signpath_ci.model import STRONG_DIGESTS, FileRule, SizeAllowance
from signpath_ci.settings.declaration import Secret, Settings, option
from signpath_ci.settings.parsers import (
    Headers,
    byte_count,
    file_name,
    file_rule,
    http_url,
    organization_uuid,
    output_path,
    policy_slug,
    positive_duration,
    retrieval_url,
    sha256,
    size_allowance,
    token,
)


class Common(Settings):
    """What every command takes."""

    json: bool = option("Print one JSON object on standard output.", flag=True, default="false")
    log_level: str = option(
        "How much is logged on standard error.",
        choices=("debug", "info", "warning", "error"),
        default="info",
        metavar="LEVEL",
    )


class Manifest(Settings):
    """Where options stand that all CI systems share."""

    manifest: Path | None = option(
        "The manifest; without it `.signpath/signing.yml`, where there is one.",
        parse=Path,
        default=None,
        metavar="FILE",
    )
    trust_manifest: bool = option(
        "Use keys of the manifest that loosen what a run requires also where the checkout may be a stranger's, as that "
        "of a fork's pull request.",
        flag=True,
        default="false",
    )


class Service(Manifest):
    """Where SignPath is, who asks, and how patiently."""

    api_url: str = option(
        "SignPath's REST API; another one for self-hosted systems and the sandbox.",
        parse=http_url,
        default="https://app.signpath.io/Api",
        metavar="URL",
    )
    api_token: Secret = option(
        "Reads the API token of the CI user from a file. Never an argument: process lists show arguments.",
        parse=token,
        secret=True,
        metavar="FILE",
    )
    organization_id: str = option("The organization's id, a UUID.", parse=organization_uuid, metavar="UUID")
    client_certificate: Path | None = option(
        "For servers that want mutual TLS: a PEM file with a client certificate and its private key.",
        parse=Path,
        default=None,
        metavar="PEM",
    )
    insecure_host: tuple[str, ...] = option(
        "A host that may be called over plain http, with the token in the clear: for a sandbox in a network of its "
        "own. Can be repeated.",
        many=True,
        metavar="NAME",
    )
    connect_timeout: float = option(
        "The longest time to wait for a connection.", parse=positive_duration, default="30", metavar="DURATION"
    )
    stall_timeout: float = option(
        "The longest time without a single byte in an upload or download; their whole length has no limit.",
        parse=positive_duration,
        default="60",
        metavar="DURATION",
    )
    least_rate: float = option(
        "The bytes a second that a download must come with, on the average of each --stall-timeout; 0 for any.",
        parse=byte_count,
        default="1K",
        metavar="SIZE",
    )
    service_unavailable_timeout: float = option(
        "The longest time for one call, across its retries, while SignPath can't be reached.",
        parse=positive_duration,
        default="600",
        metavar="DURATION",
    )


class Request(Settings):
    """What is to be signed, and under which rules."""

    project_slug: str = option("The project in SignPath.", metavar="SLUG")
    signing_policy_slug: str = option(
        "The signing policy; or rules, of which the first that holds counts: `tag v*: release, *: test`.",
        parse=policy_slug,
        metavar="SLUG|RULES",
    )


class ArtifactConfigurationChoice(Settings):
    """How the file is signed."""

    artifact_configuration_slug: str | None = option(
        "The artifact configuration; without it the project's default.", default=None, metavar="SLUG"
    )
    artifact_configuration_file: Path | None = option(
        "A copy of its XML; without it the one of the slug below `.signpath/artifact-configurations`, or the default.",
        parse=Path,
        default=None,
        metavar="XML",
    )


class Selection(Settings):
    """Which files directories and patterns stand for."""

    exclude: tuple[str, ...] = option(
        "A pattern of files that no directory and no pattern stands for: of the path or the name. Can be repeated.",
        many=True,
        metavar="PATTERN",
    )


class RemoteArtifact(Settings):
    """A file that SignPath fetches by itself, for huge ones."""

    artifact_retrieval_url: str | None = option(
        "Where SignPath fetches the file, instead of being sent it. A file named besides gives name and SHA-256, and "
        "what comes back is compared with it.",
        parse=retrieval_url,
        default=None,
        metavar="URL",
    )
    artifact_retrieval_name: str | None = option(
        "The name of that file; without it that of the file here, or the last part of the URL.",
        parse=file_name,
        default=None,
        metavar="NAME",
    )
    artifact_retrieval_sha256: str | None = option(
        "Its SHA-256; needed where the file is not here.", parse=sha256, default=None, metavar="SHA256"
    )
    artifact_retrieval_headers: Headers | None = option(
        "Reads the headers, one a line, with which SignPath is to fetch it from a file.",
        parse=Headers.parse,
        secret=True,
        default=None,
        metavar="FILE",
    )


class MissingToken(Settings):
    """What happens where a build has no API token, such as that of a fork's pull request."""

    on_missing_token: str = option(
        "`fail`; or `skip`: nothing is signed, and the run is a success, with a warning. A tag's build fails even so.",
        choices=("fail", "skip"),
        default="fail",
        metavar="WHAT",
    )


class Retrieval(Settings):
    """Where the signed file goes, and what is required of it."""

    output: Path | None = option(
        "Where the signed file goes; without it beside the unsigned one, with `.signed` before the extension. A slash "
        "at the end means a directory, which is made.",
        parse=output_path,
        default=None,
        short="-o",
        metavar="OUT",
    )
    size_allowance: SizeAllowance = option(
        "By how much the signed file may be larger than the submitted one: a size, a share of it, or both.",
        parse=size_allowance,
        default="64M+100%",
        metavar="SIZE+SHARE",
    )
    force: bool = option("Replace the output where it exists.", flag=True, default="false")
    verify: str = option(
        "What is required of the signed file: `signed` an intact signature of the submitted file, by the root or "
        "thumbprint that is given, else by the certificate that SignPath states; `strict` a root or thumbprint, and a "
        "timestamp, in any case; `off` nothing.",
        choices=("signed", "strict", "off"),
        default="signed",
        metavar="LEVEL",
    )


class EarlierRetrieval(Retrieval):
    """The file of an earlier request."""

    unsigned: Path | None = option(
        "The file that was submitted: the signed one must be the same but for its signature.",
        parse=Path,
        default=None,
        metavar="FILE",
    )


class Earlier(Settings):
    """Which request of an earlier run."""

    signing_request_id: str = option(
        "The request: its id, or the receipt file that its run wrote.", positional=True, metavar="ID|RECEIPT"
    )


class Receipts(Settings):
    """How a later run goes on where this one ends."""

    receipt: Path | None = option(
        "The receipt of the request: written here; where it is here already and fits, its request is resumed "
        "instead of a new one.",
        parse=Path,
        default=None,
        metavar="FILE",
    )


class Waiting(Settings):
    """How long to wait for the signature."""

    wait_for_completion_timeout: float = option(
        "The longest time to wait until the request is final.",
        parse=positive_duration,
        default="600",
        metavar="DURATION",
    )
    cancel_after: float | None = option(
        "Cancel the request where it is not final after this time; without it the request outlives the waiting.",
        parse=positive_duration,
        default=None,
        metavar="DURATION",
    )


class Interruption(Settings):
    """What a canceled job leaves behind."""

    keep_on_interrupt: bool = option(
        "Keep the request that this run submitted when SIGINT or SIGTERM ends the run; else it is canceled.",
        flag=True,
        default="false",
    )


class MayWait(Waiting):
    """How long to wait for the signature."""

    wait_for_completion: bool = option(
        "Wait, download and verify; without it the run ends when SignPath has the file.", flag=True, default="true"
    )


class Trust(Settings):
    """Whose signature is accepted."""

    trust_root: tuple[Path, ...] = option(
        "A PEM file with root certificates that the signer's chain must lead to. Can be repeated.",
        parse=Path,
        many=True,
        metavar="PEM",
    )
    thumbprint: tuple[str, ...] = option(
        "The SHA-256 thumbprint of an accepted signer's certificate. Can be repeated.",
        parse=sha256,
        many=True,
        metavar="SHA256",
    )
    subject: str | None = option("A text that the signer's subject must contain.", default=None)
    issuer: str | None = option("A text that the issuer of the signer's certificate must contain.", default=None)
    signer_certificate: Path | None = option(
        "A PEM file with the certificate of a raw signature, which does not name its signer, and then of its issuers.",
        parse=Path,
        default=None,
        metavar="PEM",
    )
    digest_algorithm: tuple[str, ...] = option(
        "A digest algorithm that signatures may use; without it all of these. Can be repeated.",
        choices=STRONG_DIGESTS,
        many=True,
        metavar="NAME",
    )
    expect_unchanged: tuple[FileRule, ...] = option(
        "A pattern of files that must come back byte for byte, whoever signed them or nobody. Can be repeated.",
        parse=file_rule,
        many=True,
        metavar="PATTERN",
    )
    must_be_signed: tuple[FileRule, ...] = option(
        "A pattern of files that must be signed, whatever their kind. Can be repeated.",
        parse=file_rule,
        many=True,
        metavar="PATTERN",
    )
    must_not_be_signed: tuple[FileRule, ...] = option(
        "A pattern of files that must not carry a signature. Can be repeated.",
        parse=file_rule,
        many=True,
        metavar="PATTERN",
    )
    allow_unsupported: tuple[FileRule, ...] = option(
        "A pattern of files that may stay unverified where their format can't be verified. Can be repeated.",
        parse=file_rule,
        many=True,
        metavar="PATTERN",
    )
    deny_signer: tuple[str, ...] = option(
        "A text in a signer's subject, or a SHA-256 thumbprint, that no signature may have. Can be repeated.",
        many=True,
        metavar="SIGNER",
    )
    strict_rules: bool = option(
        "Fail where a rule about files, such as --expect-unchanged, matches no file.", flag=True, default="false"
    )


class Libraries(Settings):
    """Where the libraries of verification come from."""

    install_verify: bool = option(
        "Install what verification needs where it is missing, while the request is being signed.",
        flag=True,
        default="false",
    )
    verify_packages: Path | None = option(
        "A directory that holds the packages that verification needs.", parse=Path, default=None, metavar="DIR"
    )


class Build(Settings):
    """What is known of the build."""

    build_version: str | None = option(
        "The version that is built; without it the tag's, or what `git describe` says.", default=None
    )


class Parameters(Build):
    """User-defined parameters; placeholders such as {version} are replaced."""

    parameter: tuple[str, ...] = option("A user-defined parameter, NAME=VALUE. Can be repeated.", many=True)
    parameters: str | None = option('User-defined parameters, one a line: `name: "value"`.', default=None)


class Metadata(Parameters):
    """What goes along with the request; placeholders such as {version} are replaced."""

    description: str | None = option(
        "The request's description; without it version, branch or tag, commit and build number.", default=None
    )


class OriginTrust(Settings):
    """How it is verified where the file comes from."""

    trusted_build_system_token: Secret | None = option(
        "Reads the token of a trusted build system from a file; with it the origin is sent along.",
        parse=token,
        secret=True,
        default=None,
        metavar="FILE",
    )
    origin_branch: str | None = option(
        "The branch of a tag build; believed only where the checkout's history shows the commit on it.", default=None
    )
    allow_untrusted_origin: bool = option(
        "Send the origin even of a fork's pull request, a dirty tree, ...; the description says so.",
        flag=True,
        default="false",
    )


class OriginComparison(Settings):
    """How it is verified that SignPath recorded where the file comes from."""

    verify_origin: bool = option(
        "Compare the origin that SignPath recorded with this build's, and fail where they differ.",
        flag=True,
        default="false",
    )


class Connector(Settings):
    """The connector way, where SignPath asks the CI system itself for artifact and origin."""

    connector_url: str | None = option(
        "The connector's base URL; only the connector is contacted then.", parse=http_url, default=None, metavar="URL"
    )
    github_artifact_id: str | None = option(
        "GitHub: the id of the uploaded artifact, an output of actions/upload-artifact.", default=None, metavar="ID"
    )
    github_token: Secret | None = option(
        "GitHub: reads the job's token from a file; it needs actions: read and contents: read.",
        parse=token,
        secret=True,
        default=None,
        metavar="FILE",
    )
    gitlab_artifact_job_name: str | None = option(
        "GitLab: the job whose artifacts hold the file.", default=None, metavar="JOB"
    )
    gitlab_artifact_path: str | None = option(
        "GitLab: the file's path in the job's artifacts.", default=None, metavar="PATH"
    )
    gitlab_access_token: Secret | None = option(
        "GitLab: reads a project access token of scope read_api from a file.",
        parse=token,
        secret=True,
        default=None,
        metavar="FILE",
    )
    azure_devops_artifact_name: str | None = option(
        "Azure: the name of the published pipeline artifact.", default=None, metavar="NAME"
    )
    azure_devops_token: Secret | None = option(
        "Azure: reads System.AccessToken from a file.", parse=token, secret=True, default=None, metavar="FILE"
    )
    output_artifact_directory: Path | None = option(
        "Where the signed artifact is extracted; without it nothing is downloaded.",
        parse=Path,
        default=None,
        metavar="DIR",
    )
    clean: bool = option(
        "Delete all other files in that directory once the signed ones are there; else unsigned programs and packages "
        "in it that are not replaced are an error.",
        flag=True,
        default="false",
    )
    include_hidden_files: bool = option(
        "GitHub: the artifact holds hidden files, too; else programs and packages among them, which would stay "
        "unsigned, are an error.",
        flag=True,
        default="false",
    )
    unsigned: Path | None = option(
        "The file or directory that was published as the artifact, where it is here: what comes back must be the same "
        "but for signatures.",
        parse=Path,
        default=None,
        metavar="PATH",
    )
    compare: str = option(
        "`auto`: without --unsigned, the artifact is fetched from the CI system with the job's token before it is "
        "submitted, and what comes back must be the same but for signatures; `off`: it is not compared.",
        choices=("auto", "off"),
        default="auto",
        metavar="WHEN",
    )
    skip_decompress: bool = option(
        "Save the signed artifact as the connector sends it, under the name that it gives.", flag=True, default="false"
    )


class StaleMetadata(Settings):
    """What describes the signed files: checksums, update manifests, block maps, signatures beside them."""

    stale_metadata: str = option(
        "What happens where a file in the delivery, or beside it, still describes an unsigned file, as `latest.yml` or "
        "`SHA256SUMS` may: `warn`, `fail` or `ignore`.",
        choices=("warn", "fail", "ignore"),
        default="warn",
        metavar="WHAT",
    )


class Described(StaleMetadata):
    """What describes the signed files: checksums, update manifests, block maps, signatures beside them."""

    finish: bool = option(
        "Bring such files up to date, as far as their format is known (docs/finish.md); only in the directories of the "
        "signed files.",
        flag=True,
        default="false",
    )
    write_checksums: Path | None = option(
        "A new file that gets the SHA-256 of each signed file, for `sha256sum --check`.",
        parse=Path,
        default=None,
        metavar="FILE",
    )


class SandboxServer(Settings):
    """How the embedded SignPath is run."""

    state: Path | None = option(
        "Where the sandbox keeps everything; without it in a temporary directory that is removed at the end.",
        parse=Path,
        default=None,
        variable="SIGNPATH_SANDBOX_STATE",
        metavar="DIR",
    )
