"""The rules: who may do what, and which origin a signing policy takes. Pure functions that may raise a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.config import ApiToken, Configuration, Permission, Project, SigningPolicy, TrustedBuildSystem


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
    """Who calls: the user that an API token stands for, and the trusted build system that vouches for the origin."""

    token: ApiToken
    trusted_build_system: TrustedBuildSystem | None = None


_DOES: dict[Permission, str] = {"submit": "is not a submitter", "approve": "is not an approver", "read": "is no reader"}


def caller_of(credentials: str, configuration: Configuration) -> Caller | None:
    """Return who `{apiToken}` or `{apiToken}:{trustedBuildSystemToken}` belongs to; `None`: to nobody."""
    api_token, joined, system_token = credentials.partition(":")
    token = next((known for known in configuration.api_tokens if known.token == api_token), None)
    system = next((known for known in configuration.trusted_build_systems if known.token == system_token), None)
    if token is None or (joined and system is None):
        return None
    return Caller(token=token, trusted_build_system=system)


def may(token: ApiToken, permission: Permission, project: str, policy: str) -> bool:
    """Whether a user has a permission for a policy of a project. Who submits or approves may also read."""
    granted = permission in token.permissions or (permission == "read" and bool(token.permissions))
    in_project = token.projects is None or project in token.projects
    return granted and in_project and (token.signing_policies is None or policy in token.signing_policies)


def require_permission(token: ApiToken, permission: Permission, project: str, policy: str) -> None:
    """Let through who has the permission.

    Raises:
        RefusalError: names user, policy and project.
    """
    if not may(token, permission, project, policy):
        raise RefusalError(
            f"The user '{token.name}' {_DOES[permission]} of signing policy '{policy}' in project '{project}'.",
            f"Use a token that may {permission} there, or have the permission granted.",
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
