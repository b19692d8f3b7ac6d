"""A signing request as JSON: SignPath's own shapes, and the sandbox's (wire contract, "Follow")."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse

from signpath_ci.sandbox.api.versions import SIGNED_ARTIFACT_LINK_FROM_THE_START, WEB_LINK
from signpath_ci.sandbox.config import Configuration
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.store import SigningRequest, Store
from signpath_ci.sandbox.submission import artifact_configuration_id_of, project_id, signing_policy_id

BYTES = "application/octet-stream"


class ArtifactResponse(FileResponse):
    """A file in large pieces: with the small ones of the base class, threads change more than bytes flow."""

    chunk_size = 1024 * 1024


def artifact_answer(store: Store, signing_request: SigningRequest, *, signed: bool) -> ArtifactResponse:
    """Return the unsigned or the signed artifact, under the name that it was submitted with."""
    path = (store.signed if signed else store.unsigned)(signing_request.id)
    return ArtifactResponse(path, media_type=BYTES, filename=signing_request.file_name)


def request_link(request: Request, signing_request: SigningRequest, *more: str) -> str:
    """Return a REST link to a signing request, on the host that the client used."""
    organization = request.app.state.service.configuration.organization_id
    parts = ["Api/v1", organization, "SigningRequests", signing_request.id, *more]
    return str(request.base_url) + "/".join(parts)


def web_link(request: Request, signing_request: SigningRequest) -> str:
    """Return the link to a signing request's page."""
    organization = request.app.state.service.configuration.organization_id
    return f"{request.base_url}Web/{organization}/SigningRequests/{signing_request.id}"


def status_view(signing_request: SigningRequest) -> dict[str, object]:
    """Return what `Status` answers."""
    state = signing_request.state
    return {
        "signingRequestId": signing_request.id,
        "status": state.status,
        "workflowStatus": state.workflow_status,
        "isFinalStatus": state.is_final,
    }


def whole_view(request: Request, configuration: Configuration, signing_request: SigningRequest) -> dict[str, object]:
    """Return what the whole request looks like; an origin is there only where there is one."""
    version = request.app.state.service.version
    project_slug, policy_slug = signing_request.project_slug, signing_request.signing_policy_slug
    artifact_slug = signing_request.artifact_configuration_slug
    project = configuration.project(project_slug)
    policy = project.signing_policy(policy_slug) if project else None
    artifact_configuration = project.artifact_configuration(artifact_slug) if project else None
    view: dict[str, object] = {
        **status_view(signing_request),
        "description": signing_request.description,
        "projectId": project_id(configuration, project_slug),
        "projectSlug": project_slug,
        "projectName": project.name if project else project_slug,
        "artifactConfigurationId": artifact_configuration_id_of(configuration, project_slug, artifact_slug),
        "artifactConfigurationSlug": artifact_slug,
        "artifactConfigurationName": artifact_configuration.name if artifact_configuration else artifact_slug,
        "signingPolicyId": signing_policy_id(configuration, project_slug, policy_slug),
        "signingPolicySlug": policy_slug,
        "signingPolicyName": policy.name if policy else policy_slug,
        "parameters": dict(signing_request.parameters),
    }
    if version >= WEB_LINK:
        view["webLink"] = web_link(request, signing_request)
    if signing_request.unsigned_sha256:
        view["unsignedArtifactLink"] = request_link(request, signing_request, "UnsignedArtifact")
    if signing_request.state is State.COMPLETED or version >= SIGNED_ARTIFACT_LINK_FROM_THE_START:
        view["signedArtifactLink"] = request_link(request, signing_request, "SignedArtifact")
    if signing_request.origin:
        view["origin"] = origin_view(request, signing_request)
    return view


def origin_view(request: Request, signing_request: SigningRequest) -> dict[str, object] | None:
    """Return the origin that was recorded with a request."""
    origin = signing_request.origin
    if origin is None:
        return None
    build: dict[str, object] = {"url": origin.build_url}
    if origin.build_settings_file_name:
        build["buildSettingsFile"] = {
            "fileName": origin.build_settings_file_name,
            "downloadLink": request_link(request, signing_request, "BuildSettingsFile"),
        }
    return {
        "buildData": build,
        "repositoryData": {
            "url": origin.repository_url,
            "branchName": origin.branch,
            "commitId": origin.commit,
            "sourceControlManagementType": origin.scm,
        },
    }


def sandbox_view(request: Request, signing_request: SigningRequest) -> dict[str, object]:
    """Return what the sandbox itself says about a request, for tests and people."""
    return {
        "id": signing_request.id,
        "status": signing_request.state.status,
        "workflow_status": signing_request.state.workflow_status,
        "project_slug": signing_request.project_slug,
        "signing_policy_slug": signing_request.signing_policy_slug,
        "artifact_configuration_slug": signing_request.artifact_configuration_slug,
        "description": signing_request.description,
        "parameters": dict(signing_request.parameters),
        "file_name": signing_request.file_name,
        "unsigned_sha256": signing_request.unsigned_sha256,
        "signed_sha256": signing_request.signed_sha256,
        "times_signed": signing_request.times_signed,
        "origin": origin_view(request, signing_request),
        "submitter": signing_request.submitter,
        "approvals": list(signing_request.approvals),
        "failure": signing_request.failure,
        "created": signing_request.created,
        "web_link": web_link(request, signing_request),
    }
