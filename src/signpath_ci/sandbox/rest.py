"""SignPath's REST API (wire contract, "REST API"). Paths stand here in lower case: `app` folds what comes in."""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.forms import Form, received_form
from signpath_ci.sandbox.operations import cancel, resubmit, start
from signpath_ci.sandbox.outcome import description_xml, read_steps
from signpath_ci.sandbox.policies import Caller
from signpath_ci.sandbox.problems import ProblemError, bad_field, bad_fields, conflict, forbidden, not_found
from signpath_ci.sandbox.receiving import announced_length, pieces, receiving, refuse_too_large
from signpath_ci.sandbox.retrieval import is_retrievable
from signpath_ci.sandbox.service import Service, authenticated, permitted_request, require_completed, service_of
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.store import Retrieval, SigningRequest
from signpath_ci.sandbox.submission import Target, base_name, draft, target_by_ids, target_by_slugs
from signpath_ci.sandbox.views import (
    BYTES,
    ArtifactResponse,
    artifact_answer,
    request_link,
    status_view,
    web_link,
    whole_view,
)

_BUILD_SETTINGS = "origin.builddata.buildsettingsfile"


def rest_routes() -> list[BaseRoute]:
    """Return the routes below the root."""
    all_requests = "/api/v1/{organization_id}/signingrequests"
    one = all_requests + "/{request_id}"
    return [
        Route(all_requests, _submit_with_artifact, methods=["POST"]),
        Route(f"{all_requests}/submitwithartifact", _submit_with_artifact, methods=["POST"]),
        Route(f"{all_requests}/submitwithoutartifact", _submit_without_artifact, methods=["POST"]),
        Route(f"{all_requests}/submitwithartifactretrievallink", _submit_with_link, methods=["POST"]),
        Route(f"{all_requests}/resubmit", _resubmit, methods=["POST"]),
        Route(f"{one}/uploadunsignedartifact", _upload, methods=["POST"]),
        Route(f"{one}/status", _status),
        Route(one, _whole),
        Route(f"{one}/signedartifact", _signed_artifact),
        Route(f"{one}/unsignedartifact", _unsigned_artifact),
        Route(f"{one}/buildsettingsfile", _build_settings_file),
        Route(f"{one}/artifactdescriptionxml", _artifact_description),
        Route(f"{one}/cancel", _cancel, methods=["POST"]),
    ]


async def _submit_with_artifact(request: Request) -> Response:
    service, caller = service_of(request), authenticated(request)
    async with _form(request, service) as form:
        drafted = _drafted(service, caller, form)
        artifact = form.files.get("artifact")
        if artifact is None:
            raise bad_field("artifact", "The field artifact is required, as a file.")
        if artifact.size == 0:
            raise bad_field("artifact", "The file is empty.")
        artifact.keep(service.store.unsigned(drafted.id))
        return _add(
            request,
            service,
            form,
            replace(drafted, file_name=base_name(artifact.name), unsigned_sha256=artifact.sha256),
        )


async def _submit_without_artifact(request: Request) -> Response:
    service, caller = service_of(request), authenticated(request)
    async with _form(request, service) as form:
        file_name, sha256 = form.required("unsignedArtifactMetadata.fileName", "unsignedArtifactMetadata.sha256Hash")
        drafted = _drafted(service, caller, form, file_name=file_name)
        sha256 = _sha256_field("unsignedArtifactMetadata.sha256Hash", sha256)
        return _add(
            request,
            service,
            form,
            replace(drafted, state=State.WAITING_FOR_ARTIFACT_UPLOAD, announced_sha256=sha256),
        )


async def _submit_with_link(request: Request) -> Response:
    service, caller = service_of(request), authenticated(request)
    async with _form(request, service) as form:
        url, file_name, sha256 = form.required(
            *(f"artifactRetrievalLink.{n}" for n in ("url", "fileName", "sha256Hash"))
        )
        drafted = _drafted(service, caller, form, file_name=file_name)
        sha256 = _sha256_field("artifactRetrievalLink.sha256Hash", sha256)
        if not is_retrievable(url):
            raise bad_field("artifactRetrievalLink.url", "Must be an http or https link.")
        link = Retrieval(url=url, headers=form.retrieval_headers())
        return _add(request, service, form, replace(drafted, retrieval=link, announced_sha256=sha256))


async def _resubmit(request: Request) -> Response:
    service, caller = service_of(request), authenticated(request)
    async with _form(request, service) as form:
        (original_id,) = form.required("originalSigningRequestId")
        original = service.store.find(original_id)
        if original is None:
            raise bad_field("originalSigningRequestId", f"There is no signing request '{original_id}'.")
        if original.unsigned_sha256 is None:
            raise bad_field("originalSigningRequestId", "The original signing request has no artifact.")
        target = _target(service, form, original=original)
        resubmitted = resubmit(service, caller, original, target, description=form.optional("description"))
        return _created(request, service, resubmitted)


async def _upload(request: Request) -> Response:
    signing_request, _ = permitted_request(request, "submit")
    service = service_of(request)
    limit = service.configuration.max_artifact_bytes
    _require_waiting_for_upload(signing_request)
    refuse_too_large(announced_length(request), limit)
    with receiving(service.store.incoming(), limit=limit) as receiver:
        async for piece in pieces(request):
            receiver.write(piece)
        artifact = receiver.finish(signing_request.file_name)
        if artifact.size == 0:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "The uploaded artifact is empty.")
        if artifact.sha256 != signing_request.announced_sha256:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                f"The uploaded artifact has SHA-256 {artifact.sha256}, but {signing_request.announced_sha256} "
                "was announced.",
            )
        # Another upload may have been faster. From here to the change nothing else runs on this loop.
        _require_waiting_for_upload(service.store.find(signing_request.id) or signing_request)
        artifact.keep(service.store.unsigned(signing_request.id))
        service.store.change(
            signing_request.id, signing_request.state, state=State.SUBMITTED, unsigned_sha256=artifact.sha256
        )
    service.processor.wake(signing_request.id)
    return Response(status_code=HTTPStatus.ACCEPTED)


def _require_waiting_for_upload(signing_request: SigningRequest) -> None:
    if signing_request.state is not State.WAITING_FOR_ARTIFACT_UPLOAD:
        raise conflict(
            "The signing request does not wait for an artifact: it has one already, or has ended "
            f"(status {signing_request.state.status})."
        )


async def _status(request: Request) -> Response:
    signing_request, _ = permitted_request(request, "read")
    return JSONResponse(status_view(signing_request))


async def _whole(request: Request) -> Response:
    signing_request, _ = permitted_request(request, "read")
    return JSONResponse(whole_view(request, service_of(request).configuration, signing_request))


async def _signed_artifact(request: Request) -> Response:
    signing_request, _ = permitted_request(request, "read")
    require_completed(signing_request)
    return artifact_answer(service_of(request).store, signing_request, signed=True)


async def _unsigned_artifact(request: Request) -> Response:
    signing_request, _ = permitted_request(request, "read")
    if signing_request.unsigned_sha256 is None:
        raise not_found("The signing request has no artifact yet.")
    return artifact_answer(service_of(request).store, signing_request, signed=False)


async def _build_settings_file(request: Request) -> Response:
    signing_request, _ = permitted_request(request, "read")
    origin = signing_request.origin
    if origin is None or origin.build_settings_file_name is None:
        raise not_found("The signing request has no build settings file.")
    path = service_of(request).store.build_settings(signing_request.id)
    return ArtifactResponse(path, media_type=BYTES, filename=origin.build_settings_file_name)


async def _artifact_description(request: Request) -> Response:
    signing_request, _ = permitted_request(request, "read")
    steps = read_steps(service_of(request).store.steps(signing_request.id))
    if not steps:
        raise not_found("The signing request was not processed by an artifact configuration yet.")
    return Response(description_xml(signing_request.file_name, steps), media_type="application/xml")


async def _cancel(request: Request) -> Response:
    signing_request, caller = permitted_request(request, "submit")
    cancel(service_of(request), signing_request, by=caller.user.name)
    return Response(status_code=HTTPStatus.OK)


def _form(request: Request, service: Service) -> AbstractAsyncContextManager[Form]:
    return received_form(request, incoming=service.store.incoming, limit=service.configuration.max_artifact_bytes)


def _drafted(service: Service, caller: Caller, form: Form, *, file_name: str = "artifact") -> SigningRequest:
    return draft(
        caller,
        _target(service, form),
        now=service.clock.now(),
        file_name=file_name,
        description=form.optional("description"),
        parameters=form.parameters(),
        origin=_origin(form, caller),
    )


def _target(service: Service, form: Form, *, original: SigningRequest | None = None) -> Target:
    """Find what a form's slugs or ids name; a resubmit stays in the original's project."""
    ids = [name for name in ("signingPolicyId", "artifactConfigurationId") if form.optional(name)]
    slugs = [n for n in ("projectSlug", "signingPolicySlug", "artifactConfigurationSlug") if form.optional(n)]
    if ids and slugs:
        raise bad_fields({name: [f"Ids and slugs can't be mixed: {slugs[0]} is given too."] for name in ids})
    configuration = service.configuration
    if ids:
        (policy_id,) = form.required("signingPolicyId")
        return target_by_ids(configuration, policy_id, form.optional("artifactConfigurationId"))
    if original:
        (policy_slug,) = form.required("signingPolicySlug")
        return target_by_slugs(configuration, original.project_slug, policy_slug, original.artifact_configuration_slug)
    project_slug, policy_slug = form.required("projectSlug", "signingPolicySlug")
    return target_by_slugs(configuration, project_slug, policy_slug, form.optional("artifactConfigurationSlug"))


def _origin(form: Form, caller: Caller) -> RecordedOrigin | None:
    sent = [name for name in (*form.fields, *form.files) if name.lower().startswith("origin.")]
    if not sent:
        return None
    if caller.trusted_build_system is None:
        raise forbidden(
            f"The user '{caller.user.name}' is no trusted build system, and only such a one may send origin data "
            f"({sent[0]}). Send '{{apiToken}}:{{trustedBuildSystemToken}}' as the token, or no origin data."
        )
    settings = form.files.get(_BUILD_SETTINGS)
    return RecordedOrigin(
        repository_url=form.optional("origin.repositoryData.url"),
        branch=form.optional("origin.repositoryData.branchName"),
        commit=form.optional("origin.repositoryData.commitId"),
        scm=form.optional("origin.repositoryData.sourceControlManagementType"),
        build_url=form.optional("origin.buildData.url"),
        build_settings_file_name=base_name(settings.name) if settings else None,
    )


def _sha256_field(name: str, value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise bad_field(name, "Must be a SHA-256 hash as 64 hexadecimal digits.")
    return value.lower()


def _add(request: Request, service: Service, form: Form, signing_request: SigningRequest) -> Response:
    """Keep a new request, set it going, and answer 201."""
    settings = form.files.get(_BUILD_SETTINGS)
    if settings:
        settings.keep(service.store.build_settings(signing_request.id))
    start(service, signing_request)
    return _created(request, service, signing_request)


def _created(request: Request, service: Service, signing_request: SigningRequest) -> Response:
    answer = {
        "signingRequestId": signing_request.id,
        "webLink": web_link(request, signing_request),
        **whole_view(request, service.configuration, signing_request),
    }
    if signing_request.state is State.WAITING_FOR_ARTIFACT_UPLOAD:
        answer["uploadLink"] = request_link(request, signing_request, "UploadUnsignedArtifact")
    return JSONResponse(answer, HTTPStatus.CREATED, {"Location": request_link(request, signing_request)})
