"""What every submit goes through, however it came in: find its target, check permission and origin, draft it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.checks import check_submit
from signpath_ci.sandbox.config import ArtifactConfiguration, Configuration, Project, SigningPolicy
from signpath_ci.sandbox.policies import Caller, RefusalError, require_permission
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.store import SigningRequest


class UnknownFieldError(RefusalError):
    """A submit names something that does not exist.

    Args:
        field: the field's name in the REST API.
    """

    def __init__(self, field: str, cause: str) -> None:
        self.field = field
        super().__init__(cause, "Check the spelling, and that it exists in this organization.")


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a submit is for."""

    project: Project
    policy: SigningPolicy
    artifact_configuration: ArtifactConfiguration


def target_by_slugs(
    configuration: Configuration, project_slug: str, policy_slug: str, artifact_configuration_slug: str | None
) -> Target:
    """Find what three slugs name; without the last one the project's default.

    Raises:
        UnknownFieldError: one of them names nothing.
    """
    project = configuration.project(project_slug)
    if project is None:
        raise UnknownFieldError("projectSlug", f"There is no project '{project_slug}' in this organization.")
    policy = project.signing_policy(policy_slug)
    if policy is None:
        raise UnknownFieldError(
            "signingPolicySlug", f"There is no signing policy '{policy_slug}' in project '{project.slug}'."
        )
    slug = artifact_configuration_slug or project.artifact_configurations[0].slug
    artifact_configuration = project.artifact_configuration(slug)
    if artifact_configuration is None:
        raise UnknownFieldError(
            "artifactConfigurationSlug", f"There is no artifact configuration '{slug}' in project '{project.slug}'."
        )
    return Target(project=project, policy=policy, artifact_configuration=artifact_configuration)


def target_by_ids(configuration: Configuration, policy_id: str, artifact_configuration_id: str | None) -> Target:
    """Find what two ids name; without the last one the project's default.

    Raises:
        UnknownFieldError: one of them names nothing, or they belong to different projects.
    """
    for project in configuration.projects:
        for policy in project.signing_policies:
            if signing_policy_id(configuration, project.slug, policy.slug) != policy_id.lower():
                continue
            for found in project.artifact_configurations:
                found_id = artifact_configuration_id_of(configuration, project.slug, found.slug)
                if artifact_configuration_id is None or found_id == artifact_configuration_id.lower():
                    return Target(project=project, policy=policy, artifact_configuration=found)
            raise UnknownFieldError(
                "artifactConfigurationId",
                f"There is no artifact configuration {artifact_configuration_id} in project '{project.slug}'.",
            )
    raise UnknownFieldError("signingPolicyId", f"There is no signing policy {policy_id} in this organization.")


def project_id(configuration: Configuration, project: str) -> str:
    """Return the id of a project."""
    return configuration.id_of("project", project)


def signing_policy_id(configuration: Configuration, project: str, policy: str) -> str:
    """Return the id of a signing policy."""
    return configuration.id_of("signing-policy", project, policy)


def artifact_configuration_id_of(configuration: Configuration, project: str, slug: str) -> str:
    """Return the id of an artifact configuration."""
    return configuration.id_of("artifact-configuration", project, slug)


def draft(
    caller: Caller,
    target: Target,
    *,
    now: datetime,
    file_name: str,
    description: str | None,
    parameters: Mapping[str, str],
    origin: RecordedOrigin | None,
    system: str | None = None,
) -> SigningRequest:
    """Return a new request, not yet stored, once permission and origin are found good.

    Args:
        caller: who submits.
        target: what for.
        now: the time.
        file_name: of the artifact.
        description: as the caller gives it.
        parameters: user-defined.
        origin: what the trusted build system or connector says.
        system: its name; `None`: that of the caller.

    Raises:
        RefusalError: they are not.
    """
    require_permission(caller.user, "submit", target.project.slug, target.policy.slug)
    vouching = caller.trusted_build_system
    system = system or (vouching.name if vouching else None)
    checks = check_submit(target.project, target.policy, system=system, origin=origin)
    return SigningRequest(
        state=State.SUBMITTED,
        created=now.isoformat(),
        submitter=caller.user.name,
        trusted_build_system=system,
        project_slug=target.project.slug,
        signing_policy_slug=target.policy.slug,
        artifact_configuration_slug=target.artifact_configuration.slug,
        file_name=base_name(file_name),
        description=description,
        parameters=parameters,
        origin=origin,
        checks=checks,
    )


def base_name(file_name: str) -> str:
    """Return the last part of a file's name, printable: it comes back as the name to save the signed file under."""
    last = file_name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(c if c.isprintable() else "_" for c in last).strip(". ") or "artifact"
