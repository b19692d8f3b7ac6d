"""What every route needs, in one place, and who is calling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import cast

from starlette.requests import Request

from signpath_ci.clock import Clock
from signpath_ci.sandbox.api.versions import ServerVersion
from signpath_ci.sandbox.artifact_configurations import ArtifactConfigurations
from signpath_ci.sandbox.config import Configuration, Permission, User
from signpath_ci.sandbox.pki import Authority
from signpath_ci.sandbox.policies import Caller, caller_of, require_permission
from signpath_ci.sandbox.problems import ProblemError, forbidden, not_found
from signpath_ci.sandbox.processing import Processor
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.store import SigningRequest, Store


@dataclass(frozen=True, kw_only=True)
class Service:
    """The sandbox's parts, as the routes use them.

    Attributes:
        answer_timestamp_query: TimeStampReq (DER) -> TimeStampResp (DER).
        artifact_store: the CI systems' artifacts.
        artifact_configurations: the texts of artifact configurations.
        authority: the certificates that sign.
        version: of SignPath's application that is played.
    """

    configuration: Configuration
    store: Store
    processor: Processor
    clock: Clock
    answer_timestamp_query: Callable[[bytes, datetime], bytes]
    artifact_store: Path
    artifact_configurations: ArtifactConfigurations
    authority: Authority
    version: ServerVersion


def service_of(request: Request) -> Service:
    """Return the sandbox's parts."""
    return cast("Service", request.app.state.service)


def authenticated(request: Request) -> Caller:
    """Return who calls.

    Raises:
        ProblemError: 401 where nobody does, 403 where the path names another organization.
    """
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credentials.strip():
        raise _unauthorized("The request carries no API token: send 'Authorization: Bearer {apiToken}'.")
    return authenticate(service_of(request), credentials.strip(), request.path_params.get("organization_id"))


def authenticate(service: Service, credentials: str, organization: str | None) -> Caller:
    """Return who has an API token, perhaps with that of a trusted build system behind a colon.

    Raises:
        ProblemError: 401 where nobody has it, 403 where another organization is named.
    """
    caller = caller_of(credentials, service.configuration)
    if caller is None:
        raise _unauthorized("The API token, or the trusted build system token that follows its colon, is not valid.")
    if organization and organization.lower() != service.configuration.organization_id:
        raise forbidden(f"There is no organization '{organization}', or the API token does not belong to it.")
    return caller


def permitted_request(request: Request, permission: Permission) -> tuple[SigningRequest, Caller]:
    """Return the signing request that the path names, and who asks for it.

    Raises:
        ProblemError: 401 or 403.
        RefusalError: the permission is missing.
    """
    caller = authenticated(request)
    found = service_of(request).store.find(request.path_params["request_id"])
    if found is None:  # not 404: since 1.104, what is not known is answered like what is not permitted
        raise forbidden(f"There is no signing request '{request.path_params['request_id']}'.")
    require_access(caller.user, permission, found)
    return found, caller


def require_access(user: User, permission: Permission, signing_request: SigningRequest) -> None:
    """Let through who may read, approve, or follow a request. A submitter may read its own, whatever the permissions.

    Raises:
        RefusalError: the permission is missing.
    """
    if permission == "read" and user.name == signing_request.submitter:
        return
    require_permission(user, permission, signing_request.project_slug, signing_request.signing_policy_slug)


def known_request(service: Service, path: Mapping[str, str]) -> SigningRequest:
    """Return the signing request that a path names.

    Raises:
        ProblemError: 404.
    """
    found = service.store.find(path["request_id"])
    if found is None:
        raise not_found(f"There is no signing request '{path['request_id']}'.")
    return found


def require_completed(signing_request: SigningRequest) -> None:
    """Let through a request whose signed artifact is there.

    Raises:
        ProblemError: 400 with its status.
    """
    if signing_request.state is not State.COMPLETED:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            f"The signing request has no signed artifact: its status is {signing_request.state.status}.",
        )


def _unauthorized(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"})
