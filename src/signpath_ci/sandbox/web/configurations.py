"""An artifact configuration: shown, edited with the engine's errors at their lines, and tried on a sample."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from signpath_ci.artifact_configuration.advice import about
from signpath_ci.artifact_configuration.document import Configuration, DocumentError, read_document
from signpath_ci.artifact_configuration.draft import NothingToSignError, UnreadableSampleError, draft
from signpath_ci.artifact_configuration.markup import Position
from signpath_ci.artifact_configuration.plan import Finding, Plan
from signpath_ci.artifact_configuration.resolve import make_plan
from signpath_ci.sandbox.artifact_configurations import MAX_BYTES
from signpath_ci.sandbox.config import ArtifactConfiguration, Project
from signpath_ci.sandbox.defaults import EXAMPLE
from signpath_ci.sandbox.forms import Form, received_form
from signpath_ci.sandbox.policies import may
from signpath_ci.sandbox.problems import bad_field, forbidden, not_found
from signpath_ci.sandbox.service import service_of
from signpath_ci.sandbox.submission import base_name
from signpath_ci.sandbox.web.pages import person, render, see
from signpath_ci.sandbox.web.projects import known_project, what_it_signs
from signpath_ci.sandbox.web.trees import tree_of_plan


@dataclass(frozen=True, kw_only=True)
class Remark:
    """An error or a warning about a configuration or a sample, at a line of the editor."""

    line: int
    column: int
    message: str
    file: str = ""


async def show_configuration(request: Request) -> Response:
    """Answer with the page of an artifact configuration."""
    return _page(request)


async def save(request: Request) -> Response:
    """Replace the text of a configuration, if it is valid."""
    project, configuration = _known(request)
    user = person(request)
    if not may(user, "configure", project.slug):
        raise forbidden(
            f"The user '{user.name}' is not a configurator of project '{project.slug}'. "
            "Choose another user, or have the permission granted."
        )
    async with _form(request) as form:
        text = _text(form)
        try:
            read_document(text.encode())
        except DocumentError as error:
            return _page(request, text, errors=_remarks(error), status=HTTPStatus.BAD_REQUEST)
        service_of(request).artifact_configurations.save(project.slug, configuration.slug, text)
    return see(f"/web/projects/{project.slug}/configurations/{configuration.slug}?saved=1")


async def try_sample(request: Request) -> Response:
    """Answer with what would happen to an uploaded sample; the text need not be saved."""
    _known(request)
    async with _form(request) as form:
        text, sample = _text(form), form.files.get("sample")
        try:
            document = read_document(text.encode())
        except DocumentError as error:
            return _page(request, text, errors=_remarks(error), status=HTTPStatus.BAD_REQUEST)
        if sample is None or sample.size == 0:
            raise bad_field("sample", "Choose a sample to try the configuration on.")
        values = {name: value for name, value in form.parameters().items() if value}
        name = base_name(sample.name)
        plan, warnings = await run_in_threadpool(_plan, document, sample.path, name, values)
    return _page(request, text, plan=plan, errors=_findings(plan.problems), warnings=warnings, values=values)


async def draft_from_sample(request: Request) -> Response:
    """Answer with a configuration that is drafted from an uploaded sample; it is shown, not saved."""
    _known(request)
    async with _form(request) as form:
        sample = form.files.get("sample")
        if sample is None or sample.size == 0:
            raise bad_field("sample", "Choose a sample to draft a configuration from.")
        try:
            text = await run_in_threadpool(_draft, sample.path, base_name(sample.name))
        except (NothingToSignError, UnreadableSampleError) as error:
            raise bad_field("sample", str(error)) from None
    return _page(request, text, is_drafted=True)


def _draft(path: Path, name: str) -> str:
    with path.open("rb") as file:
        return draft(file, name)


def _plan(document: Configuration, path: Path, name: str, values: dict[str, str]) -> tuple[Plan, list[Remark]]:
    with path.open("rb") as file:
        plan = make_plan(document, file, name=name, values=values)
    return plan, _findings(about(document, plan))


def _page(
    request: Request,
    text: str | None = None,
    *,
    plan: Plan | None = None,
    errors: Sequence[Remark] = (),
    warnings: Sequence[Remark] = (),
    values: dict[str, str] | None = None,
    is_drafted: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    service = service_of(request)
    project, configuration = _known(request)
    saved = service.artifact_configurations.text(project.slug, configuration.slug)
    shown = text if text is not None else saved
    settings = service.artifact_configurations.form_settings(project.slug, configuration.slug)
    return render(
        request,
        "configuration.html",
        status,
        section="projects",
        project=project,
        configuration=configuration,
        has_text=saved is not None,
        text=shown if shown is not None else EXAMPLE,
        what_it_signs=what_it_signs(saved),
        is_edited=service.artifact_configurations.is_edited(project.slug, configuration.slug),
        is_saved=request.query_params.get("saved") == "1" and text is None,
        may_configure=may(person(request), "configure", project.slug),
        parameters=settings.parameters,
        values=values or {},
        is_drafted=is_drafted,
        errors=errors,
        warnings=warnings,
        tree=tree_of_plan(plan) if plan else None,
    )


def _known(request: Request) -> tuple[Project, ArtifactConfiguration]:
    project = known_project(request)
    slug = request.path_params["configuration"]
    configuration = project.artifact_configuration(slug)
    if configuration is None:
        raise not_found(f"There is no artifact configuration '{slug}' in project '{project.slug}'.")
    return project, configuration


def _form(request: Request) -> AbstractAsyncContextManager[Form]:
    service = service_of(request)
    limit = service.configuration.max_artifact_bytes
    return received_form(request, incoming=service.store.incoming, limit=limit, field_limit=MAX_BYTES)


def _text(form: Form) -> str:
    (text,) = form.required("text")
    return text.replace("\r\n", "\n")  # what browsers make of the ends of lines


def _remarks(error: DocumentError) -> list[Remark]:
    return [_remark(one.position, f"{one.message}.") for one in error.problems]


def _findings(findings: Sequence[Finding]) -> list[Remark]:
    return [_remark(one.position, f"{one.message}{one.hint and ': '}{one.hint}.", one.file) for one in findings]


def _remark(position: Position, message: str, file: str = "") -> Remark:
    return Remark(line=position.line, column=position.column, message=message, file=file)
