"""The sandbox's configuration file: YAML -> `Configuration`, with errors that name the place in the file.

::

    organization: {id: 5f2d..., name: Acme}
    max_artifact_bytes: 4294967296
    users:                                                            # people, chosen on the web page
      - {name: Ada, may: [submit, approve]}
    api_tokens:                                                       # CI users
      - {name: ci, token: secret, may: [submit, read], projects: [app], signing_policies: [test-signing]}
    trusted_build_systems:
      - {name: build-farm, token: secret}
    projects:
      - slug: app
        name: App
        repository_url: https://github.com/acme/app
        artifact_configurations:                                      # the first one is the default
          - {slug: initial, name: Initial, file: artifact-configuration.xml}  # beside this file
        trusted_build_systems: [GitHub.com, build-farm]               # that are linked to it; all where none are named
        webhook: {url: "https://acme.example/hook", headers: {Authorization: Bearer secret}}
        signing_policies:
          - slug: release-signing
            name: Release signing
            certificate: acme-release                 # its name; the slug where none is given
            required_approvals: 1
            submitter_may_approve: false
            trusted_build_system: true
            allowed_branches: [main, release/*]
            origin_verification: true
    runs:                                                             # of the CI systems that connectors ask
      - {platform: github, id: "42", repository_url: "https://github.com/acme/app", branch: main, commit: 0a1b...}

Mandatory are the organization's id, a token, and a project with a signing policy and its slug; a place that this
table does not have is an error.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from signpath_ci.errors import UsageError
from signpath_ci.sandbox.config import (
    ADMINISTRATOR,
    MAX_ARTIFACT_BYTES,
    PERMISSIONS,
    ArtifactConfiguration,
    Configuration,
    Permission,
    Project,
    Run,
    SigningPolicy,
    TrustedBuildSystem,
    User,
    Webhook,
)

_PLATFORMS = ("github", "gitlab", "azure")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,39}")


def read_configuration(path: Path) -> Configuration:
    """Read and check a configuration file.

    Raises:
        UsageError: it can't be read, is no YAML, or says something that makes no sense; the message names the place.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"{path} can't be read: {error.strerror}.",
            hint="Name a readable file with --config.",
            code="sandbox-configuration",
        ) from None
    except (yaml.YAMLError, UnicodeError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UsageError(
            f"{path}{line}: is no YAML: {getattr(error, 'problem', None) or error}.", code="sandbox-configuration"
        ) from None
    return _configuration(_Section(path, "", content))


class _Section:
    """A mapping in the file, and where it stands; each value is taken once, and what is left over is an error."""

    def __init__(self, file: Path, place: str, content: object) -> None:
        self._file, self._place = file, place
        if not isinstance(content, dict):
            raise self.error("", "must be a mapping (`name: value` lines).")
        self._left: dict[Any, Any] = {key: value for key, value in content.items() if value is not None}

    def error(self, key: str, problem: str) -> UsageError:
        place = ".".join(part for part in (self._place, key) if part) or "the file"
        return UsageError(
            f"{self._file}: {place}: {problem}",
            hint="See the sandbox's configuration file in the README.",
            code="sandbox-configuration",
        )

    def has(self, key: str) -> bool:
        return key in self._left

    def text(self, key: str, default: str | None = None) -> str:
        found = self.optional_text(key)
        if found is None and default is None:
            raise self.error(key, "is missing.")
        return found if found is not None else str(default)

    def name(self, key: str, default: str | None = None) -> str:
        value = self.text(key, default)
        if not _NAME.fullmatch(value):
            raise self.error(key, "must be up to 40 letters, digits, '.', '-' and '_'.")
        return value

    def optional_text(self, key: str) -> str | None:
        value = self._left.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise self.error(key, "must be a text of one line; write a number in quotes.")
        return value

    def file(self, key: str) -> str:
        path = self._file.parent / self.text(key)
        try:
            return path.read_text("utf-8")
        except (OSError, ValueError) as error:
            raise self.error(key, f"{path} can't be read: {error}.") from None

    def number(self, key: str, default: int) -> int:
        value = self._left.pop(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.error(key, "must be a whole number of 0 or more.")
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        value = self._left.pop(key, default)
        if not isinstance(value, bool):
            raise self.error(key, "must be true or false.")
        return value

    def texts(self, key: str) -> tuple[str, ...] | None:
        value = self._left.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.error(key, "must be a list of texts; write numbers in quotes.")
        return tuple(value)

    def mapping(self, key: str) -> dict[str, str]:
        value = self._left.pop(key, {})
        if not isinstance(value, dict) or not all(isinstance(s, str) for item in value.items() for s in item):
            raise self.error(key, "must be a mapping of texts.")
        return value

    def section(self, key: str) -> _Section:
        if not self.has(key):
            raise self.error(key, "is missing.")
        return _Section(self._file, f"{self._place}.{key}".lstrip("."), self._left.pop(key))

    def sections(self, key: str) -> Iterator[_Section]:
        value = self._left.pop(key, [])
        if not isinstance(value, list):
            raise self.error(key, "must be a list.")
        for index, item in enumerate(value):
            yield _Section(self._file, f"{self._place}.{key}[{index}]".lstrip("."), item)

    def end(self) -> None:
        if self._left:
            raise self.error(str(next(iter(self._left))), "is not known here.")


def _configuration(section: _Section) -> Configuration:
    organization = section.section("organization")
    projects = tuple(_project(item) for item in section.sections("projects"))
    people = tuple(_user(item, is_interactive=True) for item in section.sections("users"))
    tokens = tuple(_user(item, is_interactive=False) for item in section.sections("api_tokens"))
    systems = tuple(_trusted_build_system(item) for item in section.sections("trusted_build_systems"))
    _require_distinct(section, "projects", [project.slug.lower() for project in projects])
    _require_distinct(section, "api_tokens", [str(user.token) for user in tokens])
    _require_distinct(section, "users", [user.name for user in people])
    for key, values in (("projects", projects), ("api_tokens", tokens)):
        if not values:
            raise section.error(key, "at least one is needed.")
    configuration = Configuration(
        organization_id=_organization_id(organization),
        organization_name=organization.text("name", "Sandbox"),
        users=(*(people or (ADMINISTRATOR,)), *tokens),
        trusted_build_systems=systems,
        projects=projects,
        runs=tuple(_run(item) for item in section.sections("runs")),
        max_artifact_bytes=section.number("max_artifact_bytes", MAX_ARTIFACT_BYTES),
    )
    organization.end()
    section.end()
    return configuration


def _organization_id(section: _Section) -> str:
    try:
        return str(uuid.UUID(section.text("id")))
    except ValueError:
        raise section.error("id", "must be a UUID.") from None


def _secret(section: _Section) -> str:
    token = section.text("token")
    if ":" in token or " " in token or not token.isascii():
        # `Authorization: Bearer {apiToken}:{trustedBuildSystemToken}` could not be taken apart again.
        raise section.error("token", "must be plain ASCII without blanks and colons.")
    return token


def _user(section: _Section, *, is_interactive: bool) -> User:
    may = section.texts("may")
    permissions: frozenset[Permission] = frozenset(p for p in PERMISSIONS if may is None or p in may)
    for name in may or ():
        if name not in PERMISSIONS:
            raise section.error("may", f"{name!r} is none of {', '.join(PERMISSIONS)}.")
    projects, policies = section.texts("projects"), section.texts("signing_policies")
    user = User(
        name=section.text("name"),
        token=None if is_interactive and not section.has("token") else _secret(section),
        permissions=permissions,
        projects=None if projects is None else frozenset(projects),
        signing_policies=None if policies is None else frozenset(policies),
        is_interactive=is_interactive,
    )
    section.end()
    return user


def _trusted_build_system(section: _Section) -> TrustedBuildSystem:
    system = TrustedBuildSystem(name=section.text("name"), token=_secret(section))
    section.end()
    return system


def _project(section: _Section) -> Project:
    slug = section.name("slug")
    systems = section.texts("trusted_build_systems")
    configurations = tuple(_artifact_configuration(item) for item in section.sections("artifact_configurations"))
    policies = tuple(_signing_policy(item) for item in section.sections("signing_policies"))
    _require_distinct(section, "artifact_configurations", [item.slug.lower() for item in configurations])
    _require_distinct(section, "signing_policies", [item.slug.lower() for item in policies])
    if not policies:
        raise section.error("signing_policies", "at least one is needed.")
    project = Project(
        slug=slug,
        name=section.text("name", slug),
        signing_policies=policies,
        artifact_configurations=configurations or (ArtifactConfiguration(slug="initial", name="Initial"),),
        repository_url=section.optional_text("repository_url"),
        trusted_build_systems=None if systems is None else frozenset(systems),
        webhook=_webhook(section.section("webhook")) if section.has("webhook") else None,
    )
    section.end()
    return project


def _artifact_configuration(section: _Section) -> ArtifactConfiguration:
    slug = section.name("slug")
    configuration = ArtifactConfiguration(
        slug=slug, name=section.text("name", slug), xml=section.file("file") if section.has("file") else None
    )
    section.end()
    return configuration


def _signing_policy(section: _Section) -> SigningPolicy:
    slug = section.name("slug")
    policy = SigningPolicy(
        slug=slug,
        name=section.text("name", slug),
        certificate=section.name("certificate", slug),
        required_approvals=section.number("required_approvals", 0),
        submitter_may_approve=section.flag("submitter_may_approve", default=True),
        allowed_branches=section.texts("allowed_branches") or (),
        trusted_build_system=section.flag("trusted_build_system"),
        origin_verification=section.flag("origin_verification"),
    )
    section.end()
    return policy


def _webhook(section: _Section) -> Webhook:
    webhook = Webhook(url=section.text("url"), headers=section.mapping("headers"))
    if not webhook.url.startswith(("http://", "https://")):
        raise section.error("url", "must start with http:// or https://.")
    section.end()
    return webhook


def _run(section: _Section) -> Run:
    run = Run(
        platform=section.text("platform"),
        id=section.text("id"),
        repository_url=section.text("repository_url"),
        branch=section.optional_text("branch"),
        commit=section.optional_text("commit"),
        build_url=section.optional_text("build_url"),
    )
    if run.platform not in _PLATFORMS:
        raise section.error("platform", f"must be one of {', '.join(_PLATFORMS)}.")
    section.end()
    return run


def _require_distinct(section: _Section, key: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise section.error(f"{key}[{index}]", "is there twice.")
