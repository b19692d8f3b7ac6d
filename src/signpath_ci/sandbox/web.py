"""The pages for people: the list of signing requests, and each one with its buttons. Everything shown is escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from signpath_ci.sandbox.operations import approve, deny
from signpath_ci.sandbox.service import known_request, service_of
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.store import SigningRequest
from signpath_ci.sandbox.views import artifact_answer

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --accent: #0b6bcb; --good: #188038; --bad: #c5221f; --wait: #b06000 }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
h1 { font-size: 1.5rem } a { color: var(--accent) }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid var(--line); padding: .5rem; text-align: left; vertical-align: top }
th { font-weight: 600; white-space: nowrap } td { overflow-wrap: anywhere }
.state { border: 1px solid; border-radius: 1rem; padding: .1rem .7rem; white-space: nowrap; color: var(--accent) }
.Completed { color: var(--good) } .Failed, .Denied { color: var(--bad) }
.WaitingForApproval, .WaitingForArtifactUpload, .Canceled { color: var(--wait) }
form { display: inline-block; margin: 1rem .5rem 0 0 }
button { font: inherit; padding: .4rem 1.2rem; border: 1px solid; border-radius: .4rem; cursor: pointer }
.yes { color: var(--good) } .no { color: var(--bad) } footer { margin-top: 2rem; opacity: .7; font-size: .9rem }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def web_routes() -> list[BaseRoute]:
    """Return the routes below the root."""
    one = "/web/requests/{request_id}"
    return [
        Route("/", _list),
        Route("/web", _list),
        Route(one, _page),
        Route(f"{one}/approve", _approve, methods=["POST"]),
        Route(f"{one}/deny", _deny, methods=["POST"]),
        Route(f"{one}/signedartifact", _signed_artifact),
    ]


async def _list(request: Request) -> Response:
    service = service_of(request)
    rows = [
        f"<tr><td>{_link(found)}</td><td>{escape(found.project_slug)}</td><td>{escape(found.signing_policy_slug)}</td>"
        f"<td>{_badge(found)}</td><td>{escape(found.created[:19].replace('T', ' '))}</td></tr>"
        for found in reversed(service.store.all())
    ]
    head = "<tr><th>Artifact</th><th>Project</th><th>Signing policy</th><th>Status</th><th>Created (UTC)</th></tr>"
    body = f"<table>{head}{''.join(rows)}</table>" if rows else "<p>Nothing was submitted yet.</p>"
    return _html("Signing requests", f"<p>{escape(service.configuration.organization_name)}</p>{body}", refresh=5)


async def _page(request: Request) -> Response:
    found = known_request(service_of(request), request.path_params)
    body = f"<p><a href='/web'>All signing requests</a></p><p>{_badge(found)}</p>{_table(_facts(found))}"
    if found.state is State.WAITING_FOR_APPROVAL:
        body += _button(found, "approve", "Approve", "yes") + _button(found, "deny", "Deny", "no")
    if found.state is State.COMPLETED:
        body += f"<p><a href='/web/requests/{found.id}/signedartifact'>Download the signed artifact</a></p>"
    return _html(f"Signing request: {found.file_name}", body, refresh=0 if found.state.is_final else 2)


async def _approve(request: Request) -> Response:
    service = service_of(request)
    return _back_to(approve(service, known_request(service, request.path_params)))


async def _deny(request: Request) -> Response:
    service = service_of(request)
    return _back_to(deny(service, known_request(service, request.path_params)))


async def _signed_artifact(request: Request) -> Response:
    service = service_of(request)
    found = known_request(service, request.path_params)
    if found.state is not State.COMPLETED:
        return _back_to(found)
    return artifact_answer(service.store, found, signed=True)


def _back_to(found: SigningRequest) -> Response:
    return RedirectResponse(f"/web/requests/{found.id}", HTTPStatus.SEE_OTHER)


def _facts(found: SigningRequest) -> list[tuple[str, str | None]]:
    origin = found.origin
    facts: list[tuple[str, str | None]] = [
        ("Id", found.id),
        ("Project", found.project_slug),
        ("Signing policy", found.signing_policy_slug),
        ("Artifact configuration", found.artifact_configuration_slug),
        ("Description", found.description),
        *((f"Parameter {name}", value) for name, value in found.parameters.items()),
        ("Submitted by", found.submitter),
        ("Created", found.created),
        ("Workflow status", found.state.workflow_status),
        ("Reason", found.failure),
        ("SHA-256, unsigned", found.unsigned_sha256),
        ("SHA-256, signed", found.signed_sha256),
        ("Approved by", ", ".join(found.approvals)),
    ]
    if origin:
        facts += [
            ("Repository", origin.repository_url),
            ("Branch", origin.branch),
            ("Commit", origin.commit),
            ("Build", origin.build_url),
            ("Build settings", origin.build_settings_file_name),
        ]
    return facts


def _table(facts: Iterable[tuple[str, str | None]]) -> str:
    rows = (f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts if value)
    return f"<table>{''.join(rows)}</table>"


def _link(found: SigningRequest) -> str:
    return f"<a href='/web/requests/{found.id}'>{escape(found.file_name)}</a>"


def _badge(found: SigningRequest) -> str:
    return f"<span class='state {found.state.status}'>{found.state.status}</span>"


def _button(found: SigningRequest, action: str, label: str, style: str) -> str:
    form = f"<form method='post' action='/web/requests/{found.id}/{action}'>"
    return f"{form}<button class='{style}'>{label}</button></form>"


def _html(title: str, body: str, *, refresh: int) -> Response:
    meta = f"<meta http-equiv='refresh' content='{refresh}'>" if refresh else ""
    page = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'>{meta}"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{body}"
        "<footer>A sandbox: its signatures are real, its certificates are trusted by nobody.</footer></body></html>"
    )
    return Response(page, media_type="text/html; charset=utf-8", headers=_HEADERS)
