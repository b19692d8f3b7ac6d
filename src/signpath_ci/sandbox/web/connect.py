"""What a client has to know: addresses, tokens, certificates."""

from __future__ import annotations

import hashlib
import shlex

from cryptography.hazmat.primitives.serialization import Encoding
from starlette.requests import Request
from starlette.responses import Response

from signpath_ci.hosts import is_loopback
from signpath_ci.sandbox.connectors.routes import CONNECTORS
from signpath_ci.sandbox.problems import not_found
from signpath_ci.sandbox.service import service_of
from signpath_ci.sandbox.web.pages import HEADERS, render
from signpath_ci.sandbox.web.projects import known_project

_CONNECTOR_NAMES = {
    "github": "GitHub, action v1 and v2",
    "github_pipeline": "GitHub, action v3",
    "gitlab": "GitLab",
    "azure": "Azure DevOps",
}
_PEM = "application/x-pem-file"
_DER = "application/pkix-cert"


def client_commands(request: Request) -> str:
    """Return the lines for a shell that point the client at this sandbox."""
    service = service_of(request)
    configuration = service.configuration
    project = configuration.projects[0]
    tokens = [user for user in configuration.users if user.token]
    values = {
        "SIGNPATH_API_URL": f"{request.base_url}Api",
        "SIGNPATH_ORGANIZATION_ID": configuration.organization_id,
        "SIGNPATH_API_TOKEN": next((user.token for user in tokens if "submit" in user.permissions), None) or "",
        "SIGNPATH_PROJECT_SLUG": project.slug,
        "SIGNPATH_SIGNING_POLICY_SLUG": project.signing_policies[0].slug,
        "SIGNPATH_TRUST_ROOT": str(service.authority.trust_root),
    }
    if not is_loopback(request.url.hostname or ""):
        values["SIGNPATH_INSECURE_HOST"] = request.url.hostname or ""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())


async def show_connect(request: Request) -> Response:
    """Answer with all that a pipeline needs."""
    service = service_of(request)
    root = service.authority.root
    base = str(request.base_url).rstrip("/")
    return render(
        request,
        "connect.html",
        section="connect",
        commands=client_commands(request),
        root_sha256=hashlib.sha256(root.public_bytes(Encoding.DER)).hexdigest(),
        root_end=root.not_valid_after_utc.isoformat(),
        connectors={_CONNECTOR_NAMES.get(name, name): base + path for name, path in CONNECTORS.items()},
        artifact_store=str(service.artifact_store.absolute()),
        tokens=[user for user in service.configuration.users if user.token],
        systems=service.configuration.trusted_build_systems,
    )


async def download_root_pem(request: Request) -> Response:
    """Answer with the root certificate as PEM."""
    return _file(service_of(request).authority.root.public_bytes(Encoding.PEM), _PEM, "sandbox-root.pem")


async def download_root_der(request: Request) -> Response:
    """Answer with the root certificate as Windows opens it."""
    return _file(service_of(request).authority.root.public_bytes(Encoding.DER), _DER, "sandbox-root.cer")


async def download_policy_certificate(request: Request) -> Response:
    """Answer with the certificate of a signing policy, and those of its issuers."""
    project = known_project(request)
    policy = project.signing_policy(request.path_params["policy"])
    if policy is None:
        raise not_found(f"There is no signing policy '{request.path_params['policy']}' in project '{project.slug}'.")
    signer = service_of(request).authority.code_signer(policy.certificate)
    chain = b"".join(each.public_bytes(Encoding.PEM) for each in (signer.certificate, *signer.chain))
    return _file(chain, _PEM, f"{policy.slug}.pem")


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
