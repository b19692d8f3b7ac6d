"""What the sandbox's SignPath knows: organization, tokens, projects, policies, and the runs of CI systems."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

Permission = Literal["submit", "approve", "read", "configure"]
PERMISSIONS: tuple[Permission, ...] = ("submit", "approve", "read", "configure")
MAX_ARTIFACT_BYTES = 4 * 1024**3
"""What SignPath takes as a service (wire contract, "Service limits")."""


@dataclass(frozen=True, kw_only=True)
class User:
    """A user of SignPath.

    Attributes:
        name: shown wherever the user has done something.
        token: the API token; `None`: the user has none.
        permissions: what the user may do.
        projects: slugs of the projects to do it in; `None`: all.
        signing_policies: slugs of the policies to do it with; `None`: all.
        is_interactive: whether it is a person, who can be chosen on the web page. A CI user has its token only.
    """

    name: str
    token: str | None = field(default=None, repr=False)
    permissions: frozenset[Permission] = frozenset(PERMISSIONS)
    projects: frozenset[str] | None = None
    signing_policies: frozenset[str] | None = None
    is_interactive: bool = False


@dataclass(frozen=True, kw_only=True)
class TrustedBuildSystem:
    """Who may vouch for an origin."""

    name: str
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ArtifactConfiguration:
    """A named way to sign a file.

    Attributes:
        xml: the artifact configuration in SignPath's language; `None`: by content.
    """

    slug: str
    name: str
    xml: str | None = None


@dataclass(frozen=True, kw_only=True)
class PipelinePolicy:
    """What runs of a CI system must fulfil.

    Attributes:
        name: as checks and refusals call it.
        document: as its YAML says it.
        is_enforced: a request that violates it is denied; otherwise that is only written down.
    """

    name: str
    document: object
    is_enforced: bool


@dataclass(frozen=True, kw_only=True)
class SigningPolicy:
    """Which certificate, under which rules.

    Attributes:
        certificate: name of the certificate that signs; it shows up in the certificate's common name.
        required_approvals: how many people have to agree.
        submitter_may_approve: whether the approval of whoever submitted the request counts.
        allowed_branches: patterns with `*` and `?`; empty: any branch, or none.
        trusted_build_system: only a trusted build system or a connector may submit.
        origin_verification: an origin from a trusted build system or connector is required.
        pipeline_policies: what the run must fulfil.
    """

    slug: str
    name: str
    certificate: str
    required_approvals: int = 0
    submitter_may_approve: bool = True
    allowed_branches: tuple[str, ...] = ()
    trusted_build_system: bool = False
    origin_verification: bool = False
    pipeline_policies: tuple[PipelinePolicy, ...] = ()

    @property
    def takes_direct_uploads(self) -> bool:
        """Whether a person can upload a file to it: what comes from nowhere has no origin."""
        return not (self.trusted_build_system or self.origin_verification or self.allowed_branches)

    def allows_branch(self, branch: str) -> bool:
        """Whether one of the patterns matches; `*` also matches slashes, as in `release/*` for `release/1.0/rc`."""
        return any(_wildcard(pattern).fullmatch(branch) for pattern in self.allowed_branches)


def _wildcard(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(c) or re.escape(c) for c in pattern), re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Where SignPath reports requests that have ended, and the headers that it sends along."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project in SignPath; its first artifact configuration is its default.

    Attributes:
        repository_url: the only repository whose builds are signed; `None`: any.
        trusted_build_systems: names of those that are linked to it; `None`: all.
    """

    slug: str
    name: str
    signing_policies: tuple[SigningPolicy, ...]
    artifact_configurations: tuple[ArtifactConfiguration, ...]
    repository_url: str | None = None
    trusted_build_systems: frozenset[str] | None = None
    webhook: Webhook | None = None

    def signing_policy(self, slug: str) -> SigningPolicy | None:
        """Return the policy with this slug."""
        return _by_slug(self.signing_policies, slug)

    def artifact_configuration(self, slug: str) -> ArtifactConfiguration | None:
        """Return the artifact configuration with this slug."""
        return _by_slug(self.artifact_configurations, slug)


@dataclass(frozen=True, kw_only=True)
class Runner:
    """What a job ran on."""

    group: str
    is_hosted: bool


@dataclass(frozen=True, kw_only=True)
class Ruleset:
    """An active ruleset that applies to the branch of a run.

    Attributes:
        rules: each with `type` and `parameters`, as GitHub exports them.
        has_bypass_actors: somebody may bypass it.
        last_modified: ISO 8601.
    """

    rules: tuple[Mapping[str, Any], ...]
    has_bypass_actors: bool = False
    last_modified: str | None = None


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of a CI system that the sandbox plays, as that CI system knows it.

    Attributes:
        platform: `github`, `gitlab` or `azure`.
        id: workflow run id, pipeline id or build id.
        attempt: 1 for the first, more for re-runs.
        runners: what its jobs ran on.
        rulesets: that are active for its branch.
        repository_created: ISO 8601.
    """

    platform: str
    id: str
    repository_url: str
    branch: str | None
    commit: str | None
    build_url: str | None
    attempt: int = 1
    runners: tuple[Runner, ...] = ()
    rulesets: tuple[Ruleset, ...] = ()
    repository_created: str | None = None


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Everything that the sandbox knows before the first request.

    Attributes:
        organization_id: a UUID, in lower case.
        users: people and CI users.
        runs: where one is given for a platform, only the given runs of that platform exist.
        max_artifact_bytes: larger artifacts are refused with 413.
    """

    organization_id: str
    organization_name: str
    users: tuple[User, ...]
    trusted_build_systems: tuple[TrustedBuildSystem, ...]
    projects: tuple[Project, ...]
    runs: tuple[Run, ...] = ()
    max_artifact_bytes: int = MAX_ARTIFACT_BYTES

    def project(self, slug: str) -> Project | None:
        """Return the project with this slug."""
        return _by_slug(self.projects, slug)

    @property
    def people(self) -> tuple[User, ...]:
        """The users who can be chosen on the web page."""
        return tuple(user for user in self.users if user.is_interactive)

    def id_of(self, *path: str) -> str:
        """Return the UUID of a thing; `path` is its kind and the slugs that lead to it. The same on each start."""
        return str(uuid.uuid5(uuid.UUID(self.organization_id), "/".join(path)))


class _HasSlug(Protocol):
    @property
    def slug(self) -> str: ...


_T = TypeVar("_T", bound=_HasSlug)


def _by_slug(things: Iterable[_T], slug: str) -> _T | None:
    """Find by slug, without regard to case (wire additions, section 2)."""
    return next((thing for thing in things if thing.slug.lower() == slug.lower()), None)
