"""Errors as SignPath answers them: RFC 9457 problem details (wire contract, "Errors")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from signpath_ci.sandbox.api.versions import NEWEST, PROBLEM_DETAILS

_MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """An answer with problem details.

    Args:
        status: the HTTP status.
        detail: what is wrong, for people.
        errors: for bad fields, what is wrong with each.
        headers: of the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status, self.detail, self.errors, self.headers = status, detail, errors, headers
        super().__init__(detail)


def bad_field(name: str, problem: str) -> ProblemError:
    """Return the error for one bad field."""
    return bad_fields({name: [problem]})


def bad_fields(errors: Mapping[str, Sequence[str]]) -> ProblemError:
    """Return the error for bad fields."""
    return ProblemError(HTTPStatus.BAD_REQUEST, "One or more fields are missing or wrong.", errors=errors)


def forbidden(detail: str) -> ProblemError:
    """Return the error for what the caller may not do; `detail` names the specific cause."""
    return ProblemError(HTTPStatus.FORBIDDEN, detail)


def not_found(detail: str) -> ProblemError:
    """Return the error for what is not there."""
    return ProblemError(HTTPStatus.NOT_FOUND, detail)


def conflict(detail: str) -> ProblemError:
    """Return the error for what a request's state does not allow."""
    return ProblemError(HTTPStatus.CONFLICT, detail)


def problem_answer(request: Request, error: Exception) -> Response:
    """Turn an exception into the answer; handler of Starlette's for `ProblemError` and its own `HTTPException`."""
    if isinstance(error, HTTPException):
        error = ProblemError(HTTPStatus(error.status_code), str(error.detail), headers=error.headers)
    if not isinstance(error, ProblemError):
        # The server drops the connection after a defect: a client that does not know would send its next call into it.
        detail, headers = "The sandbox failed; its log says more.", {"Connection": "close"}
        error = ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, detail, headers=headers)
    if _is_before_problem_details(request):
        texts = [error.detail, *(f"{name}: {text}" for name, each in (error.errors or {}).items() for text in each)]
        return PlainTextResponse("\n".join(texts), error.status.value, error.headers)
    body: dict[str, object] = {
        "type": "about:blank",
        "title": error.status.phrase,
        "status": error.status.value,
        "detail": error.detail,
    }
    if error.errors:
        body["errors"] = {name: list(problems) for name, problems in error.errors.items()}
    return JSONResponse(body, error.status.value, error.headers, media_type=_MEDIA_TYPE)


def _is_before_problem_details(request: Request) -> bool:
    """Whether the server that is played answers errors of its REST API as plain text."""
    app = request.scope.get("app")  # not there yet where a call is refused before it is routed
    version = app.state.service.version if app else NEWEST
    return version < PROBLEM_DETAILS and request.url.path.startswith("/api/")
