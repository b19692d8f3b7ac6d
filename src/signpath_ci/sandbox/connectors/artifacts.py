"""The CI systems' own APIs for artifacts, over the same store that the connectors fetch from.

So a job can compare what comes back with what it has uploaded. Paths are those of the real systems below
`/ci/github`, `/ci/gitlab` and `/ci/azure`. Any token but an empty one is taken for valid; `forbidden` is one without
the permission, which is 403.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from signpath_ci.sandbox.api.views import BYTES, ArtifactResponse
from signpath_ci.sandbox.connectors import github
from signpath_ci.sandbox.connectors.payload import InvalidSubmitError, find_artifact
from signpath_ci.sandbox.problems import ProblemError, forbidden, not_found
from signpath_ci.sandbox.service import service_of

_PIECE = 1024 * 1024
_ZIP = "application/zip"


def artifact_routes() -> list[BaseRoute]:
    """Return the routes below the root, in lower case."""
    one = "/ci/github/repos/{owner}/{name}/actions/artifacts/{artifact_id}"
    job = "/ci/gitlab/api/v4/projects/{project}/pipelines/{pipeline}/jobs"
    return [
        Route(one, _github_artifact),
        Route(f"{one}/zip", _github_redirect),
        Route("/ci/storage/github/{artifact_id}", _github_content),
        Route(job, _gitlab_jobs),
        Route("/ci/gitlab/api/v4/projects/{project}/jobs/{job}/artifacts/{path:path}", _gitlab_file),
        Route("/ci/azure/{project}/_apis/build/builds/{build}/artifacts", _azure_artifact),
        Route("/ci/azure/{project}/_apis/build/builds/{build}/content/{name}", _azure_content),
    ]


def _require_token(request: Request) -> None:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = bearer if scheme.lower() in {"bearer", "token"} else request.headers.get("private-token", "")
    if not token.strip():
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "The call carries no token.")
    if token.strip() == "forbidden":
        raise forbidden("The token does not have the permission to read artifacts.")


def _expired(path: Path) -> bool:
    """Whether the CI system has deleted the content of an artifact: a file `NAME.expired` beside it says so."""
    return path.with_name(f"{path.name}.expired").exists()


def _github_path(request: Request) -> Path:
    parts = request.path_params
    try:
        return github.find(service_of(request).artifact_store, parts["artifact_id"], parts.get("name", ""))
    except InvalidSubmitError as error:
        raise not_found(error.cause) from None


async def _github_artifact(request: Request) -> Response:
    _require_token(request)
    path = _github_path(request)
    parts = request.path_params
    return JSONResponse(
        {
            "id": int(parts["artifact_id"]),
            "name": path.name.removesuffix(".zip"),
            "size_in_bytes": path.stat().st_size,
            "expired": _expired(path),
            "digest": f"sha256:{_sha256(path)}",
            "archive_download_url": f"{request.url.replace(query='')}/zip",
        }
    )


async def _github_redirect(request: Request) -> Response:
    """Lead to a short-lived URL, as GitHub does; it takes no token."""
    _require_token(request)
    path = _github_path(request)
    if _expired(path):
        raise ProblemError(HTTPStatus.GONE, "Artifact has expired.")
    return RedirectResponse(f"/ci/storage/github/{request.path_params['artifact_id']}", HTTPStatus.FOUND)


async def _github_content(request: Request) -> Response:
    if "authorization" in request.headers:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The storage takes no token: it must not be sent here.")
    path = _github_path(request)
    return ArtifactResponse(path, media_type=_ZIP, filename=path.name)


async def _gitlab_jobs(request: Request) -> Response:
    """List the jobs that have artifacts in the store; their ids are their places in the list, from 1."""
    _require_token(request)
    return JSONResponse(
        [
            {"id": number, "name": name, "status": "success", "artifacts_file": {"filename": "artifacts.zip"}}
            for number, name in enumerate(_gitlab_names(request), start=1)
        ]
    )


async def _gitlab_file(request: Request) -> Response:
    _require_token(request)
    names, number = _gitlab_names(request), request.path_params["job"]
    if not number.isdecimal() or not 1 <= int(number) <= len(names):
        raise not_found("404 Not Found")
    # The path with its capitals, which `app` folds.
    path = unquote(request.scope["raw_path"].decode("ascii").partition("/artifacts/")[2])
    store = service_of(request).artifact_store
    try:
        found = find_artifact(store, f"gitlab/{names[int(number) - 1]}", path, what="The file", how_to_fix="")
    except InvalidSubmitError:
        raise not_found("404 Not Found") from None
    if _expired(found):
        raise not_found("404 Not Found")  # GitLab does not tell expired from unknown
    return ArtifactResponse(found, media_type=BYTES, filename=found.name)


def _gitlab_names(request: Request) -> list[str]:
    directory = service_of(request).artifact_store / "gitlab"
    return sorted(path.name for path in directory.iterdir() if path.is_dir()) if directory.is_dir() else []


async def _azure_artifact(request: Request) -> Response:
    _require_token(request)
    name = request.query_params.get("artifactName", "")
    path = _azure_path(request, name)
    base = str(request.base_url).rstrip("/")
    parts = request.path_params
    place = f"/ci/azure/{quote(parts['project'])}/_apis/build/builds/{quote(parts['build'])}/content/{quote(name)}"
    resource: Mapping[str, Any] = {"type": "Container", "downloadUrl": f"{base}{place}?format=zip"}
    return JSONResponse({"id": 1, "name": path.name.removesuffix(".zip"), "resource": resource})


async def _azure_content(request: Request) -> Response:
    _require_token(request)
    name = unquote(request.scope["raw_path"].decode("ascii").rpartition("/")[2])
    path = _azure_path(request, name)
    return ArtifactResponse(path, media_type=_ZIP, filename=path.name)


def _azure_path(request: Request, name: str) -> Path:
    store = service_of(request).artifact_store
    try:
        path = find_artifact(store, "azure", f"{name}.zip", what=f"Artifact {name}", how_to_fix="")
    except InvalidSubmitError:
        raise not_found(f"Artifact {json.dumps(name)} was not found for the build.") from None
    if _expired(path):
        raise not_found(f"Artifact {json.dumps(name)} was not found for the build.")
    return path


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
