"""Rendering: templates, the headers of every page, and the person who looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from signpath_ci import __version__
from signpath_ci.sandbox.config import Configuration, User
from signpath_ci.sandbox.defaults import ADMINISTRATOR
from signpath_ci.sandbox.policies import may, permitted_policies
from signpath_ci.sandbox.problems import ProblemError
from signpath_ci.sandbox.receiving import pieces
from signpath_ci.sandbox.service import service_of
from signpath_ci.sandbox.signing_request import SigningRequest
from signpath_ci.sandbox.store import Query, Store
from signpath_ci.sandbox.web import formatting

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_COOKIE = "sandbox-user"
_MAX_FORM = 2 * 1024 * 1024
_MAX_WAITING = 100


def render(request: Request, template: str, status: HTTPStatus = HTTPStatus.OK, /, **context: object) -> Response:
    """Return a page.

    Args:
        request: what it answers.
        template: name of a file in `templates`.
        status: of the answer.
        context: the template's variables, beside those that every page has.
    """
    service = service_of(request)
    user = person(request)
    page = (
        _environment()
        .get_template(template)
        .render(
            {
                "organization": service.configuration.organization_name,
                "organization_id": service.configuration.organization_id,
                "people": service.configuration.people or (ADMINISTRATOR,),
                "user": user,
                "waiting_count": len(waiting_for(service.store, service.configuration, user)),
                "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
                "section": "",
                "version": __version__,
                "link": request_page,
                **context,
            }
        )
    )
    return Response(page, status, HEADERS, media_type="text/html; charset=utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(formatting.FILTERS)
    return environment


def person(request: Request) -> User:
    """Return who looks at the page: whoever was chosen, or the first person of the configuration."""
    people = service_of(request).configuration.people or (ADMINISTRATOR,)
    chosen = unquote(request.cookies.get(_COOKIE, ""))
    return next((user for user in people if user.name == chosen), people[0])


def choose_person(response: Response, name: str) -> None:
    """Have the browser remember who looks at the pages."""
    # The path is "/", since browsers compare it with regard to case, and pages are called as /Web/ and as /web/.
    response.set_cookie(_COOKIE, quote(name), httponly=True, samesite="strict", path="/")


def may_read(request: Request, signing_request: SigningRequest) -> bool:
    """Whether the person may see a request: a reader of its policy, or its submitter."""
    user = person(request)
    by_role = may(user, "read", signing_request.project_slug, signing_request.signing_policy_slug)
    return by_role or user.name == signing_request.submitter


def waiting_for(store: Store, configuration: Configuration, user: User) -> list[SigningRequest]:
    """Return the requests that wait for the approval of a user, the newest first, a hundred at most."""
    policies = permitted_policies(configuration, user, "approve")
    if not policies:
        return []
    query = Query(status="WaitingForApproval", policies=policies)
    found = store.page(query, number=1, size=_MAX_WAITING).requests
    return [waiting for waiting in found if can_approve(configuration, user, waiting)]


def can_approve(configuration: Configuration, user: User, waiting: SigningRequest) -> bool:
    """Whether the approval of a user would count."""
    project = configuration.project(waiting.project_slug)
    policy = project.signing_policy(waiting.signing_policy_slug) if project else None
    if policy is None or not may(user, "approve", waiting.project_slug, policy.slug):
        return False
    is_own = user.name == waiting.submitter and not policy.submitter_may_approve
    return not is_own and user.name not in waiting.approvals


def request_page(organization_id: str, signing_request_id: str, action: str = "") -> str:
    """Return the path of a request's page, as SignPath spells it."""
    return f"/Web/{organization_id}/SigningRequests/{signing_request_id}{action and '/' + action}"


def see(path: str) -> Response:
    """Return the answer to a form: look there."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


async def form_fields(request: Request) -> Mapping[str, str]:
    """Return the fields of a page's form (application/x-www-form-urlencoded); of a name that is there twice the last.

    Raises:
        ProblemError: 413 where it is larger than any of this package's forms.
    """
    body = b""
    async for piece in pieces(request):
        body += piece
        if len(body) > _MAX_FORM:
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The form is too large.")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The form can't be read.") from None
    return {name: values[-1] for name, values in fields.items()}
