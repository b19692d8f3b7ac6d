"""Which calls come from this machine's user: by the name that was called, and by the page that a browser shows.

A web page can lead its own name to 127.0.0.1 (DNS rebinding), and can post forms to any address. The sandbox's pages
have no login of their own, so such a page could approve requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from signpath_ci.sandbox.problems import ProblemError, problem_answer

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::\d{1,5})?", re.ASCII)
"""A name or address, and a port (RFC 9110, section 7.2)."""
_OWN_SITE = frozenset({"same-origin", "none"})


class GuardHosts:
    """Answers calls to loopback names and to named hosts only; those that change something only from its own pages.

    Args:
        app: what answers them.
        allowed: names and addresses besides those of loopback.
    """

    def __init__(self, app: ASGIApp, allowed: Iterable[str] = ()) -> None:
        self._app = app
        self._allowed = frozenset(_plain(name) for name in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or refuse it."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await problem_answer(Request(scope), problem)(scope, receive, send)

    def _problem(self, scope: Scope) -> ProblemError | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_known(hosts[0]):
            detail = "The sandbox answers to loopback names only, and to those of --allow-host."
            return ProblemError(HTTPStatus.MISDIRECTED_REQUEST, detail)
        if scope["method"] in _SAFE:
            return None
        # Programs send neither header; a browser sends both, and no page can change them.
        origins, site = headers.getlist("origin"), headers.get("sec-fetch-site", "same-origin")
        own = f"{scope['scheme']}://{hosts[0]}".lower()
        if site in _OWN_SITE and all(origin.lower() == own for origin in origins):
            return None
        return ProblemError(HTTPStatus.FORBIDDEN, "Only the sandbox's own pages may post to it.")

    def _is_known(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = _plain(match[1])
        if name in self._allowed or name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            return ip_address(name).is_loopback
        except ValueError:
            return False


def _plain(name: str) -> str:
    return name.strip("[]").removesuffix(".").lower()
