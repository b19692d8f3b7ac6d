"""The calls of the REST API beside signing requests: the server, the organization, the certificates of policies."""

from __future__ import annotations

from datetime import datetime, timezone

from cryptography.hazmat.primitives.serialization import Encoding
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from signpath_ci.sandbox.config import SigningPolicy
from signpath_ci.sandbox.policies import require_permission
from signpath_ci.sandbox.problems import forbidden
from signpath_ci.sandbox.service import authenticated, service_of

_QUOTA_BYTES = 1024**4
_QUOTA_SIGNATURES = 1_000_000
_CERTIFICATE = "application/pkix-cert"


async def system_info(request: Request) -> Response:
    """Answer with the server's version and the base URL of its pages. **Inferred**: the names of the fields."""
    return JSONResponse(
        {
            "applicationVersion": str(service_of(request).version),
            "webApplicationBaseUrl": f"{request.base_url}Web",
        }
    )


async def organization(request: Request) -> Response:
    """Answer with the organization and its quotas of this calendar year; the sandbox does not count."""
    authenticated(request)
    service = service_of(request)
    year = service.clock.now().year
    return JSONResponse(
        {
            "id": service.configuration.organization_id,
            "name": service.configuration.organization_name,
            "yearlyMaxSizeOfArtifactsInBytes": _QUOTA_BYTES,
            "yearlyMaxNumberOfIndividualSignatures": _QUOTA_SIGNATURES,
            "quotaPeriodStart": datetime(year, 1, 1, tzinfo=timezone.utc).isoformat(),
            "quotaPeriodEnd": datetime(year + 1, 1, 1, tzinfo=timezone.utc).isoformat(),
        }
    )


async def policy_certificate(request: Request) -> Response:
    """Answer with the certificate of a signing policy, in DER."""
    caller = authenticated(request)
    project = service_of(request).configuration.project(request.path_params["project"])
    policy = project.signing_policy(request.path_params["policy"]) if project else None
    if project is None or policy is None:
        raise forbidden("No matching entity was found.")
    require_permission(caller.user, "read", project.slug, policy.slug)
    return certificate_answer(request, policy)


def certificate_answer(request: Request, policy: SigningPolicy) -> Response:
    """Return the certificate that a policy signs with, in DER."""
    signer = service_of(request).authority.code_signer(policy.certificate)
    return Response(signer.certificate.public_bytes(Encoding.DER), media_type=_CERTIFICATE)
