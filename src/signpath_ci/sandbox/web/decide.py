"""What a person decides about a request: approve, deny, cancel, resubmit."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from signpath_ci.sandbox import operations
from signpath_ci.sandbox.config import SigningPolicy
from signpath_ci.sandbox.policies import Caller, RefusalError, may
from signpath_ci.sandbox.problems import ProblemError, conflict
from signpath_ci.sandbox.service import require_access, service_of
from signpath_ci.sandbox.signing_request import SigningRequest
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.submission import target_by_slugs
from signpath_ci.sandbox.web.details import readable_request
from signpath_ci.sandbox.web.errors import as_problem
from signpath_ci.sandbox.web.pages import form_fields, person, render, request_page, see

_MAX_REASON = 2000
_MAX_DESCRIPTION = 1000


async def approve(request: Request) -> Response:
    """Count the person's approval."""
    found, user = readable_request(request), person(request)
    require_access(user, "approve", found)
    reason = (await form_fields(request)).get("reason", "").strip()[:_MAX_REASON]
    return _to(request, operations.approve(service_of(request), found, by=user.name, reason=reason or None))


async def deny(request: Request) -> Response:
    """End the request."""
    found, user = readable_request(request), person(request)
    require_access(user, "approve", found)
    reason = (await form_fields(request)).get("reason", "").strip()[:_MAX_REASON]
    return _to(request, operations.deny(service_of(request), found, by=user.name, reason=reason or None))


async def cancel(request: Request) -> Response:
    """End the request."""
    found, user = readable_request(request), person(request)
    require_access(user, "submit", found)
    return _to(request, operations.cancel(service_of(request), found, by=user.name))


async def resubmit_form(request: Request) -> Response:
    """Answer with the form for another signing policy."""
    return _form(request, _completed(request))


async def resubmit(request: Request) -> Response:
    """Submit the artifact under another signing policy."""
    found = _completed(request)
    fields = await form_fields(request)
    description = fields.get("description", "").strip()[:_MAX_DESCRIPTION]
    try:
        return _resubmit(request, found, fields.get("policy", ""), description)
    except (RefusalError, ProblemError) as error:
        problem = as_problem(error)
        errors = [text for texts in (problem.errors or {}).values() for text in texts] or [problem.detail]
        return _form(request, found, fields.get("policy"), description, errors=errors, status=problem.status)


async def resubmit_with_current_settings(request: Request) -> Response:
    """Submit the artifact of a failed request again, under what policy and configuration say now."""
    found = readable_request(request)
    if found.state.status != "Failed":
        raise conflict(f"Only a failed signing request can be resubmitted so (status {found.state.status}).")
    return _resubmit(request, found, found.signing_policy_slug, None)


def _completed(request: Request) -> SigningRequest:
    found = readable_request(request)
    if found.state is not State.COMPLETED:
        raise conflict(f"Only a completed signing request can be resubmitted (status {found.state.status}).")
    return found


def _resubmit(request: Request, found: SigningRequest, policy_slug: str, description: str | None) -> Response:
    service = service_of(request)
    target = target_by_slugs(service.configuration, found.project_slug, policy_slug, found.artifact_configuration_slug)
    caller = Caller(user=person(request))
    return _to(request, operations.resubmit(service, caller, found, target, description=description))


def _form(
    request: Request,
    found: SigningRequest,
    chosen: str | None = None,
    description: str | None = None,
    *,
    errors: list[str] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    return render(
        request,
        "resubmit.html",
        status,
        section="requests",
        request=found,
        policies=_policies(request, found),
        chosen_policy=chosen,
        description=(found.description or "") if description is None else description,
        errors=errors or [],
    )


def _policies(request: Request, found: SigningRequest) -> list[SigningPolicy]:
    project = service_of(request).configuration.project(found.project_slug)
    user = person(request)
    policies = project.signing_policies if project else ()
    return [policy for policy in policies if may(user, "submit", found.project_slug, policy.slug)]


def _to(request: Request, found: SigningRequest) -> Response:
    return see(request_page(service_of(request).configuration.organization_id, found.id))
