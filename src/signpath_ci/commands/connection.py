"""From settings to a connected client."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from signpath_ci import __version__
from signpath_ci.commands import Process
from signpath_ci.settings import Service

if TYPE_CHECKING:
    from signpath_ci.api.rest import SignPathApi


def connect(settings: Service, process: Process) -> SignPathApi:
    """Return the client of SignPath's REST API that the settings describe; nothing is sent yet.

    Raises:
        UsageError: the URL is one that a token must not be sent to.
    """
    from signpath_ci.api.rest import SignPathApi
    from signpath_ci.api.transport import Transport

    transport = Transport(
        base_url=settings.api_url,
        token=settings.api_token,
        connect_timeout=settings.connect_timeout,
        stall_timeout=settings.stall_timeout,
        service_unavailable_timeout=settings.service_unavailable_timeout,
        clock=process.clock,
        random=random.SystemRandom().random,
        user_agent=f"signpath-ci/{__version__}",
    )
    return SignPathApi(transport, settings.organization_id)
