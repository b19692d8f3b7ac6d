"""Which hosts a token may be sent to, and in which form."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import SplitResult, urljoin, urlsplit

from signpath_ci.errors import UnexpectedAnswerError, UsageError
from signpath_ci.hosts import is_loopback

_DEFAULT_PORTS = {"http": 80, "https": 443}


class ElsewhereError(UnexpectedAnswerError):
    """A redirect to where the token must not go.

    Attributes:
        location: where it leads; `None` where that is no usable URL.
    """

    location: str | None = None


class BaseUrl:
    """The base of all URLs of one service.

    Args:
        url: where the service is.
        option: how the user gave it, for hints.
        insecure_hosts: hosts that may be called over plain http, besides those of loopback.

    Raises:
        UsageError: a token must not be sent there, or no path can follow it.
    """

    def __init__(self, url: str, *, option: str, insecure_hosts: Collection[str] = ()) -> None:
        self.option = option
        parts = _split(url)
        if parts is None or parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise UsageError("The service's URL is not an http(s) URL.", hint=f"Check {option}.", code="invalid-url")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise UsageError(
                f"The URL of the service at {parts.hostname} has a user name, query or fragment.",
                hint=f"Give {option} without them.",
                code="invalid-url",
            )
        self.is_loopback = is_loopback(parts.hostname)
        is_permitted = parts.hostname.lower() in {name.strip("[]").lower() for name in insecure_hosts}
        if parts.scheme == "http" and not (self.is_loopback or is_permitted):
            raise UsageError(
                f"{url} is not encrypted: the token would travel in the clear.",
                hint=f"Give {option} with https; plain http is for loopback addresses, and for a sandbox's host that "
                "--insecure-host (SIGNPATH_INSECURE_HOST) names.",
                code="unencrypted-url",
            )
        self.host = parts.hostname
        self._parts = parts
        self._url = url.rstrip("/")

    def join(self, path: str) -> str:
        """Return the URL of a path below the base."""
        return f"{self._url}/{path.lstrip('/')}"

    def redirected(self, url: str, location: str) -> str:
        """Return where a redirect leads, if the token may go there.

        Raises:
            ElsewhereError: it leads to another scheme, host or port.
        """
        target = _target(url, location)
        if target is None or _origin(target) != _origin(self._parts) or target.username or target.password:
            raise self.elsewhere(url, location)
        return target._replace(fragment="").geturl()

    def elsewhere(self, url: str, location: str) -> ElsewhereError:
        """Return the error for a redirect that is not followed with the token."""
        target = _target(url, location)
        where = (target.netloc.rpartition("@")[2] if target else "") or "no usable URL"
        error = ElsewhereError(
            f"{url} redirects to {where}, and the token goes to {self._parts.netloc} only.",
            hint=f"If that is where the service is now, change {self.option}.",
            code="unexpected-redirect",
        )
        if target is not None and target.hostname and not (target.username or target.password):
            error.location = target._replace(fragment="").geturl()
        return error


def _target(url: str, location: str) -> SplitResult | None:
    return _split(urljoin(url, location)) if _split(location) else None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is not a port
    except ValueError:
        return None
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)
