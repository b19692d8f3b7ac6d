"""Direct upload: a file, or several, signed by hand (direct upload, section 2)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from signpath_ci.formats import FormatError
from signpath_ci.formats.zip import DEFLATED, ArchiveWriter
from signpath_ci.sandbox import operations
from signpath_ci.sandbox.config import ArtifactConfiguration, Project, SigningPolicy, User
from signpath_ci.sandbox.forms import Form, received_form
from signpath_ci.sandbox.policies import Caller, RefusalError, may
from signpath_ci.sandbox.problems import ProblemError, bad_field, not_found
from signpath_ci.sandbox.receiving import ReceivedFile
from signpath_ci.sandbox.service import service_of
from signpath_ci.sandbox.submission import base_name, draft, target_by_slugs
from signpath_ci.sandbox.web.errors import as_problem
from signpath_ci.sandbox.web.pages import person, render, request_page, see

_MAX_DESCRIPTION = 1000
_BUNDLE = "bundle.zip"
_PIECE = 1024 * 1024


async def show_form(request: Request) -> Response:
    """Answer with the form for a project and an artifact configuration."""
    return _form(request)


async def submit(request: Request) -> Response:
    """Take an upload, and answer with the request's page."""
    service = service_of(request)
    project, configuration = _chosen(request)
    form: Form | None = None
    try:
        async with received_form(
            request,
            incoming=service.store.incoming,
            limit=service.configuration.max_artifact_bytes,
            repeated=frozenset({"artifact"}),
        ) as form:
            signing_request_id = await _submit(request, form, project, configuration)
    except (RefusalError, ProblemError) as error:
        return _form(request, form, error=as_problem(error))
    return see(request_page(service.configuration.organization_id, signing_request_id))


async def _submit(request: Request, form: Form, project: Project, configuration: ArtifactConfiguration) -> str:
    service = service_of(request)
    settings = service.artifact_configurations.form_settings(project.slug, configuration.slug)
    files = [file for file in form.file_lists.get("artifact", ()) if file.size]
    if not files:
        raise bad_field("artifact", "Choose a file. An empty file can't be signed.")
    if len(files) > 1 and not settings.is_multiple:
        raise bad_field("artifact", f"Choose one file: the artifact configuration {configuration.name} takes no more.")
    (policy_slug,) = form.required("policy")
    drafted = draft(
        Caller(user=person(request)),
        target_by_slugs(service.configuration, project.slug, policy_slug, configuration.slug),
        now=service.clock.now(),
        file_name=_BUNDLE if settings.is_multiple else files[0].name,
        description=(form.optional("description") or "").strip()[:_MAX_DESCRIPTION] or None,
        parameters={name: value for name, value in form.parameters().items() if value},
        origin=None,
    )
    if settings.is_multiple:
        names = _distinct_names(files)
        sha256 = await run_in_threadpool(_pack, files, names, service.store.unsigned(drafted.id))
    else:
        sha256 = files[0].sha256
        files[0].keep(service.store.unsigned(drafted.id))
    operations.start(service, replace(drafted, unsigned_sha256=sha256))
    return drafted.id


def _distinct_names(files: Sequence[ReceivedFile]) -> list[str]:
    """Return the names that files get in a ZIP.

    Raises:
        ProblemError: two have the same name.
    """
    names = [base_name(file.name) for file in files]
    folded = [name.lower() for name in names]
    for index, name in enumerate(names):
        if folded.index(name.lower()) != index:
            raise bad_field("artifact", f"Two files are called {name}: rename one.")
    return names


def _pack(files: Sequence[ReceivedFile], names: Sequence[str], target: Path) -> str:
    """Put files into one ZIP, side by side, and return its SHA-256."""
    incomplete = target.with_suffix(".new")
    with incomplete.open("wb") as packed:
        bundle = ArchiveWriter(packed)
        for name, file in zip(names, files, strict=True):
            with file.path.open("rb") as content:
                _add(bundle, name, content, file.path.stat().st_size)
        bundle.finish()
    digest = hashlib.sha256()
    with incomplete.open("rb", buffering=0) as packed:
        while piece := packed.read(_PIECE):
            digest.update(piece)
    incomplete.replace(target)
    return digest.hexdigest()


def _add(bundle: ArchiveWriter, name: str, content: BinaryIO, size: int) -> None:
    try:
        bundle.add(name, iter(lambda: content.read(_PIECE), b""), size=size, method=DEFLATED)
    except FormatError as error:
        raise bad_field("artifact", f"{name} can't be packed: {error}.") from error


def _form(request: Request, form: Form | None = None, *, error: ProblemError | None = None) -> Response:
    service, user = service_of(request), person(request)
    project, configuration = _chosen(request)
    policies, unavailable = _policies(user, project)
    settings = service.artifact_configurations.form_settings(project.slug, configuration.slug)
    chosen = form.optional("policy") if form else request.query_params.get("policy")
    errors = [text for texts in (error.errors or {}).values() for text in texts] or [error.detail] if error else []
    return render(
        request,
        "sign.html",
        error.status if error else HTTPStatus.OK,
        section="sign",
        projects=service.configuration.projects,
        project=project,
        configuration=configuration,
        policies=policies,
        unavailable=unavailable,
        chosen_policy=chosen or (policies[0].slug if policies else None),
        is_multiple=settings.is_multiple,
        parameters=settings.parameters,
        configuration_problems=settings.problems,
        values=form.parameters() if form else {},
        description=(form.optional("description") or "") if form else "",
        max_bytes=service.configuration.max_artifact_bytes,
        errors=errors,
    )


def _chosen(request: Request) -> tuple[Project, ArtifactConfiguration]:
    projects = service_of(request).configuration.projects
    slug = request.query_params.get("project")
    project = service_of(request).configuration.project(slug) if slug else projects[0]
    if project is None:
        raise not_found(f"There is no project '{slug}'.")
    configuration_slug = request.query_params.get("configuration")
    # The form sends the configuration of the project that was chosen before, too: then the default is meant.
    configuration = project.artifact_configuration(configuration_slug) if configuration_slug else None
    return project, configuration or project.artifact_configurations[0]


def _policies(user: User, project: Project) -> tuple[list[SigningPolicy], list[tuple[SigningPolicy, str]]]:
    """Return the policies that a person can choose, and the others with the reason."""
    usable, unavailable = [], []
    for policy in project.signing_policies:
        if not may(user, "submit", project.slug, policy.slug):
            unavailable.append((policy, f"{user.name} is not a submitter of this policy."))
        elif not policy.takes_direct_uploads:
            unavailable.append((policy, _why_no_upload(policy)))
        else:
            usable.append(policy)
    return usable, unavailable


def _why_no_upload(policy: SigningPolicy) -> str:
    if policy.trusted_build_system:
        return "It takes builds of a trusted build system only: submit from a pipeline, through a connector."
    return "It requires a verified origin, and an uploaded file has none: submit from a pipeline."
