"""The sandbox's own routes, beside SignPath's: for tests, for people at the web page, and for time stamps."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from signpath_ci.sandbox.operations import ANYBODY, approve, deny
from signpath_ci.sandbox.problems import ProblemError
from signpath_ci.sandbox.service import authenticated, known_request, require_access, service_of
from signpath_ci.sandbox.signing_request import SigningRequest
from signpath_ci.sandbox.views import sandbox_view

_MAX_QUERY = 64 * 1024


def local_routes() -> list[BaseRoute]:
    """Return the routes below the root."""
    return [
        Route("/health", _health),
        Route("/sandbox/requests", _requests),
        Route("/sandbox/requests/{request_id}/approve", _approve, methods=["POST"]),
        Route("/sandbox/requests/{request_id}/deny", _deny, methods=["POST"]),
        Route("/tsa", _time_stamp, methods=["POST"]),
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


async def _time_stamp(request: Request) -> Response:
    query = b""
    async for piece in request.stream():
        query += piece
        if len(query) > _MAX_QUERY:
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This is no time stamp query: it is too large.")
    service = service_of(request)
    answer = service.answer_time_stamp_query(query, service.clock.now())
    return Response(answer, media_type="application/timestamp-reply")
