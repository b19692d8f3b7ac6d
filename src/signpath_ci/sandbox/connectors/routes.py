"""What all connectors have in common: the routes, who may call them, and how they answer and refuse."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.api.views import artifact_answer, web_link
from signpath_ci.sandbox.config import SigningPolicy
from signpath_ci.sandbox.connectors import azure, github, gitlab
from signpath_ci.sandbox.connectors.payload import Build, InvalidSubmitError, Payload
from signpath_ci.sandbox.operations import start
from signpath_ci.sandbox.pipeline_policies import evaluate
from signpath_ci.sandbox.policies import Caller, RefusalError
from signpath_ci.sandbox.problems import ProblemError
from signpath_ci.sandbox.receiving import pieces
from signpath_ci.sandbox.service import (
    Service,
    authenticate,
    authenticated,
    permitted_request,
    require_completed,
    service_of,
)
from signpath_ci.sandbox.signing_request import Check
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.store import Retrieval, SigningRequest
from signpath_ci.sandbox.submission import UnknownFieldError, draft, target_by_slugs

_API_VERSION = "1.0"
_MAX_PAYLOAD = 1024 * 1024
_BUILDS: dict[str, Callable[[Payload, Service], Build]] = {
    "github": github.build_of,
    "gitlab": gitlab.build_of,
    "azure": azure.build_of,
}
CONNECTORS = {
    "github": "/connectors/github",
    "github_pipeline": "/connectors/pipeline/GitHubActions/GitHubCom",
    "gitlab": "/connectors/gitlab",
    "azure": "/connectors/azure",
}
"""The connectors' base paths, as clients get them."""

_Endpoint = Callable[[Request], Awaitable[Response]]


def connector_routes() -> list[BaseRoute]:
    """Return the routes below the root, in lower case."""
    bases = {
        "/connectors/github": "github",
        "/connectors/pipeline/githubactions/{endpoint_slug}": "github",
        # SignPath's documentation spells it so in one place; no client does.
        "/connectors/pipeline/github/{endpoint_slug}": "github",
        "/connectors/gitlab": "gitlab",
        "/connectors/azure": "azure",
    }
    routes: list[BaseRoute] = [
        # Version 1 of the GitHub action; it follows the request on the REST API.
        Route("/connectors/github/api/sign", _refusing(_submit_of_version_1), methods=["POST"]),
    ]
    for base, platform in bases.items():
        all_requests = f"{base}/{{organization_id}}/signingrequests"
        one = f"{all_requests}/{{request_id}}"
        routes += [
            Route(all_requests, _refusing(partial(_submit, build_of=_BUILDS[platform])), methods=["POST"]),
            Route(f"{one}/status", _refusing(_status)),
            Route(f"{one}/signedartifact", _refusing(_signed_artifact)),
        ]
    return routes


def _refusing(endpoint: _Endpoint) -> _Endpoint:
    """Let an endpoint refuse as connectors do: `error`, `validationResult.errors` with `howToFix`, and `logs`."""

    async def call(request: Request) -> Response:
        try:
            if request.query_params.get("api-version") != _API_VERSION:
                raise InvalidSubmitError(
                    "The API version is missing or not supported.", f"Add ?api-version={_API_VERSION} to the URL."
                )
            return await endpoint(request)
        except RefusalError as error:
            is_invalid = isinstance(error, InvalidSubmitError | UnknownFieldError)
            status = HTTPStatus.BAD_REQUEST if is_invalid else HTTPStatus.FORBIDDEN
            return _refusal(status, error.cause, error.how_to_fix)
        except ProblemError as error:
            return _refusal(error.status, error.detail, _HOW_TO_FIX.get(error.status), error.headers)

    return call


_HOW_TO_FIX = {
    HTTPStatus.UNAUTHORIZED: "Use a valid SignPath API token.",
    HTTPStatus.FORBIDDEN: "Check the organization id and the signing request id.",
}


def _refusal(
    status: HTTPStatus, error: str, how_to_fix: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    body = {
        "error": error,
        "validationResult": {"errors": [{"error": error, "howToFix": how_to_fix}]},
        "logs": [_log("Error", f"The signing request was refused: {error}")],
    }
    return JSONResponse(body, status, headers)


def _log(level: str, message: str) -> dict[str, str]:
    return {"message": message, "level": level}


async def _submit(request: Request, build_of: Callable[[Payload, Service], Build]) -> Response:
    caller = authenticated(request)
    return _submitted(request, caller, Payload(await _body(request)), build_of)


async def _submit_of_version_1(request: Request) -> Response:
    """Take a submit whose API token and organization stand in the body."""
    payload = Payload(await _body(request))
    organization = payload.required("signPathOrganizationId", "Set organization-id.")
    token = payload.required("signPathApiToken", "Set api-token.")
    caller = authenticate(service_of(request), token, organization)
    return _submitted(request, caller, payload, github.build_of)


def _submitted(
    request: Request, caller: Caller, payload: Payload, build_of: Callable[[Payload, Service], Build]
) -> Response:
    service = service_of(request)
    build = build_of(payload, service)
    target = target_by_slugs(
        service.configuration,
        payload.required("signPathProjectSlug"),
        payload.required("signPathSigningPolicySlug"),
        payload.optional("signPathArtifactConfigurationSlug"),
    )
    signing_request = replace(
        draft(
            caller,
            target,
            now=service.clock.now(),
            file_name=build.artifact.name,
            description=payload.optional("signingRequestDescription"),
            parameters=payload.parameters(),
            origin=build.origin,
            system=build.system,
        ),
        retrieval=Retrieval(url=build.artifact.as_uri()),
    )
    signing_request, violations = _evaluated(signing_request, target.policy, build)
    start(service, signing_request)
    return JSONResponse(
        {
            "signingRequestId": signing_request.id,
            "signingRequestUrl": web_link(request, signing_request),
            "validationResult": {"errors": []},
            "logs": [*_logs(signing_request), *violations],
        }
    )


def _evaluated(
    signing_request: SigningRequest, policy: SigningPolicy, build: Build
) -> tuple[SigningRequest, list[dict[str, str]]]:
    """Evaluate pipeline policies: an enforced one that is violated denies the request, the others are written down."""
    checks, logs, denials = list(signing_request.checks), [], []
    for each in policy.pipeline_policies:
        name = f"Pipeline policy {each.name}"
        violations = evaluate(each.document, build.run)
        if not violations:
            checks.append(Check(name=name, result="passed", detail="The run fulfils it."))
            continue
        said = " ".join(f"{one.error} {one.how_to_fix}" for one in violations)
        checks.append(Check(name=name, result="failed" if each.is_enforced else "information", detail=said))
        logs += [_log("Error" if each.is_enforced else "Warning", f"{name}: {one.error}") for one in violations]
        logs += [_log("Information", one.how_to_fix) for one in violations]
        denials += [f"{name}: {one.error} {one.how_to_fix}" for one in violations if each.is_enforced]
    state = State.DENIED if denials else signing_request.state
    failure = "\n".join(denials) or None
    return replace(signing_request, checks=tuple(checks), state=state, failure=failure), logs


def _logs(signing_request: SigningRequest) -> list[dict[str, str]]:
    origin = signing_request.origin or RecordedOrigin()
    facts = [("repository", origin.repository_url), ("branch", origin.branch), ("commit", origin.commit)]
    known = ", ".join(f"{name} {value}" for name, value in facts if value) or "nothing"
    unknown = ", ".join(name for name, value in facts if not value)
    logs = [
        _log("Debug", f"The artifact was found as {signing_request.file_name}."),
        _log("Information", f"The CI system says of the origin: {known}."),
    ]
    # No warning: a sandbox without configured runs knows no more, and nothing is wrong with that.
    return [*logs, _log("Debug", f"The CI system does not say: {unknown}.")] if unknown else logs


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in pieces(request):
        body += piece
        if len(body) > _MAX_PAYLOAD:
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
    return body


async def _status(request: Request) -> Response:
    signing_request, _ = permitted_request(request, "read")
    state = signing_request.state
    return JSONResponse(
        {
            "status": state.status,
            "isFinalStatus": state.is_final,
            "webLink": web_link(request, signing_request),
            "hasArtifactBeenDownloadedBySignPathInCaseOfArtifactRetrieval": signing_request.unsigned_sha256 is not None,
        }
    )


async def _signed_artifact(request: Request) -> Response:
    signing_request, _ = permitted_request(request, "read")
    require_completed(signing_request)
    return artifact_answer(service_of(request).store, signing_request, signed=True)
