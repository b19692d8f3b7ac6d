"""The calls of the REST API that follow a signing request, and decide about it (wire contract, "Follow")."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from signpath_ci.sandbox import operations
from signpath_ci.sandbox.api.bodies import json_texts
from signpath_ci.sandbox.api.organization import certificate_answer
from signpath_ci.sandbox.api.views import BYTES, ArtifactResponse, artifact_answer, status_view, whole_view
from signpath_ci.sandbox.outcome import description_xml, read_steps
from signpath_ci.sandbox.policies import permitted_policies
from signpath_ci.sandbox.problems import not_found
from signpath_ci.sandbox.service import authenticated, permitted_request, require_completed, service_of
from signpath_ci.sandbox.store import Query

_LISTED = 100


async def list_requests(request: Request) -> Response:
    """Answer with the newest requests that the caller may read. **Inferred**: the form of the list is not public."""
    service, caller = service_of(request), authenticated(request)
    query = Query(policies=permitted_policies(service.configuration, caller.user, "read"), own=caller.user.name)
    found = service.store.page(query, number=1, size=_LISTED).requests
    return JSONResponse([whole_view(request, service.configuration, each) for each in found])


async def status(request: Request) -> Response:
    """Answer with where a request stands."""
    signing_request, _ = permitted_request(request, "read")
    return JSONResponse(status_view(signing_request))


async def whole(request: Request) -> Response:
    """Answer with the whole request."""
    signing_request, _ = permitted_request(request, "read")
    return JSONResponse(whole_view(request, service_of(request).configuration, signing_request))


async def signed_artifact(request: Request) -> Response:
    """Answer with the signed artifact."""
    signing_request, _ = permitted_request(request, "read")
    require_completed(signing_request)
    return artifact_answer(service_of(request).store, signing_request, signed=True)


async def unsigned_artifact(request: Request) -> Response:
    """Answer with the unsigned artifact."""
    signing_request, _ = permitted_request(request, "read")
    if signing_request.unsigned_sha256 is None:
        raise not_found("The signing request has no artifact yet.")
    return artifact_answer(service_of(request).store, signing_request, signed=False)


async def build_settings_file(request: Request) -> Response:
    """Answer with the pipeline's definition."""
    signing_request, _ = permitted_request(request, "read")
    origin = signing_request.origin
    if origin is None or origin.build_settings_file_name is None:
        raise not_found("The signing request has no build settings file.")
    path = service_of(request).store.build_settings(signing_request.id)
    return ArtifactResponse(path, media_type=BYTES, filename=origin.build_settings_file_name)


async def artifact_description(request: Request) -> Response:
    """Answer with the resolved artifact: what was done to each nested file."""
    signing_request, _ = permitted_request(request, "read")
    steps = read_steps(service_of(request).store.steps(signing_request.id))
    if not steps:
        raise not_found("The signing request was not processed by an artifact configuration yet.")
    return Response(description_xml(signing_request.file_name, steps), media_type="application/xml")


async def cancel(request: Request) -> Response:
    """End a request."""
    signing_request, caller = permitted_request(request, "submit")
    operations.cancel(service_of(request), signing_request, by=caller.user.name)
    return Response(status_code=HTTPStatus.OK)


async def approve(request: Request) -> Response:
    """Count the caller's approval; the body may be empty, or carry a reason. **Inferred**: its name."""
    signing_request, caller = permitted_request(request, "approve")
    reason = (await json_texts(request)).get("reason") or None
    operations.approve(service_of(request), signing_request, by=caller.user.name, reason=reason)
    return Response(status_code=HTTPStatus.OK)


async def deny(request: Request) -> Response:
    """End a request that waits for approval; the body as for `approve`."""
    signing_request, caller = permitted_request(request, "approve")
    reason = (await json_texts(request)).get("reason") or None
    operations.deny(service_of(request), signing_request, by=caller.user.name, reason=reason)
    return Response(status_code=HTTPStatus.OK)


async def certificate(request: Request) -> Response:
    """Answer with the certificate that a request is signed with."""
    signing_request, _ = permitted_request(request, "read")
    project = service_of(request).configuration.project(signing_request.project_slug)
    policy = project.signing_policy(signing_request.signing_policy_slug) if project else None
    if policy is None:
        raise not_found("The signing policy does not exist any more.")
    return certificate_answer(request, policy)
