"""The one table of options: every option of every command stands here once, with all that is known about it.

Each class is the validated, frozen result that a room gets; a command's settings are the classes that it inherits.
The command line (`cli`), the environment and the README's table read these fields through `options`.
"""

from __future__ import annotations

import math
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from signpath_ci.options import HiddenValueError, Option, Secret, load, option, options

__all__ = [
    "Common",
    "DemoSettings",
    "Option",
    "OriginSettings",
    "SandboxSettings",
    "Secret",
    "SignSettings",
    "VerifySettings",
    "load",
    "options",
]

_SECONDS_PER_UNIT = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text: str) -> float:
    """Return the seconds of `600`, `0.5`, `90s`, `10m`, `8h` or `1d`."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([smhd]?)", text.strip(), re.ASCII)
    if match is None:
        raise ValueError("is no duration: write seconds (600) or a number with a unit (90s, 10m, 8h, 1d).")
    return float(match[1]) * _SECONDS_PER_UNIT[match[2]]


def positive_duration(text: str) -> float:
    """Return the seconds of a duration above zero."""
    seconds = duration(text)
    if not seconds > 0 or math.isinf(seconds):
        raise ValueError("must be more than zero.")
    return seconds


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        raise ValueError(
            "is no UUID: copy the organization id from SignPath's page of your organization, "
            "it looks like 12345678-90ab-cdef-1234-567890abcdef."
        ) from None


def _url(text: str) -> str:
    # What http is allowed for is the transport's business; here it only has to be a URL of that family.
    try:
        parts = urlsplit(text.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", text.strip()):
        raise ValueError("is no http(s) URL.")
    if parts.username or parts.password:
        raise HiddenValueError("holds a user name or password: tokens go into their own variables.")
    return text.strip().rstrip("/")


def _token(text: str) -> Secret:
    stripped = text.strip()
    if not stripped:
        raise ValueError("is empty: set it to the token that SignPath shows when it is made.")
    if not re.fullmatch(r"[\x21-\x7e]+", stripped):
        raise ValueError("holds white space, line breaks or non-ASCII characters: a token is one line without blanks.")
    return Secret(stripped)


def _thumbprint(text: str) -> str:
    plain = re.sub(r"[\s:]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", plain):
        raise ValueError("is no SHA-256 thumbprint: 64 hexadecimal digits.")
    return plain


def _port(text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text) or int(text) > 65535:  # noqa: PLR2004 - the last TCP port
        raise ValueError("is no port: 0 (a free one) to 65535.")
    return int(text)


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every command takes."""

    json: bool = option("Print one JSON object on standard output.", flag=True, default="false")
    log_level: str = option(
        "How much is logged on standard error.",
        choices=("debug", "info", "warning", "error"),
        default="info",
        metavar="LEVEL",
    )


@dataclass(frozen=True, kw_only=True)
class Service:
    """Where SignPath is, who asks, and how patiently."""

    api_url: str = option(
        "SignPath's REST API; another one for self-hosted systems and the sandbox.",
        parse=_url,
        default="https://app.signpath.io/Api",
        metavar="URL",
    )
    api_token: Secret = option(
        "Reads the API token of the CI user from a file. Never an argument: process lists show arguments.",
        parse=_token,
        secret=True,
        metavar="FILE",
    )
    organization_id: str = option("The organization's id, a UUID.", parse=_uuid, metavar="UUID")
    connect_timeout: float = option(
        "The longest time to wait for a connection.", parse=positive_duration, default="30", metavar="DURATION"
    )
    stall_timeout: float = option(
        "The longest time without a single byte in an upload or download; their whole length has no limit.",
        parse=positive_duration,
        default="60",
        metavar="DURATION",
    )
    service_unavailable_timeout: float = option(
        "The longest time for one call, across its retries, while SignPath can't be reached.",
        parse=positive_duration,
        default="600",
        metavar="DURATION",
    )


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be signed, and under which rules."""

    project_slug: str = option("The project in SignPath.", metavar="SLUG")
    signing_policy_slug: str = option("The signing policy.", metavar="SLUG")
    artifact_configuration_slug: str | None = option(
        "The artifact configuration; without it the project's default.", default=None, metavar="SLUG"
    )


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How long to wait for the signature."""

    wait_for_completion_timeout: float = option(
        "The longest time to wait until the request is final.",
        parse=positive_duration,
        default="600",
        metavar="DURATION",
    )
    wait_for_completion: bool = option(
        "Wait, download and verify; without it the run ends when SignPath has the file.", flag=True, default="true"
    )


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Whose signature is accepted."""

    trust_root: tuple[Path, ...] = option(
        "A PEM file with root certificates that the signer's chain must lead to. Can be repeated.",
        parse=Path,
        many=True,
        metavar="PEM",
    )
    thumbprint: tuple[str, ...] = option(
        "The SHA-256 thumbprint of an accepted signer's certificate. Can be repeated.",
        parse=_thumbprint,
        many=True,
        metavar="SHA256",
    )
    subject: str | None = option("A text that the signer's subject must contain.", default=None)


@dataclass(frozen=True, kw_only=True)
class Build:
    """What is known of the build."""

    build_version: str | None = option(
        "The version that is built; without it the tag's, or what `git describe` says.", default=None
    )


@dataclass(frozen=True, kw_only=True)
class Metadata(Build):
    """What goes along with the request; placeholders such as {version} are replaced."""

    description: str | None = option(
        "The request's description; without it version, branch or tag, commit and build number.", default=None
    )
    parameter: tuple[str, ...] = option("A user-defined parameter, NAME=VALUE. Can be repeated.", many=True)
    parameters: str | None = option('User-defined parameters, one a line: `name: "value"`.', default=None)


@dataclass(frozen=True, kw_only=True)
class OriginTrust:
    """How it is verified where the file comes from."""

    trusted_build_system_token: Secret | None = option(
        "Reads the token of a trusted build system from a file; with it the origin is sent along.",
        parse=_token,
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
    verify_origin: bool = option(
        "Compare the origin that SignPath recorded with this build's, and fail where they differ.",
        flag=True,
        default="false",
    )


@dataclass(frozen=True, kw_only=True)
class Connector:
    """The connector way, where SignPath asks the CI system itself for artifact and origin."""

    connector_url: str | None = option(
        "The connector's base URL; only the connector is contacted then.", parse=_url, default=None, metavar="URL"
    )
    github_artifact_id: str | None = option(
        "GitHub: the id of the uploaded artifact, an output of actions/upload-artifact.", default=None, metavar="ID"
    )
    github_token: Secret | None = option(
        "GitHub: reads the job's token from a file; it needs actions: read and contents: read.",
        parse=_token,
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
        parse=_token,
        secret=True,
        default=None,
        metavar="FILE",
    )
    azure_devops_artifact_name: str | None = option(
        "Azure: the name of the published pipeline artifact.", default=None, metavar="NAME"
    )
    azure_devops_token: Secret | None = option(
        "Azure: reads System.AccessToken from a file.", parse=_token, secret=True, default=None, metavar="FILE"
    )
    output_artifact_directory: Path | None = option(
        "Where the signed artifact is extracted; without it nothing is downloaded.",
        parse=Path,
        default=None,
        metavar="DIR",
    )
    skip_decompress: bool = option(
        "Save the signed artifact as the connector sends it, under the name that it gives.", flag=True, default="false"
    )


@dataclass(frozen=True, kw_only=True)
class SignSettings(Request, Metadata, Service, Waiting, Trust, OriginTrust, Connector, Common):
    """Settings of `sign`."""

    artifact: Path | None = option(
        "The file to sign; not with a connector.", parse=Path, positional=True, default=None, metavar="FILE"
    )
    output: Path | None = option(
        "Where the signed file goes; without it beside FILE, with `.signed` before the extension.",
        parse=Path,
        default=None,
        short="-o",
        metavar="OUT",
    )
    force: bool = option("Replace the output where it exists.", flag=True, default="false")
    verify: str = option(
        "What is demanded of the signed file: `signed` an intact signature of the submitted file, `off` nothing.",
        choices=("signed", "off"),
        default="signed",
        metavar="LEVEL",
    )


@dataclass(frozen=True, kw_only=True)
class VerifySettings(Trust, Common):
    """Settings of `verify`."""

    artifact: Path = option("The signed file.", parse=Path, positional=True, metavar="FILE")
    unsigned: Path | None = option(
        "The file that was submitted: the signed one must be the same but for its signature.",
        parse=Path,
        default=None,
        metavar="FILE",
    )


@dataclass(frozen=True, kw_only=True)
class OriginSettings(Build, Common):
    """Settings of `origin`."""


@dataclass(frozen=True, kw_only=True)
class SandboxServer:
    """How the embedded SignPath is run."""

    state: Path | None = option(
        "Where the sandbox keeps everything; without it in a temporary directory that is removed at the end.",
        parse=Path,
        default=None,
        variable="SIGNPATH_SANDBOX_STATE",
        metavar="DIR",
    )


@dataclass(frozen=True, kw_only=True)
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
    port: int = option(
        "The port to listen on; 0 takes a free one.",
        parse=_port,
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


@dataclass(frozen=True, kw_only=True)
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
