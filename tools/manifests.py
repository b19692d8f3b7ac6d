"""The inputs of all plugins, from the one table of options (`settings`): names, defaults, descriptions, variables.

`inputs` says what a plugin's manifest has to offer. GitHub's manifests and the tables of its documentation are filled
from it by `make docs`; the others are compared with it by tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from signpath_ci.cli import COMMANDS
from signpath_ci.schema import load_schema
from signpath_ci.settings import Option, options

Platform = Literal["github", "gitlab", "azure"]

_NAMES = {
    "artifact": "artifact_path",
    "output": "output_artifact_path",
    "subject": "expected_subject",
    "wait_for_completion_timeout": "wait_for_completion_timeout_in_seconds",
    "service_unavailable_timeout": "service_unavailable_timeout_in_seconds",
    "stall_timeout": "download_signed_artifact_timeout_in_seconds",
}
"""Options that plugins call otherwise; as SignPath's own do, where these have them (wire contract, sections 2, 3)."""

_DEFAULTS = {
    ("github", "connector_url"): "https://pipelineconnector.connectors.signpath.io/GitHubActions/GitHubCom",
    ("github", "github_token"): "${{ github.token }}",
    ("gitlab", "connector_url"): "https://gitlab.connectors.signpath.io",
    ("github", "stall_timeout"): "300",
    ("gitlab", "stall_timeout"): "300",
    ("azure", "stall_timeout"): "300",
}
"""Defaults of SignPath's own plugins that are not the command line's."""

_DESCRIPTIONS = {
    "api_token": "The API token of the CI user.",
    "trusted_build_system_token": "The token of a trusted build system; with it the origin is sent along.",
    "github_token": "The job's token; it needs actions: read and contents: read.",
    "gitlab_access_token": "A project access token of scope read_api.",
    "azure_devops_token": "System.AccessToken.",
    "artifact_retrieval_headers": "The headers, one a line, with which SignPath is to fetch it; secret.",
}
"""The command line reads secrets from files, and says so; a plugin takes them as they are."""

_NEVER = frozenset({"json", "parameter", "connect_timeout", "install_verify", "verify_packages"})
"""No inputs: for programs; said by `parameters`; of no use where there is one network; what each plugin does by itself;
for machines without a network."""

_PIPELINES_OWN = frozenset({"api_url"})
"""The manifest lies in the checkout, which does not say where a plugin sends the pipeline's token."""

_ONE_PLATFORMS: dict[str, Platform] = {"include_hidden_files": "github"}
"""Options that are about one platform, and whose names do not say so: actions/upload-artifact has this one."""

_PREFIXES: dict[Platform, str] = {"github": "github_", "gitlab": "gitlab_", "azure": "azure_devops_"}


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input of a plugin.

    Attributes:
        name: as the platform writes names: `project-slug`, `project_slug`, `projectSlug`.
        option: the option's name in `settings`.
        variable: the environment variable that carries it to the core.
        description: for the people who write pipelines.
        default: `None` where it has none.
        required: whether nothing works without it.
        in_manifest: the manifest may say it instead: its default counts as not given.
        choices: the allowed texts, or nothing.
        is_flag: it is true or false.
        is_secret: it must never be shown.
    """

    name: str
    option: str
    variable: str
    description: str
    default: str | None
    required: bool
    in_manifest: bool
    choices: tuple[str, ...]
    is_flag: bool
    is_secret: bool

    @property
    def is_enforced(self) -> bool:
        """Whether the plugin's own manifest has to require it; what else is missing, the core names."""
        return self.required and not self.in_manifest

    @property
    def shown_default(self) -> str:
        """The cell of a documentation's table."""
        if self.required:
            return "required, here or in the manifest" if self.in_manifest else "required"
        return f"`{self.default}`" if self.default else ""


PROMOTE = Input(
    name="promote",
    option="",
    variable="",
    description="Resubmit nothing but the tested candidate of this build's tag: the receipt of a completed request, of "
    "the file that SignPath has, and of this commit.",
    default="false",
    required=False,
    in_manifest=False,
    choices=(),
    is_flag=True,
    is_secret=False,
)
"""The input of the plugins that resubmit with which they run the command `promote`."""


def manifest_options() -> frozenset[str]:
    """Return the options that the manifest `.signpath/signing.yml` can give."""

    def found(schema: Mapping[str, Any]) -> Iterator[str]:
        if "x-option" in schema:
            yield schema["x-option"]
        for inner in schema.get("properties", {}).values():
            yield from found(inner)

    return frozenset(found(load_schema("signing")))


def defaults(offered: Iterable[Input]) -> list[str]:
    """Return what tells the core which values count as not given, in the variable `SIGNPATH_DEFAULTS`."""
    return [f"{one.variable}={one.default}" for one in offered if one.in_manifest and one.default]


def inputs(
    command: str,
    platform: Platform,
    *,
    without: Iterable[str] = (),
    changes: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Input]:
    """Return the inputs of the plugin that runs a command, by their names, in the order of `--help`.

    Args:
        command: e.g. `sign`.
        platform: whose names and defaults they have; options of other platforms are left out.
        without: options that this plugin does not offer.
        changes: by the option's name, the attributes of `Input` that this plugin has otherwise.

    Raises:
        LookupError: there is no such command, or an option that is named is none of it.
    """
    settings = next((known.settings for known in COMMANDS if known.name == command), None)
    if settings is None:
        raise LookupError(f"There is no command {command}.")
    changes, without = changes or {}, set(without)
    rows = {row.name: row for row in options(settings)}
    if unknown := (without | changes.keys()) - rows.keys():
        raise LookupError(f"{command} has no option {', '.join(sorted(unknown))}.")
    foreign = tuple(prefix for other, prefix in _PREFIXES.items() if other != platform)
    without |= _NEVER | {name for name, only in _ONE_PLATFORMS.items() if only != platform}
    offered = [row for name, row in rows.items() if name not in without and not name.startswith(foreign)]
    made = [replace(_input(row, platform), **changes.get(row.name, {})) for row in offered]
    return {one.name: one for one in made}


def _input(row: Option, platform: Platform) -> Input:
    said = _DESCRIPTIONS.get(row.name, row.help).replace("Can be repeated.", "One a line.")
    _, colon, rest = said.partition(": ")
    if colon and row.name.startswith(_PREFIXES[platform]) and row.name not in _DESCRIPTIONS:
        said = rest[:1].upper() + rest[1:]  # on the platform itself nobody needs its name
    return Input(
        name=platform_name(_NAMES.get(row.name, row.name), platform),
        option=row.name,
        variable=row.variable,
        description=said,
        default=_DEFAULTS.get((platform, row.name), row.default),
        required=row.required,
        in_manifest=row.name in manifest_options() - _PIPELINES_OWN,
        choices=() if row.is_list else row.choices,  # a platform's list of choices takes just one of them
        is_flag=row.is_flag,
        is_secret=row.is_secret,
    )


def platform_name(name: str, platform: Platform) -> str:
    """Return a name with underscores as the platform's manifests write it."""
    if platform == "github":
        return name.replace("_", "-")
    if platform == "azure":
        first, *more = name.split("_")
        return first + "".join("DevOps" if word == "devops" else word.capitalize() for word in more)
    return name
