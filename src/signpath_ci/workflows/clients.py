"""From settings to a client of SignPath: its REST API, or a connector."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from signpath_ci import __version__
from signpath_ci.report import Reporter
from signpath_ci.settings import Service
from signpath_ci.settings.declaration import Secret
from signpath_ci.workflows.process import Process

if TYPE_CHECKING:
    from signpath_ci.api.connector import Connector
    from signpath_ci.api.rest import SignPathApi
    from signpath_ci.api.transport import Transport

_PATIENCE = 15.0
"""Seconds across the retries of a call that the run does not depend on."""


def connect(settings: Service, process: Process, *, trusted_build_system_token: Secret | None = None) -> SignPathApi:
    """Return the client of SignPath's REST API that the settings describe; nothing is sent yet.

    Args:
        settings: where SignPath is, and who asks.
        process: whose clock is used.
        trusted_build_system_token: sent with the API token (wire contract, "Base and authentication").

    Raises:
        UsageError: the URL is one that a token must not be sent to.
    """
    from signpath_ci.api.rest import SignPathApi

    token = settings.api_token
    if trusted_build_system_token:
        token = Secret(f"{token.reveal()}:{trusted_build_system_token.reveal()}")
    return SignPathApi(_transport(settings, process, url=settings.api_url, token=token), settings.organization_id)


def connect_connector(settings: Service, process: Process, reporter: Reporter, *, url: str) -> Connector:
    """Return the client of a connector; nothing is sent yet. What the connector logs goes to the reporter.

    Raises:
        UsageError: the URL is one that a token must not be sent to.
    """
    from signpath_ci.api.connector import Connector

    label = "--connector-url (SIGNPATH_CONNECTOR_URL)"
    transport = _transport(settings, process, url=url, token=settings.api_token, url_option=label)
    return Connector(transport, settings.organization_id, on_log=reporter.logged)


def connect_ci(settings: Service, process: Process, *, url: str, token: Secret) -> Transport:
    """Return a transport to the CI system, for what the run does not depend on; nothing is sent yet.

    Raises:
        UsageError: the URL is one that a token must not be sent to.
    """
    return _transport(settings, process, url=url, token=token, url_option="the CI system's URL", is_optional=True)


def _transport(
    settings: Service,
    process: Process,
    *,
    url: str,
    token: Secret,
    url_option: str = "--api-url (SIGNPATH_API_URL)",
    is_optional: bool = False,
) -> Transport:
    from signpath_ci.api.transport import Transport
    from signpath_ci.api.trust import tls_context

    # As `requests` reads them itself.
    is_tls = url.startswith("https:")
    ca_bundle = process.environment.get("REQUESTS_CA_BUNDLE") or process.environment.get("CURL_CA_BUNDLE")
    client_certificate = None if is_optional else settings.client_certificate  # it is for SignPath
    tls = tls_context(ca_bundle=ca_bundle, client_certificate=client_certificate) if is_tls else None
    patience = settings.service_unavailable_timeout
    return Transport(
        base_url=url,
        token=token,
        insecure_hosts=settings.insecure_host,
        connect_timeout=settings.connect_timeout,
        stall_timeout=settings.stall_timeout,
        service_unavailable_timeout=min(patience, _PATIENCE) if is_optional else patience,
        least_rate=settings.least_rate,
        clock=process.clock,
        random=random.SystemRandom().random,
        user_agent=f"signpath-ci/{__version__}",
        url_option=url_option,
        tls=tls,
    )
