"""The list of signing requests: filters, pages, CSV, and what waits for one's approval."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import AsyncIterator, Iterable
from datetime import date
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from signpath_ci.sandbox.policies import permitted_policies
from signpath_ci.sandbox.service import Service, service_of
from signpath_ci.sandbox.signing_request import SigningRequest
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.store import Query
from signpath_ci.sandbox.web.connect import client_commands
from signpath_ci.sandbox.web.pages import HEADERS, person, render, request_page, waiting_for

_PAGE_SIZE = 50
_FILTERS = ("text", "project", "policy", "configuration", "status", "branch", "before")
_CSV_PAGE = 500


async def show_list(request: Request) -> Response:
    """Answer with a page of the list."""
    service = service_of(request)
    filters = _filters(request)
    number = _number(request)
    page = service.store.page(_query(request, filters), number=number, size=_PAGE_SIZE)
    projects = service.configuration.projects
    return render(
        request,
        "list.html",
        section="requests",
        heading="Signing requests",
        requests=page.requests,
        waiting=waiting_for(service.store, service.configuration, person(request)),
        total=page.total,
        number=number,
        pages=max(1, -(-page.total // _PAGE_SIZE)),
        filters=filters,
        filter_query=urlencode({name: value for name, value in filters.items() if value}),
        is_filtered=any(filters.values()),
        projects=projects,
        policy_slugs=sorted({policy.slug for project in projects for policy in project.signing_policies}),
        configuration_slugs=sorted({each.slug for project in projects for each in project.artifact_configurations}),
        statuses=list(dict.fromkeys(state.status for state in State)),
        is_live=number == 1,
        live_version=_version(page.requests, page.total),
        commands=f"{client_commands(request)}\nsignpath-ci sign app.exe",
        first_policy=projects[0].signing_policies[0].slug,
    )


async def show_waiting(request: Request) -> Response:
    """Answer with what waits for the approval of the person who looks."""
    service = service_of(request)
    waiting = waiting_for(service.store, service.configuration, person(request))
    return render(
        request,
        "list.html",
        section="waiting",
        heading="Waiting for your approval",
        requests=waiting,
        total=len(waiting),
        number=1,
        pages=1,
        is_filtered=False,
        filter_query="",
        is_live=True,
        live_version=_version(waiting, len(waiting)),
    )


async def download_csv(request: Request) -> Response:
    """Answer with all requests that the filters let through, as CSV."""
    service = service_of(request)
    query = _query(request, _filters(request))
    base = str(request.base_url).rstrip("/")
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="signing-requests.csv"'}
    return StreamingResponse(_csv(service, query, base), media_type="text/csv; charset=utf-8", headers=headers)


async def _csv(service: Service, query: Query, base: str) -> AsyncIterator[str]:
    yield _line(
        "web link", "id", "artifact", "project", "signing policy", "artifact configuration", "status", "submitted",
        "submitter", "approvers", "repository", "branch", "commit", "description",
    )  # fmt: skip
    number = 1
    while found := service.store.page(query, number=number, size=_CSV_PAGE).requests:
        for each in found:
            origin = each.origin
            yield _line(
                base + request_page(service.configuration.organization_id, each.id),
                each.id,
                each.file_name,
                each.project_slug,
                each.signing_policy_slug,
                each.artifact_configuration_slug,
                each.state.status,
                each.created,
                each.submitter,
                " ".join(each.approvals),
                (origin.repository_url if origin else None) or "",
                (origin.branch if origin else None) or "",
                (origin.commit if origin else None) or "",
                each.description or "",
            )
        number += 1


def _line(*values: str) -> str:
    # A cell that begins like a formula would be run as one by a spreadsheet.
    safe = [f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value for value in values]
    buffer = io.StringIO()
    csv.writer(buffer).writerow(safe)
    return buffer.getvalue()


def _filters(request: Request) -> dict[str, str]:
    return {name: request.query_params.get(name, "").strip() for name in _FILTERS}


def _query(request: Request, filters: dict[str, str]) -> Query:
    user = person(request)
    try:
        before = date.fromisoformat(filters["before"]).isoformat() if filters["before"] else None
    except ValueError:
        filters["before"], before = "", None
    return Query(
        project=filters["project"] or None,
        policy=filters["policy"] or None,
        configuration=filters["configuration"] or None,
        status=filters["status"] or None,
        branch=filters["branch"] or None,
        text=filters["text"] or None,
        before=before,
        policies=permitted_policies(service_of(request).configuration, user, "read"),
        own=user.name,
    )


def _number(request: Request) -> int:
    given = request.query_params.get("page", "1")
    return max(1, int(given)) if given.isdecimal() and len(given) <= len("1000000") else 1


def _version(requests: Iterable[SigningRequest], total: int) -> str:
    """Return what changes whenever the list looks different."""
    digest = hashlib.sha256(str(total).encode())
    for each in requests:
        digest.update(f"{each.id}{each.state.name}".encode())
    return digest.hexdigest()[:16]
