"""The one table of options: every option of every command stands here once, with all that is known about it.

Each class is the validated, frozen result that a package gets; a command's settings are the classes that it inherits.
The command line (`cli`), the environment and the README's table read these fields through `options`.
"""

from __future__ import annotations

from pathlib import Path

from signpath_ci.settings.declaration import Explained, Option, Secret, Settings, load, option, options
from signpath_ci.settings.option_groups import (
    ArtifactConfigurationChoice,
    Build,
    Common,
    Connector,
    Described,
    Earlier,
    EarlierRetrieval,
    Interruption,
    Libraries,
    Manifest,
    MayWait,
    Metadata,
    MissingToken,
    OriginComparison,
    OriginTrust,
    Parameters,
    Receipts,
    RemoteArtifact,
    Request,
    Retrieval,
    SandboxServer,
    Selection,
    Service,
    StaleMetadata,
    Trust,
    Waiting,
)
from signpath_ci.settings.parsers import (
    duration,
    git_ref,
    policy_slug,
    tcp_port,
)

__all__ = [
    "ArtifactConfigurationChoice",
    "Build",
    "CheckSettings",
    "Common",
    "ConfigSettings",
    "Connector",
    "DemoSettings",
    "Described",
    "DownloadSettings",
    "DraftSettings",
    "Earlier",
    "EarlierRetrieval",
    "FinishSettings",
    "Interruption",
    "Libraries",
    "Manifest",
    "MayWait",
    "Metadata",
    "MissingToken",
    "Option",
    "OriginComparison",
    "OriginSettings",
    "OriginTrust",
    "Parameters",
    "PolicySettings",
    "PromoteSettings",
    "Receipts",
    "RemoteArtifact",
    "Request",
    "RequestSettings",
    "ResubmitSettings",
    "Retrieval",
    "SandboxServer",
    "SandboxSettings",
    "Secret",
    "Selection",
    "Service",
    "Settings",
    "SignSettings",
    "SkipSettings",
    "StaleMetadata",
    "SubmitSettings",
    "Trust",
    "VerifySettings",
    "WaitSettings",
    "Waiting",
    "load",
    "options",
]


class Submitting(Request, ArtifactConfigurationChoice, RemoteArtifact, Metadata, Service, MissingToken, OriginTrust):
    """What a submit needs."""

    @property
    def depends_on_origin(self) -> bool:
        """Whether the build's origin is sent, compared or decides, so that one that can't be known is an error."""
        from signpath_ci.settings.policy_rules import are_rules  # here, as few commands need it

        return self.trusted_build_system_token is not None or are_rules(self.signing_policy_slug)


class SignSettings(
    Selection,
    Submitting,
    Retrieval,
    Receipts,
    MayWait,
    Interruption,
    Trust,
    Libraries,
    OriginComparison,
    Connector,
    Described,
    Common,
):
    """Settings of `sign`."""

    @property
    def depends_on_origin(self) -> bool:
        """As above; a connector submits for this build, too."""
        return super().depends_on_origin or self.verify_origin or self.connector_url is not None

    artifact: tuple[Path, ...] = option(
        "The file to sign; several, patterns and directories are signed at the same time. Directories and patterns do "
        "not stand for hidden files, receipts, rejected files and signed files of earlier runs. Not with a connector. "
        "Can be repeated.",
        parse=Path,
        many=True,
        positional=True,
        metavar="FILE",
    )
    in_place: bool = option(
        "Replace the files by the signed ones: all of them, or where one fails none.", flag=True, default="false"
    )
    bundle: bool = option(
        "Put all files into one ZIP and one request, and the signed files back to where they belong.",
        flag=True,
        default="false",
    )
    skip_signed: bool = option(
        "Leave out files that carry a signature already, as required of signed files. Needs a trusted signer: "
        "--trust-root or --thumbprint. Files with another publisher's signature are left out with a warning.",
        flag=True,
        default="false",
    )
    replace_signatures: bool = option(
        "With --skip-signed: sign files too that carry another publisher's signature, which is replaced.",
        flag=True,
        default="false",
    )


class SubmitSettings(Submitting, Receipts, Interruption, Common):
    """Settings of `submit`."""

    artifact: Path | None = option("The file to submit.", parse=Path, default=None, positional=True, metavar="FILE")


class WaitSettings(Earlier, Service, Waiting, Common):
    """Settings of `wait`."""


class ResubmitSettings(
    Earlier, EarlierRetrieval, Receipts, Service, MissingToken, MayWait, Interruption, Trust, Libraries, Common
):
    """Settings of `resubmit`."""

    signing_policy_slug: str = option(
        "The signing policy; or rules, of which the first that holds counts: `tag v*: release, *: test`.",
        parse=policy_slug,
        metavar="SLUG|RULES",
    )
    description: str | None = option("The new request's description.", default=None, variable="SIGNPATH_DESCRIPTION")


class PromoteSettings(Build, ResubmitSettings):
    """Settings of `promote`."""


class DownloadSettings(Earlier, EarlierRetrieval, Service, MissingToken, MayWait, Trust, Libraries, Common):
    """Settings of `download`."""


class RequestSettings(Earlier, Service, Common):
    """Settings of `status` and `cancel`."""


class VerifySettings(Selection, Trust, Libraries, Manifest, Common):
    """Settings of `verify`."""

    strict: bool = option("Require a trusted signer and a timestamp.", flag=True, default="false")
    artifact: tuple[Path, ...] = option(
        "The signed file; several, patterns and directories stand for files as with `sign`. Can be repeated.",
        parse=Path,
        many=True,
        positional=True,
        metavar="FILE",
    )
    unsigned: Path | None = option(
        "The file that was submitted: the signed one must be the same but for its signature.",
        parse=Path,
        default=None,
        metavar="FILE",
    )


class CheckSettings(Selection, ArtifactConfigurationChoice, Parameters, Manifest, Common):
    """Settings of `check`."""

    artifact: tuple[Path, ...] = option(
        "The file that would be submitted; patterns and directories stand for files, each checked by itself. "
        "Can be repeated.",
        parse=Path,
        many=True,
        positional=True,
        metavar="FILE",
    )
    bundle: bool = option(
        "Check all files as one ZIP, as `sign --bundle` and the artifacts of CI systems are.",
        flag=True,
        default="false",
    )


class FinishSettings(StaleMetadata, Common):
    """Settings of `finish`."""

    directory: Path = option(
        "The directory with the signed files, and what describes them.", parse=Path, positional=True, metavar="DIR"
    )
    unsigned: Path | None = option(
        "The unsigned files: a directory with the same paths below it, or the one file.",
        parse=Path,
        default=None,
        metavar="PATH",
    )
    result: Path | None = option(
        "What `sign --json` printed: it names the unsigned files' digests where the files are gone.",
        parse=Path,
        default=None,
        metavar="JSON",
    )


class DraftSettings(Common):
    """Settings of `draft`."""

    artifact: Path = option("A sample of what is going to be signed.", parse=Path, positional=True, metavar="FILE")


class ConfigSettings(Common):
    """Settings of `config`.

    Attributes:
        explained: every option of `sign`, with what it is and where that came from.
    """

    explained: tuple[Explained, ...]


class SkipSettings(MissingToken, Common):
    """Settings of what a command becomes without a token."""


class PolicySettings(Build, Manifest, Common):
    """Settings of `policy`."""

    signing_policy_slug: str = option(
        "The signing policy; or rules, of which the first that holds counts: `tag v*: release, *: test`.",
        parse=policy_slug,
        metavar="SLUG|RULES",
    )
    ref: str | None = option(
        "Ask for a build of this reference instead of this one: `refs/tags/v1.0`, `refs/heads/main` or "
        "`refs/pull/7/merge`.",
        parse=git_ref,
        default=None,
        variable="SIGNPATH_POLICY_REF",
        metavar="REF",
    )
    event: str | None = option(
        "With --ref: what starts that build, such as `schedule`.",
        default=None,
        variable="SIGNPATH_POLICY_EVENT",
        metavar="NAME",
    )


class OriginSettings(Build, Common):
    """Settings of `origin`."""


class SandboxSettings(SandboxServer, Common):
    """Settings of `sandbox`."""

    processing_seconds: float = option(
        "How long the sandbox takes for a request.",
        parse=duration,
        default="0.5",
        variable="SIGNPATH_SANDBOX_PROCESSING_SECONDS",
        metavar="SECONDS",
    )
    host: str = option(
        "The address to listen on.", default="127.0.0.1", variable="SIGNPATH_SANDBOX_HOST", metavar="ADDRESS"
    )
    allow_host: tuple[str, ...] = option(
        "A name or address by which the sandbox may be called, besides those of this machine's loopback. Can be "
        "repeated.",
        many=True,
        variable="SIGNPATH_SANDBOX_ALLOW_HOST",
        metavar="NAME",
    )
    port: int = option(
        "The port to listen on; 0 takes a free one.",
        parse=tcp_port,
        default="8765",
        variable="SIGNPATH_SANDBOX_PORT",
        metavar="PORT",
    )
    config: Path | None = option(
        "Organization, tokens, projects and policies as YAML; without it a built-in demo project.",
        parse=Path,
        default=None,
        variable="SIGNPATH_SANDBOX_CONFIG",
        metavar="FILE",
    )
    artifact_store: Path | None = option(
        "The CI systems' artifacts that connectors fetch; without it below the state directory.",
        parse=Path,
        default=None,
        variable="SIGNPATH_SANDBOX_ARTIFACT_STORE",
        metavar="DIR",
    )
    detach: bool = option(
        "Start the sandbox in the background, and say where it is once it is ready. It keeps everything in --state, or "
        "in the user's cache directory.",
        flag=True,
        default="false",
        variable="SIGNPATH_SANDBOX_DETACH",
    )
    stop: bool = option(
        "End the sandbox that was started with --detach; what it keeps stays.",
        flag=True,
        default="false",
        variable="SIGNPATH_SANDBOX_STOP",
    )
    open: bool = option(
        "Show the sandbox's pages in this machine's browser.",
        flag=True,
        default="false",
        variable="SIGNPATH_SANDBOX_OPEN",
    )
    server_version: str | None = option(
        "The version of SignPath to play, such as 1.190; without it the newest one that is known.",
        default=None,
        variable="SIGNPATH_SANDBOX_SERVER_VERSION",
        metavar="VERSION",
    )


class DemoSettings(SandboxServer, Common):
    """Settings of `demo`."""

    artifact: Path | None = option(
        "A PE file to sign; without it a launcher that a Python package ships.",
        parse=Path,
        positional=True,
        default=None,
        variable="SIGNPATH_DEMO_ARTIFACT",
        metavar="FILE",
    )
    output_directory: Path = option(
        "Where the unsigned file, the signed file and the sandbox's root certificate go.",
        parse=Path,
        default="signpath-demo",
        variable="SIGNPATH_DEMO_OUTPUT_DIRECTORY",
        metavar="DIR",
    )
    processing_seconds: float = option(
        "How long the sandbox takes for a request.",
        parse=duration,
        default="3",
        variable="SIGNPATH_DEMO_PROCESSING_SECONDS",
        metavar="SECONDS",
    )
