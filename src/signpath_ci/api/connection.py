"""The connections under `requests`, taught what it leaves out.

A stalled send fails, headers without end are given up, `.netrc` never replaces the token.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager
from urllib3.util.wait import wait_for_read, wait_for_write

from signpath_ci.clock import WAIT_SLICE, Clock

_monotonic = Clock().monotonic  # sockets know no other
_PLAIN_SEND = 256 * 1024
_TLS_RECORD = 16 * 1024  # one SSL_write returns only when all of it is written (RFC 8446, section 5.1 for the size)


class Token(Protocol):
    """A secret that shows itself only when asked, as `signpath_ci.settings.declaration.Secret` does."""

    def reveal(self) -> str:
        """Return the token for the one header that carries it."""
        ...


def open_session(
    *, token: Token, stall_timeout: float, headers: Mapping[str, str], tls: ssl.SSLContext | None = None
) -> requests.Session:
    """Return a session that authenticates every request and repeats, redirects, and remembers nothing by itself.

    Args:
        token: goes into `Authorization: Bearer`; an empty one goes nowhere.
        stall_timeout: seconds without a byte sent after which sending fails.
        headers: of every request.
        tls: how TLS is spoken; `None`: as `requests` does by itself.
    """
    session = _Session()
    # Proxies and the CA bundle come from the environment; `auth` being set keeps `.netrc` out of it.
    session.auth = _BearerAuth(token)
    session.headers.update(headers)
    for scheme in ("https://", "http://"):
        session.mount(scheme, _StallAwareAdapter(stall_timeout, tls))
    return session


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - the overridden signature
        # Redirects are `transport`'s business. Left to itself, requests would even read the whole body of one.
        return None


class _BearerAuth(AuthBase):
    def __init__(self, token: Token) -> None:
        self._token = token

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        if token := self._token.reveal():
            r.headers["Authorization"] = f"Bearer {token}"
        return r


class _StallAwareAdapter(HTTPAdapter):
    def __init__(self, stall_timeout: float, tls: ssl.SSLContext | None) -> None:
        self._pools = _pool_classes(stall_timeout)
        self._tls: dict[str, Any] = {"ssl_context": tls} if tls else {}
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **(kwargs | self._tls))
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*args, **(kwargs | self._tls))
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pool_classes(stall_timeout: float) -> dict[str, type[HTTPConnectionPool]]:
    class PlainConnection(_StallAware, HTTPConnection):
        pass

    class TlsConnection(_StallAware, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    PlainConnection.stall_timeout = TlsConnection.stall_timeout = stall_timeout
    return {"http": PlainPool, "https": TlsPool}


class _Incoming(io.RawIOBase):
    """What comes from a socket; where there is a deadline, before that."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw, self._socket = raw, sock
        self.deadline: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        timeout = self._socket.gettimeout()
        if self.deadline is not None:
            timeout = self.deadline - _monotonic()
            if timeout <= 0:
                raise TimeoutError
            self._socket.settimeout(timeout)
        if not (isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()):
            _await(wait_for_read, self._socket, timeout)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        super().close()
        self._raw.close()


class _BoundedHead(http.client.HTTPResponse):
    """An answer whose status line and headers must come within the socket's timeout as a whole.

    By itself that timeout is for each piece, so that headers which drip, byte by byte, would never end.
    """

    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self._socket = sock
        self._incoming = _Incoming(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._incoming)

    def begin(self) -> None:
        timeout = self._socket.gettimeout()
        self._incoming.deadline = None if timeout is None else _monotonic() + timeout
        try:
            super().begin()
        finally:
            self._incoming.deadline = None
            with contextlib.suppress(OSError):  # it may be closed already
                self._socket.settimeout(timeout)


def _await(is_ready: Callable[..., bool], sock: socket.socket, timeout: float | None) -> None:
    """Wait until a socket is ready, in slices, so that a signal gets its turn on Windows too.

    Raises:
        TimeoutError: it is not ready after `timeout` seconds.
    """
    end = None if timeout is None else _monotonic() + timeout
    while not is_ready(sock, timeout=WAIT_SLICE if end is None else max(0.0, min(WAIT_SLICE, end - _monotonic()))):
        if end is not None and _monotonic() >= end:
            raise TimeoutError


def _in_slices(work: Callable[[], None]) -> None:
    """Do what can't be split (name resolution, TLS handshake) in a daemon thread, and wait for it in slices.

    A signal ends the wait; the thread is left to its own timeout (docs/decisions/0003-daemon-threads.md).
    """
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(WAIT_SLICE)
    if errors:
        raise errors[0]


class _StallAware(HTTPConnection):
    """A connection on which a send that moves no byte for `stall_timeout` seconds raises `TimeoutError`.

    `http.client` gives `sendall` a whole block, and a socket's timeout is the limit for all of that block, so that a
    slow but living line would fail; and urllib3 leaves the *connect* timeout on the socket while it sends.
    """

    stall_timeout: float
    response_class = _BoundedHead

    def connect(self) -> None:
        if os.name == "nt":  # elsewhere a signal interrupts every system call
            _in_slices(super().connect)
        else:
            super().connect()

    def send(self, data: Any) -> None:
        if not isinstance(data, (bytes, bytearray)):
            super().send(data)
            return
        if self.sock is None:
            self.connect()
        size = _TLS_RECORD if isinstance(self.sock, ssl.SSLSocket) else _PLAIN_SEND
        self.sock.settimeout(self.stall_timeout)
        rest = memoryview(data)
        while rest:
            _await(wait_for_write, self.sock, self.stall_timeout)
            rest = rest[self.sock.send(rest[:size]) :]
