"""The sandbox's own routes, beside SignPath's: for tests, for people at the web page, and for timestamps."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from signpath_ci.artifact_configuration.document import DocumentError, read_document
from signpath_ci.sandbox.api.views import sandbox_view
from signpath_ci.sandbox.artifact_configurations import MAX_BYTES
from signpath_ci.sandbox.operations import ANYBODY, approve, deny
from signpath_ci.sandbox.policies import may
from signpath_ci.sandbox.problems import ProblemError, bad_fields, forbidden, not_found
from signpath_ci.sandbox.service import authenticated, known_request, require_access, service_of
from signpath_ci.sandbox.signing_request import SigningRequest

_MAX_QUERY = 64 * 1024
_CONFIGURATION = "/sandbox/projects/{project}/artifact-configurations/{slug}"
_XML = "application/xml"


def local_routes() -> list[BaseRoute]:
    """Return the routes below the root."""
    return [
        Route("/health", _health),
        Route("/sandbox/requests", _requests),
        Route("/sandbox/requests/{request_id}/approve", _approve, methods=["POST"]),
        Route("/sandbox/requests/{request_id}/deny", _deny, methods=["POST"]),
        Route(_CONFIGURATION, _artifact_configuration),
        Route(_CONFIGURATION, _save_artifact_configuration, methods=["PUT"]),
        Route("/tsa", _timestamp, methods=["POST"]),
    ]


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _requests(request: Request) -> Response:
    return JSONResponse([sandbox_view(request, found) for found in service_of(request).store.all()])


async def _approve(request: Request) -> Response:
    signing_request, by = _decision(request)
    return JSONResponse(sandbox_view(request, approve(service_of(request), signing_request, by=by)))


async def _deny(request: Request) -> Response:
    signing_request, by = _decision(request)
    return JSONResponse(sandbox_view(request, deny(service_of(request), signing_request, by=by)))


def _decision(request: Request) -> tuple[SigningRequest, str]:
    """Return what is decided on and by whom: whoever sends a token needs the permission; a test need not send one."""
    signing_request = known_request(service_of(request), request.path_params)
    if "authorization" in request.headers:
        user = authenticated(request).user
        require_access(user, "approve", signing_request)
        return signing_request, user.name
    return signing_request, ANYBODY


async def _artifact_configuration(request: Request) -> Response:
    text = service_of(request).artifact_configurations.text(*_slugs(request))
    if text is None:
        raise not_found("This artifact configuration has no XML: files are signed by their content.")
    return Response(text, media_type=_XML)


async def _save_artifact_configuration(request: Request) -> Response:
    """Replace the XML of a configuration; an invalid one is refused with all that is wrong, each with its place."""
    project, slug = _slugs(request)
    if "authorization" in request.headers:
        user = authenticated(request).user
        if not may(user, "configure", project):
            raise forbidden(f"The user '{user.name}' is not a configurator of project '{project}'.")
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_BYTES:
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The XML has more than {MAX_BYTES} bytes.")
    try:
        read_document(data)
        text = data.decode("utf-8-sig")
    except DocumentError as error:
        raise bad_fields({str(one.position): [one.message] for one in error.problems}) from None
    except UnicodeDecodeError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The XML must be UTF-8.") from None
    service_of(request).artifact_configurations.save(project, slug, text)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _slugs(request: Request) -> tuple[str, str]:
    """Return the slugs of the project and the configuration that the path names, without regard to case."""
    named = request.path_params
    for project in service_of(request).configuration.projects:
        for found in project.artifact_configurations:
            if (project.slug.lower(), found.slug.lower()) == (named["project"], named["slug"]):
                return project.slug, found.slug
    raise not_found(f"There is no artifact configuration '{named['slug']}' in a project '{named['project']}'.")


async def _timestamp(request: Request) -> Response:
    query = b""
    async for piece in request.stream():
        query += piece
        if len(query) > _MAX_QUERY:
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This is no timestamp query: it is too large.")
    service = service_of(request)
    answer = service.answer_timestamp_query(query, service.clock.now())
    return Response(answer, media_type="application/timestamp-reply")
