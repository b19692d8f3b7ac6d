"""The page of one signing request, and its downloads."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from signpath_ci.sandbox.api.views import BYTES, ArtifactResponse, artifact_answer
from signpath_ci.sandbox.outcome import read_steps
from signpath_ci.sandbox.policies import may
from signpath_ci.sandbox.problems import forbidden, not_found
from signpath_ci.sandbox.service import Service, known_request, require_completed, service_of
from signpath_ci.sandbox.signing_request import Check, SigningRequest
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.web.formatting import size
from signpath_ci.sandbox.web.pages import HEADERS, can_approve, may_read, person, render, request_page
from signpath_ci.sandbox.web.trees import tree_of_steps

_MALWARE_SCAN = Check(name="Malware scan", result="not-checked", detail="The sandbox does not scan.")
_LINE = re.compile(r"\bline (\d{1,7})\b")


def readable_request(request: Request) -> SigningRequest:
    """Return the request that the path names, if the person may see it.

    Raises:
        ProblemError: 404 or 403.
    """
    service = service_of(request)
    if request.path_params["organization_id"] != service.configuration.organization_id:
        raise not_found(f"There is no organization '{request.path_params['organization_id']}' here.")
    found = known_request(service, request.path_params)
    if not may_read(request, found):
        raise forbidden(
            f"{person(request).name} may not see this signing request: it takes a reader of the signing policy "
            f"'{found.signing_policy_slug}' in project '{found.project_slug}', or its submitter."
        )
    return found


async def show_request(request: Request) -> Response:
    """Answer with the page of a request."""
    service, found = service_of(request), readable_request(request)
    return render(
        request,
        "request.html",
        section="requests",
        request=found,
        live_version=f"{len(found.history)}.{len(found.decisions)}.{found.webhook is not None}",
        artifacts=_artifacts(service, found),
        checks=[*found.checks, _MALWARE_SCAN],
        tree=tree_of_steps(found.file_name, read_steps(service.store.steps(found.id))),
        is_by_content=not service.store.artifact_configuration(found.id).exists(),
        failure_line=match[1] if found.failure and (match := _LINE.search(found.failure)) else None,
        **_names(service, found),
        **_rights(request, found),
    )


def _names(service: Service, found: SigningRequest) -> dict[str, Any]:
    """Return what project, policy and configuration are called now; they may be gone since the submit."""
    project = service.configuration.project(found.project_slug)
    policy = project.signing_policy(found.signing_policy_slug) if project else None
    configuration = project.artifact_configuration(found.artifact_configuration_slug) if project else None
    required = policy.required_approvals if policy else 0
    return {
        "project_name": project.name if project else found.project_slug,
        "policy_name": policy.name if policy else found.signing_policy_slug,
        "configuration_name": configuration.name if configuration else found.artifact_configuration_slug,
        "configuration_link": f"/web/projects/{found.project_slug}/configurations/{found.artifact_configuration_slug}",
        "certificate": policy.certificate if policy else None,
        "required_approvals": required,
        "approvals_left": max(0, required - len(found.approvals)),
        "submitter_may_approve": policy.submitter_may_approve if policy else True,
    }


def _rights(request: Request, found: SigningRequest) -> dict[str, Any]:
    """Return what the person may do with a request."""
    service, user = service_of(request), person(request)
    waits = found.state is State.WAITING_FOR_APPROVAL
    project = service.configuration.project(found.project_slug)
    policies = project.signing_policies if project else ()
    may_submit = may(user, "submit", found.project_slug, found.signing_policy_slug)
    can = waits and can_approve(service.configuration, user, found)
    return {
        "can_approve": can,
        "why_not": "" if can or not waits else _why_not(request, found),
        "can_cancel": may_submit and not found.state.is_final,
        "can_retry": may_submit and found.state.status == "Failed",
        "can_resubmit": found.state is State.COMPLETED
        and any(may(user, "submit", found.project_slug, policy.slug) for policy in policies),
    }


def _why_not(request: Request, found: SigningRequest) -> str:
    user = person(request)
    if not may(user, "approve", found.project_slug, found.signing_policy_slug):
        return f"{user.name} is not an approver of this signing policy: choose another user above."
    if user.name in found.approvals:
        return f"{user.name} has approved already: another approver has to."
    return f"{user.name} submitted the request, and this signing policy does not let the submitter approve."


def _artifacts(service: Service, found: SigningRequest) -> list[dict[str, str | None]]:
    return [
        _artifact(service, found, signed=False),
        _artifact(service, found, signed=True),
    ]


def _artifact(service: Service, found: SigningRequest, *, signed: bool) -> dict[str, str | None]:
    path = (service.store.signed if signed else service.store.unsigned)(found.id)
    sha256 = found.signed_sha256 if signed else found.unsigned_sha256
    state = "not there yet" if not found.state.is_final else "there is none"
    link = None
    if sha256:
        state = size(path.stat().st_size) if path.exists() else "deleted"
        action = "SignedArtifact" if signed else "UnsignedArtifact"
        link = request_page(service.configuration.organization_id, found.id, action) if path.exists() else None
    return {
        "title": f"{'Signed' if signed else 'Unsigned'} artifact",
        "state": f"{found.file_name}, {state}" if sha256 else state,
        "sha256": sha256,
        "link": link,
    }


async def download_unsigned(request: Request) -> Response:
    """Answer with the unsigned artifact."""
    found = readable_request(request)
    if found.unsigned_sha256 is None:
        raise not_found("The signing request has no artifact yet.")
    return artifact_answer(service_of(request).store, found, signed=False)


async def download_signed(request: Request) -> Response:
    """Answer with the signed artifact."""
    found = readable_request(request)
    require_completed(found)
    return artifact_answer(service_of(request).store, found, signed=True)


async def download_build_settings(request: Request) -> Response:
    """Answer with the pipeline's definition."""
    found = readable_request(request)
    origin = found.origin
    if origin is None or origin.build_settings_file_name is None:
        raise not_found("The signing request has no build settings file.")
    path = service_of(request).store.build_settings(found.id)
    return ArtifactResponse(path, media_type=BYTES, filename=origin.build_settings_file_name)


async def show_artifact_configuration(request: Request) -> Response:
    """Answer with the artifact configuration that applied when the request was submitted."""
    found = readable_request(request)
    path = service_of(request).store.artifact_configuration(found.id)
    if not path.exists():
        raise not_found("The signing request has no artifact configuration in XML.")
    # As plain text: a browser must not take what somebody has typed for a page.
    return Response(path.read_bytes(), media_type="text/plain; charset=utf-8", headers=HEADERS)
