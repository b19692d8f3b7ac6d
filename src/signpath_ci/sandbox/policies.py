"""The rules: who may do what, and which origin a signing policy takes. Pure functions that may raise a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.config import Configuration, Permission, Project, SigningPolicy, TrustedBuildSystem, User


class RefusalError(Exception):
    """SignPath does not do it.

    Args:
        cause: what is the matter.
        how_to_fix: what a user can do about it.
    """

    def __init__(self, cause: str, how_to_fix: str) -> None:
        self.cause, self.how_to_fix = cause, how_to_fix
        super().__init__(f"{cause} {how_to_fix}")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls: the user, and the trusted build system or connector that vouches for the origin."""

    user: User
    trusted_build_system: TrustedBuildSystem | None = None


_DOES: dict[Permission, str] = {
    "submit": "is not a submitter",
    "approve": "is not an approver",
    "read": "is not a reader",
    "configure": "is not a configurator",
}


def caller_of(credentials: str, configuration: Configuration) -> Caller | None:
    """Return who `{apiToken}` or `{apiToken}:{trustedBuildSystemToken}` belongs to; `None`: to nobody."""
    api_token, joined, system_token = credentials.partition(":")
    user = next((known for known in configuration.users if known.token and known.token == api_token), None)
    system = next((known for known in configuration.trusted_build_systems if known.token == system_token), None)
    if user is None or (joined and system is None):
        return None
    return Caller(user=user, trusted_build_system=system)


def may(user: User, permission: Permission, project: str, policy: str | None = None) -> bool:
    """Whether a user has a permission for a policy of a project, or for the project. Who has any there may read."""
    granted = permission in user.permissions or (permission == "read" and bool(user.permissions))
    in_project = user.projects is None or project in user.projects
    with_policy = policy is None or user.signing_policies is None or policy in user.signing_policies
    return granted and in_project and with_policy


def permitted_policies(configuration: Configuration, user: User, permission: Permission) -> frozenset[tuple[str, str]]:
    """Return the pairs of project and policy for which a user has a permission."""
    return frozenset(
        (project.slug, policy.slug)
        for project in configuration.projects
        for policy in project.signing_policies
        if may(user, permission, project.slug, policy.slug)
    )


def require_permission(user: User, permission: Permission, project: str, policy: str) -> None:
    """Let through who has the permission.

    Raises:
        RefusalError: names user, policy and project.
    """
    if not may(user, permission, project, policy):
        raise RefusalError(
            f"The user '{user.name}' {_DOES[permission]} of signing policy '{policy}' in project '{project}'.",
            f"Act as a user who may {permission} there, or have the permission granted.",
        )


def require_trusted_build_system(project: Project, policy: SigningPolicy, system: str | None) -> None:
    """Let through what comes from a trusted build system, where the policy wants one and the project is linked to it.

    Args:
        project: what it is submitted to.
        policy: its rules.
        system: name of the trusted build system or connector; `None`: a user submits directly.

    Raises:
        RefusalError: in SignPath's words, as far as they are known (source policies, section 4).
    """
    if system is None:
        if policy.trusted_build_system:
            raise RefusalError(
                "The selected signing policy requires that the signing request is submitted via a trusted build"
                " system.",
                "Submit through a connector or with the token of a trusted build system, or use another policy.",
            )
    elif project.trusted_build_systems is not None and system not in project.trusted_build_systems:
        raise RefusalError(
            f"The trusted build system '{system}' is not linked to project '{project.slug}'.",
            "Link it to the project: trusted_build_systems in the sandbox's configuration.",
        )


def require_origin(project: Project, policy: SigningPolicy, origin: RecordedOrigin | None) -> None:
    """Let through what comes from where the project and the policy want it to come from (wire contract, "REST API").

    Raises:
        RefusalError: names project, policy, and the branch or repository.
    """
    where = f"signing policy '{policy.slug}' of project '{project.slug}'"
    if origin is None:
        if policy.origin_verification or policy.allowed_branches:
            raise RefusalError(
                f"The {where} requires a verified origin, and this request has none.",
                "Submit through a connector or with the token of a trusted build system.",
            )
        return
    if project.repository_url and _same(project.repository_url) != _same(origin.repository_url or ""):
        raise RefusalError(
            f"The repository {origin.repository_url or '(unknown)'} is not the one of project '{project.slug}': "
            f"{project.repository_url}.",
            "Build from the project's repository, or change the repository URL of the project.",
        )
    if policy.allowed_branches and not (origin.branch and policy.allows_branch(origin.branch)):
        allowed = ", ".join(policy.allowed_branches)
        raise RefusalError(
            f"The branch '{origin.branch or '(unknown)'}' is not allowed by {where}.",
            f"Build one of the allowed branches ({allowed}), or use another signing policy.",
        )
    if policy.origin_verification and not (origin.repository_url and origin.commit):
        raise RefusalError(
            f"The {where} requires a verified origin, and repository or commit are unknown.",
            "Send the repository's URL and the commit along.",
        )


def _same(url: str) -> tuple[str, str]:
    """Return what two spellings of a repository's URL have in common."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL at all: the same as itself only
        return url, ""
    location = f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""
    return location, (parts.path if parts.netloc else url).rstrip("/").removesuffix(".git")
