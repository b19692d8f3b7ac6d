"""The routes of the pages. Paths stand here in lower case: `app` folds what comes in."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from signpath_ci.sandbox.problems import not_found
from signpath_ci.sandbox.web import configurations, connect, decide, details, listing, projects, upload
from signpath_ci.sandbox.web.pages import HEADERS, choose_person, form_fields, see

_STATIC = {path.name: path for path in sorted((Path(__file__).parent / "static").iterdir())}


def web_routes() -> list[BaseRoute]:
    """Return the routes below the root."""
    one = "/web/{organization_id}/signingrequests/{request_id}"
    project = "/web/projects/{project}"
    configuration = project + "/configurations/{configuration}"
    get: dict[str, object] = {
        "/": _home,
        "/static/{name}": _static,
        "/web": listing.show_list,
        "/web/waiting": listing.show_waiting,
        "/web/requests.csv": listing.download_csv,
        "/web/{organization_id}/signingrequests": _home,
        "/web/sign": upload.show_form,
        "/web/projects": projects.show_projects,
        project: projects.show_project,
        f"{project}/policies/{{policy}}/certificate": connect.download_policy_certificate,
        configuration: configurations.show_configuration,
        "/web/connect": connect.show_connect,
        "/web/root-certificate.pem": connect.download_root_pem,
        "/web/root-certificate.cer": connect.download_root_der,
        one: details.show_request,
        f"{one}/unsignedartifact": details.download_unsigned,
        f"{one}/signedartifact": details.download_signed,
        f"{one}/buildsettingsfile": details.download_build_settings,
        f"{one}/artifactconfiguration": details.show_artifact_configuration,
        f"{one}/resubmit": decide.resubmit_form,
    }
    post: dict[str, object] = {
        "/web/user": _choose_person,
        "/web/sign": upload.submit,
        configuration: configurations.save,
        f"{configuration}/try": configurations.try_sample,
        f"{configuration}/draft": configurations.draft_from_sample,
        f"{one}/approve": decide.approve,
        f"{one}/deny": decide.deny,
        f"{one}/cancel": decide.cancel,
        f"{one}/resubmit": decide.resubmit,
        f"{one}/resubmitwithcurrentsettings": decide.resubmit_with_current_settings,
    }
    return [
        *(Route(path, endpoint) for path, endpoint in get.items()),  # type: ignore[arg-type] # all are endpoints
        *(Route(path, endpoint, methods=["POST"]) for path, endpoint in post.items()),  # type: ignore[arg-type] # as above
    ]


async def _home(_request: Request) -> Response:
    return RedirectResponse("/web")


async def _static(request: Request) -> Response:
    path = _STATIC.get(request.path_params["name"])
    if path is None:
        raise not_found("There is no such file.")
    media_type = mimetypes.guess_type(path.name)[0]
    headers = {**HEADERS, "Cache-Control": "no-cache"}
    return Response(path.read_bytes(), media_type=media_type, headers=headers)


async def _choose_person(request: Request) -> Response:
    fields = await form_fields(request)
    answer = see(_local_path(fields.get("back", "")))
    choose_person(answer, fields.get("name", ""))
    return answer


def _local_path(back: str) -> str:
    """Return a path of these pages to go back to, whatever the form says."""
    parts = urlsplit(back) if back.startswith("/web") and "\\" not in back else None
    return back if parts is not None and not parts.netloc else "/web"
