"""What a refusal looks like: a page for people, JSON for programs."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from signpath_ci.sandbox.policies import RefusalError
from signpath_ci.sandbox.problems import ProblemError, bad_field, forbidden, problem_answer
from signpath_ci.sandbox.submission import UnknownFieldError
from signpath_ci.sandbox.web.pages import render

_TITLES = {
    HTTPStatus.NOT_FOUND: "This page does not exist",
    HTTPStatus.FORBIDDEN: "You may not do that",
    HTTPStatus.CONFLICT: "That is not possible any more",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is too large",
    HTTPStatus.METHOD_NOT_ALLOWED: "This page takes no such call",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The sandbox failed",
}


async def error_answer(request: Request, error: Exception) -> Response:
    """Turn an exception into the answer; the handler of Starlette's for all that routes raise."""
    problem = as_problem(error)
    if not _is_for_people(request):
        return problem_answer(request, problem)
    answer = render(
        request,
        "error.html",
        problem.status,
        title=_TITLES.get(problem.status, problem.status.phrase),
        status=f"{problem.status.value} {problem.status.phrase}",
        detail=problem.detail,
        how_to_fix="" if not problem.errors else " ".join(text for texts in problem.errors.values() for text in texts),
    )
    answer.headers.update(problem.headers or {})
    return answer


def as_problem(error: Exception) -> ProblemError:
    """Return any error as problem details."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, UnknownFieldError):
        return bad_field(error.field, error.cause)
    if isinstance(error, RefusalError):
        return forbidden(str(error))
    if isinstance(error, HTTPException):
        return ProblemError(HTTPStatus(error.status_code), error.detail, headers=error.headers)
    # The server drops the connection after a defect: a client that does not know would send its next call into it.
    return ProblemError(
        HTTPStatus.INTERNAL_SERVER_ERROR, "The sandbox failed; its log says more.", headers={"Connection": "close"}
    )


def _is_for_people(request: Request) -> bool:
    """Whether a browser asks: for a page, or for anything else that it shows to its user."""
    path = request.url.path
    accepts_pages = "text/html" in request.headers.get("accept", "")
    return accepts_pages and (request.method == "GET" or path.startswith("/web/"))
