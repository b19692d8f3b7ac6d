"""The sandbox as one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from signpath_ci.clock import Clock
from signpath_ci.sandbox.api.routes import rest_routes
from signpath_ci.sandbox.api.versions import NEWEST, ServerVersion
from signpath_ci.sandbox.artifact_configurations import ArtifactConfigurations
from signpath_ci.sandbox.config import Configuration
from signpath_ci.sandbox.connectors.artifacts import artifact_routes
from signpath_ci.sandbox.connectors.routes import connector_routes
from signpath_ci.sandbox.hosts import GuardHosts
from signpath_ci.sandbox.local import local_routes
from signpath_ci.sandbox.pki import Authority
from signpath_ci.sandbox.policies import RefusalError
from signpath_ci.sandbox.problems import ProblemError
from signpath_ci.sandbox.processing import Processor, SignFile
from signpath_ci.sandbox.service import Service
from signpath_ci.sandbox.store import Store
from signpath_ci.sandbox.web.errors import error_answer
from signpath_ci.sandbox.web.routes import web_routes

_REFUSALS = (ProblemError, RefusalError, HTTPException, HTTPStatus.INTERNAL_SERVER_ERROR)


class FoldPathCase:
    """Lets paths match without regard to case: `/Api/`, `/API/` and `/api/` all occur (wire contract, "REST API")."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on with its path in lower case."""
        if scope["type"] == "http":
            scope = {**scope, "path": scope["path"].lower()}
        await self._app(scope, receive, send)


def create_app(
    configuration: Configuration,
    store: Store,
    *,
    sign: SignFile,
    answer_timestamp_query: Callable[[bytes, datetime], bytes],
    artifact_store: Path,
    artifact_configurations: ArtifactConfigurations,
    authority: Authority,
    processing_seconds: float,
    clock: Clock,
    allowed_hosts: Sequence[str] = (),
    version: ServerVersion = NEWEST,
) -> ASGIApp:
    """Put the sandbox together.

    Args:
        configuration: what this SignPath knows.
        store: closed by the caller after the application has ended.
        sign: what really signs.
        answer_timestamp_query: TimeStampReq (DER) -> TimeStampResp (DER).
        artifact_store: the CI systems' artifacts.
        artifact_configurations: the texts of artifact configurations.
        authority: the certificates that sign.
        processing_seconds: how long a request takes.
        clock: the time.
        allowed_hosts: names besides those of loopback by which the sandbox is called.
        version: of SignPath's application that is played.
    """
    processor = Processor(configuration, store, sign=sign, processing_seconds=processing_seconds, clock=clock)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        processor.resume()
        yield
        await processor.close()

    app = Starlette(
        routes=[*rest_routes(version), *connector_routes(), *artifact_routes(), *local_routes(), *web_routes()],
        lifespan=lifespan,
        exception_handlers=dict.fromkeys(_REFUSALS, error_answer),
    )
    app.router.redirect_slashes = False
    app.state.service = Service(
        configuration=configuration,
        store=store,
        processor=processor,
        clock=clock,
        answer_timestamp_query=answer_timestamp_query,
        artifact_store=artifact_store,
        artifact_configurations=artifact_configurations,
        authority=authority,
        version=version,
    )
    return GuardHosts(FoldPathCase(app), allowed_hosts)
