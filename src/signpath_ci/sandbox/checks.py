"""The checks that a submit has to pass, each with its result, as the request's page lists them."""

from __future__ import annotations

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.config import Project, SigningPolicy
from signpath_ci.sandbox.policies import require_origin, require_trusted_build_system
from signpath_ci.sandbox.signing_request import Check


def check_submit(
    project: Project, policy: SigningPolicy, *, system: str | None, origin: RecordedOrigin | None
) -> tuple[Check, ...]:
    """Return the checks of a submit that passes all of them.

    Args:
        project: what it is submitted to.
        policy: its rules.
        system: name of the trusted build system or connector that vouches for the origin.
        origin: what it says.

    Raises:
        RefusalError: one did not pass.
    """
    require_trusted_build_system(project, policy, system)
    require_origin(project, policy, origin)
    return (_system(policy, system), _repository(project, origin), _branch(policy, origin), _origin(policy, origin))


def _system(policy: SigningPolicy, system: str | None) -> Check:
    name = "Trusted build system"
    if system:
        return Check(name=name, result="passed", detail=f"Submitted by {system}, which is linked to the project.")
    return Check(name=name, result="not-checked", detail=f"The policy {policy.slug} takes direct uploads.")


def _repository(project: Project, origin: RecordedOrigin | None) -> Check:
    name = "Repository"
    if origin is None:
        return Check(name=name, result="not-checked", detail="The request has no origin.")
    if project.repository_url is None:
        return Check(name=name, result="not-checked", detail="The project names no repository: any is taken.")
    return Check(name=name, result="passed", detail=f"{origin.repository_url} is the project's repository.")


def _branch(policy: SigningPolicy, origin: RecordedOrigin | None) -> Check:
    name = "Branch"
    if not policy.allowed_branches or origin is None:
        return Check(name=name, result="not-checked", detail=f"The policy {policy.slug} does not restrict branches.")
    allowed = ", ".join(policy.allowed_branches)
    return Check(name=name, result="passed", detail=f"{origin.branch} is allowed ({allowed}).")


def _origin(policy: SigningPolicy, origin: RecordedOrigin | None) -> Check:
    name = "Origin verification"
    if not policy.origin_verification or origin is None:
        return Check(name=name, result="not-checked", detail=f"The policy {policy.slug} does not require it.")
    return Check(name=name, result="passed", detail=f"Repository and commit are known: {origin.commit}.")
