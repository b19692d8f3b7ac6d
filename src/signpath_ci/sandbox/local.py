"""The sandbox's own routes, beside SignPath's: for tests, for people at the web page, and for time stamps."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from signpath_ci.sandbox.policies import require_permission
from signpath_ci.sandbox.problems import ProblemError, conflict, forbidden
from signpath_ci.sandbox.service import authenticated, known_request, service_of
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.store import SigningRequest
from signpath_ci.sandbox.views import sandbox_view

_ANYBODY = "somebody at the sandbox"
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
    return JSONResponse(sandbox_view(request, approve(request)))


async def _deny(request: Request) -> Response:
    return JSONResponse(sandbox_view(request, deny(request)))


def approve(request: Request) -> SigningRequest:
    """Count one approval of the request that the path names; the last one needed sets it going.

    Raises:
        ProblemError: 409 where it does not wait for one, or the same user has approved already.
        RefusalError: a token is sent that may not approve.
    """
    service, decision = service_of(request), _decision(request)
    waiting = decision.signing_request
    if decision.by in waiting.approvals and decision.by != _ANYBODY:
        raise conflict(f"The user '{decision.by}' has approved this signing request already.")
    approvals = (*waiting.approvals, decision.by)
    project = service.configuration.project(waiting.project_slug)
    policy = project.signing_policy(waiting.signing_policy_slug) if project else None
    is_enough = policy is None or len(approvals) >= policy.required_approvals
    state = State.QUEUED_FOR_PROCESSING if is_enough else waiting.state
    changed = service.store.change(waiting.id, waiting.state, state=state, approvals=approvals)
    if is_enough:
        service.processor.wake(waiting.id)
    return changed or waiting


def deny(request: Request) -> SigningRequest:
    """End the request that the path names.

    Raises:
        ProblemError: 409 where it does not wait for approval.
        RefusalError: a token is sent that may not approve.
    """
    decision = _decision(request)
    waiting = decision.signing_request
    ended = service_of(request).processor.end(waiting, State.DENIED, failure=f"Denied by {decision.by}.")
    return ended or waiting


@dataclass(frozen=True)
class _Decision:
    signing_request: SigningRequest
    by: str


def _decision(request: Request) -> _Decision:
    """Return what is decided on and by whom: whoever sends a token needs the permission; a person sends none."""
    signing_request = known_request(service_of(request), request.path_params)
    by = _ANYBODY
    if "authorization" in request.headers:
        token = authenticated(request).token
        require_permission(token, "approve", signing_request.project_slug, signing_request.signing_policy_slug)
        by = token.name
    elif _is_foreign_page(request):
        raise forbidden("A page of another site may not decide here.")
    if signing_request.state is not State.WAITING_FOR_APPROVAL:
        raise conflict(f"The signing request does not wait for approval (status {signing_request.state.status}).")
    return _Decision(signing_request, by)


def _is_foreign_page(request: Request) -> bool:
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


async def _time_stamp(request: Request) -> Response:
    query = b""
    async for piece in request.stream():
        query += piece
        if len(query) > _MAX_QUERY:
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This is no time stamp query: it is too large.")
    service = service_of(request)
    answer = service.answer_time_stamp_query(query, service.clock.now())
    return Response(answer, media_type="application/timestamp-reply")
