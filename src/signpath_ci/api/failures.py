"""What goes wrong below HTTP, in words for people; and whether the server can have taken the request all the same."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

from signpath_ci.api.answers import unexpected
from signpath_ci.api.retries import AttemptFailedError
from signpath_ci.errors import SignPathError, UsageError

_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"})
"""OpenSSL's reasons where what answers does not speak TLS at all."""


def as_error(error: Exception, *, what: str, option: str) -> SignPathError | AttemptFailedError:
    """Return this package's error for one of the libraries'.

    Args:
        error: of `requests`, `urllib3` or `ssl`.
        what: the call, for messages.
        option: how the user gave the service's URL, for hints.
    """
    links = list(_chain(error))
    for link in links:
        if isinstance(link, ssl.SSLCertVerificationError):
            return UsageError(
                f"{what} failed: the server's certificate is not trusted ({link.verify_message}).",
                hint=f"Check {option}; name the file of a private certificate authority in REQUESTS_CA_BUNDLE.",
                code="tls-certificate-untrusted",
            )
        if isinstance(link, ssl.SSLError) and "CERTIFICATE_REQUIRED" in (link.reason or ""):
            return UsageError(
                f"{what} failed: the server wants a client certificate.",
                hint="Name one with --client-certificate (SIGNPATH_CLIENT_CERTIFICATE).",
                code="client-certificate-required",
            )
        if isinstance(link, ssl.SSLError) and link.reason in _NO_TLS:
            return unexpected(what, "was answered without TLS", option)
    if isinstance(error, requests.RequestException) and isinstance(error, ValueError) and len(links) == 1:
        return UsageError(
            f"{what} can't be sent ({type(error).__name__}).",
            hint=f"Check {option}, and the proxies that the environment names.",
            code="network-failure",
        )
    untaken = isinstance(error, requests.exceptions.ProxyError) or any(
        isinstance(link, urllib3.exceptions.ConnectTimeoutError) for link in links
    )
    return AttemptFailedError(_words(links), untaken=untaken)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give an error and those that it wraps, the outermost first."""
    waiting, seen = [error], set()
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        inner = [*link.args, getattr(link, "reason", None), link.__cause__]
        waiting += [each for each in inner if isinstance(each, BaseException)]


def _words(links: list[BaseException]) -> str:
    innermost = next((link for link in reversed(links) if isinstance(link, OSError) and link.strerror), None)
    kinds: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
        (socket.gaierror, f"failed: the host's name is not known ({innermost.strerror if innermost else ''})"),
        ((urllib3.exceptions.ReadTimeoutError, TimeoutError), "stalled: for too long no byte came or went"),
        ((urllib3.exceptions.IncompleteRead, http.client.IncompleteRead), "broke off in the middle of the answer"),
        (http.client.RemoteDisconnected, "was cut off before any answer"),
        (http.client.HTTPException, "was answered with something that is not HTTP"),
        (urllib3.exceptions.DecodeError, "was answered with a body that can't be decoded"),
        (urllib3.exceptions.InvalidHeader, "was answered with contradicting headers"),
    )
    for kind, words in kinds:
        if any(isinstance(link, kind) for link in links):
            return words
    if innermost is not None:
        return f"failed: {innermost.strerror}"
    tunnel = next((link for link in links if type(link) is OSError), None)  # "Tunnel connection failed: 407 ..."
    if tunnel is not None:
        return f"failed: {tunnel}"
    if any(isinstance(link, urllib3.exceptions.ConnectTimeoutError) for link in links):
        return "got no connection in time"
    return f"failed ({type(links[-1]).__name__})"
