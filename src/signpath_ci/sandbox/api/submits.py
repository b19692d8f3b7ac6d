"""The calls of the REST API that make a signing request (wire contract, "Submit")."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox import operations
from signpath_ci.sandbox.api.bodies import json_texts
from signpath_ci.sandbox.api.versions import CANCELLATION_TIMEOUT
from signpath_ci.sandbox.api.views import (
    request_link,
    whole_view,
)
from signpath_ci.sandbox.forms import Form, received_form
from signpath_ci.sandbox.policies import Caller
from signpath_ci.sandbox.problems import ProblemError, bad_field, bad_fields, conflict, forbidden
from signpath_ci.sandbox.receiving import announced_length, pieces, receiving, refuse_too_large
from signpath_ci.sandbox.retrieval import is_retrievable
from signpath_ci.sandbox.service import Service, authenticated, permitted_request, service_of
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.store import Retrieval, SigningRequest
from signpath_ci.sandbox.submission import Target, base_name, draft, target_by_ids, target_by_slugs

_MAX_DIGITS = 9
_BUILD_SETTINGS = "origin.builddata.buildsettingsfile"


async def submit_with_artifact(request: Request) -> Response:
    """Take metadata and artifact in one call."""
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


async def submit_without_artifact(request: Request) -> Response:
    """Take the metadata; the artifact is uploaded with another call."""
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


async def submit_with_link(request: Request) -> Response:
    """Take the metadata and a link that the artifact is fetched from."""
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


async def resubmit(request: Request) -> Response:
    """Sign the artifact of an earlier request under another policy. Takes a form or JSON: SignPath says both."""
    service, caller = service_of(request), authenticated(request)
    async with _form_or_json(request, service) as form:
        (original_id,) = form.required("originalSigningRequestId")
        original = service.store.find(original_id)
        if original is None:
            raise bad_field("originalSigningRequestId", f"There is no signing request '{original_id}'.")
        if original.unsigned_sha256 is None:
            raise bad_field("originalSigningRequestId", "The original signing request has no artifact.")
        target = _target(service, form, original=original)
        resubmitted = operations.resubmit(service, caller, original, target, description=form.optional("description"))
        return _created(request, service, resubmitted)


async def upload(request: Request) -> Response:
    """Take the artifact of a request that waits for it."""
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


def _form(request: Request, service: Service) -> AbstractAsyncContextManager[Form]:
    return received_form(request, incoming=service.store.incoming, limit=service.configuration.max_artifact_bytes)


@asynccontextmanager
async def _form_or_json(request: Request, service: Service) -> AsyncIterator[Form]:
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        async with _form(request, service) as form:
            yield form
        return
    yield Form(fields=await json_texts(request), file_lists={})


def _drafted(service: Service, caller: Caller, form: Form, *, file_name: str = "artifact") -> SigningRequest:
    now = service.clock.now()
    drafted = draft(
        caller,
        _target(service, form),
        now=now,
        file_name=file_name,
        description=form.optional("description"),
        parameters=form.parameters(),
        origin=_origin(form, caller),
    )
    seconds = _cancellation_timeout(service, form)
    return replace(drafted, cancel_at=(now + timedelta(seconds=seconds)).isoformat()) if seconds else drafted


def _cancellation_timeout(service: Service, form: Form) -> int:
    """Return after how many seconds the request is canceled by itself; 0: never."""
    text = form.optional("cancellationTimeoutInSeconds") if service.version >= CANCELLATION_TIMEOUT else None
    if text is None:
        return 0
    if not text.isascii() or not text.isdecimal() or len(text) > _MAX_DIGITS:
        raise bad_field("cancellationTimeoutInSeconds", "Must be a number of seconds, 0 or more.")
    return int(text)


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
    operations.start(service, signing_request)
    return _created(request, service, signing_request)


def _created(request: Request, service: Service, signing_request: SigningRequest) -> Response:
    answer = whole_view(request, service.configuration, signing_request)
    if signing_request.state is State.WAITING_FOR_ARTIFACT_UPLOAD:
        answer["uploadLink"] = request_link(request, signing_request, "UploadUnsignedArtifact")
    return JSONResponse(answer, HTTPStatus.CREATED, {"Location": request_link(request, signing_request)})
