"""Projects and their signing policies, as the sandbox's configuration has them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from signpath_ci.sandbox.config import Configuration, Permission, Project
from signpath_ci.sandbox.policies import may
from signpath_ci.sandbox.problems import not_found
from signpath_ci.sandbox.service import service_of
from signpath_ci.sandbox.submission import project_id, signing_policy_id
from signpath_ci.sandbox.web.pages import render


def known_project(request: Request) -> Project:
    """Return the project that the path names.

    Raises:
        ProblemError: 404.
    """
    slug = request.path_params["project"]
    project = service_of(request).configuration.project(slug)
    if project is None:
        raise not_found(f"There is no project '{slug}'.")
    return project


async def show_projects(request: Request) -> Response:
    """Answer with all projects."""
    return render(request, "projects.html", section="projects", projects=service_of(request).configuration.projects)


async def show_project(request: Request) -> Response:
    """Answer with one project."""
    service, project = service_of(request), known_project(request)
    configuration = service.configuration
    return render(
        request,
        "project.html",
        section="projects",
        project=project,
        project_id=project_id(configuration, project.slug),
        policies=project.signing_policies,
        policy_ids={
            policy.slug: signing_policy_id(configuration, project.slug, policy.slug)
            for policy in project.signing_policies
        },
        kinds={
            each.slug: what_it_signs(service.artifact_configurations.text(project.slug, each.slug))
            for each in project.artifact_configurations
        },
        submitters=_users(configuration, project, "submit"),
        approvers=_users(configuration, project, "approve"),
    )


def what_it_signs(text: str | None) -> str:
    """Return what an artifact configuration does, in a few words."""
    return "By content, also in a ZIP" if text is None else "What its XML says"


def _users(configuration: Configuration, project: Project, permission: Permission) -> dict[str, list[str]]:
    return {
        policy.slug: [user.name for user in configuration.users if may(user, permission, project.slug, policy.slug)]
        for policy in project.signing_policies
    }
