"""An artifact configuration: shown, edited with the engine's errors at their lines, and tried on a sample."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from signpath_ci.sandbox.config import ArtifactConfiguration, Project
from signpath_ci.sandbox.problems import not_found
from signpath_ci.sandbox.service import service_of
from signpath_ci.sandbox.web.pages import render
from signpath_ci.sandbox.web.projects import known_project, what_it_signs


def _known(request: Request) -> tuple[Project, ArtifactConfiguration]:
    project = known_project(request)
    slug = request.path_params["configuration"]
    configuration = project.artifact_configuration(slug)
    if configuration is None:
        raise not_found(f"There is no artifact configuration '{slug}' in project '{project.slug}'.")
    return project, configuration


async def show_configuration(request: Request) -> Response:
    """Answer with the page of an artifact configuration."""
    service = service_of(request)
    project, configuration = _known(request)
    text = service.artifact_configurations.text(project.slug, configuration.slug)
    return render(
        request,
        "configuration.html",
        section="projects",
        project=project,
        configuration=configuration,
        text=text,
        what_it_signs=what_it_signs(text, configuration.slug),
    )
