"""A proxy between the real command and the real sandbox that breaks one step of the conversation, and relays the rest.

It speaks just enough HTTP to know where it is: requests with `Content-Length`, answers that it reads whole first.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from tests.faults.steps import step_of

EVERYWHERE = "*"
"""As the step of a plan: its fault is asked at each of them."""
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})
_CLOSED_SECONDS = 0.4
"""How long nobody listens where the door is closed just once: less than any patience of the tests."""


@dataclass(frozen=True)
class Answer:
    """What the sandbox says."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def with_header(self, name: str, text: str) -> Answer:
        """Return the same answer with a header replaced."""
        others = tuple(header for header in self.headers if header[0].lower() != name.lower())
        return replace(self, headers=(*others, (name, text)))


class HangUpError(Exception):
    """The connection is over."""


@dataclass
class Exchange:
    """One request, and everything that can be done to it."""

    socket: socket.socket
    method: str
    path: str
    headers: Mapping[str, str]
    step: str
    upstream: tuple[str, int]
    over: threading.Event
    received: bytes
    answered: Answer | None = None
    closes: bool = False

    @property
    def length(self) -> int:
        return int(self.headers.get("content-length", "0"))

    def read(self, size: int) -> bytes:
        """Read the request's body up to `size` bytes in all."""
        while len(self.received) < size:
            self.received += receive(self.socket)
        return self.received[:size]

    @cached_property
    def upstream_answer(self) -> Answer:
        """Pass the request on, once, and return what the sandbox answers."""
        connection = http.client.HTTPConnection(*self.upstream, timeout=20)
        with contextlib.closing(connection):
            kept = {name: text for name, text in self.headers.items() if name not in _HOP_BY_HOP | {"host"}}
            connection.request(self.method, self.path, body=self.read(self.length), headers=kept)
            response = connection.getresponse()
            headers = tuple(header for header in response.getheaders() if header[0].lower() not in _HOP_BY_HOP)
            return Answer(response.status, headers, response.read())

    def send(self, answer: Answer, *, length: int | None = None, part: slice = slice(None)) -> None:
        """Answer; the announced length may be a lie, and only a part of the body be sent."""
        announced = len(answer.body) if length is None else length
        self.send_raw(head(answer, f"Content-Length: {announced}", *self._goodbye()) + answer.body[part])
        self.answered = answer

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def reset(self) -> None:
        """Break the connection the hard way."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise HangUpError

    def hang(self) -> None:
        """Do nothing until the client goes away."""
        self.socket.settimeout(0.05)
        while not self.over.is_set():
            try:
                if not self.socket.recv(65536):
                    break
            except TimeoutError:
                continue
        raise HangUpError

    def _goodbye(self) -> tuple[str, ...]:
        return ("Connection: close",) if self.closes else ()


Fault = Callable[[Exchange], None]


@dataclass(frozen=True)
class Plan:
    """What is broken where.

    Attributes:
        step: of the conversation.
        fault: what happens then; `None` where a door does it.
        door: what the next connection meets: `refused`, or the name of one of the proxy's TLS contexts.
        before: whether an exchange is the last one before `step`; `None` where `step` is the first.
        always: at every attempt, not only the first.
    """

    step: str
    fault: Fault | None = None
    door: str | None = None
    before: Callable[[Exchange, Answer], bool] | None = None
    always: bool = False


@dataclass
class Proxy:
    """A running proxy: its port, and how often each step came."""

    port: int
    seen: Counter[str] = field(default_factory=Counter)
    broken: int = 0


def relay(exchange: Exchange) -> None:
    """Answer as the sandbox does."""
    exchange.send(exchange.upstream_answer)


def head(answer: Answer, *more: str) -> bytes:
    """Return the status line and headers of an answer."""
    lines = [f"HTTP/1.1 {answer.status} Whatever", *(f"{name}: {text}" for name, text in answer.headers), *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def receive(connection: socket.socket) -> bytes:
    """Return what has come."""
    data = connection.recv(65536)
    if not data:
        raise HangUpError
    return data


@contextmanager
def proxying(
    upstream: tuple[str, int],
    plan: Plan,
    *,
    contexts: Mapping[str, ssl.SSLContext] | None = None,
    old_server: bool = False,
) -> Iterator[Proxy]:
    """Run a proxy.

    Args:
        upstream: the sandbox.
        plan: what it breaks.
        contexts: TLS for the way to the client: `good`, and those that doors name; plain HTTP without.
        old_server: answers like a server before 1.191, which knows the submit in one call only.
    """
    server = _Server(upstream, plan, contexts or {}, old_server=old_server)
    with server.running():
        yield server.proxy


class _Server:
    def __init__(
        self, upstream: tuple[str, int], plan: Plan, contexts: Mapping[str, ssl.SSLContext], *, old_server: bool
    ) -> None:
        self._upstream, self._plan, self._contexts, self._old_server = upstream, plan, contexts, old_server
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._door: str | None = None
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.proxy = Proxy(self._listener.getsockname()[1])

    @contextmanager
    def running(self) -> Iterator[None]:
        if self._plan.door and self._plan.before is None:
            self._close_door()
        acceptor = self._spawn(self._accept)
        try:
            yield
        finally:
            self._over.set()
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            acceptor.join()
            for connection in self._connections:  # a client may keep one open for a request that never comes
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in self._threads:
                thread.join()

    def _spawn(self, target: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:  # nobody listens: closed for a while, or for ever
                self._over.wait(0.01)
                continue
            self._connections.append(connection)
            self._spawn(self._serve, connection)

    def _close_door(self) -> None:
        """Let the next connections meet what the plan says."""
        self._door = self._plan.door
        self.proxy.broken += 1
        if self._door == "refused":
            self._listener.shutdown(socket.SHUT_RDWR)
            if not self._plan.always:
                self._spawn(self._open_door_later)

    def _open_door_later(self) -> None:
        self._over.wait(_CLOSED_SECONDS)
        with self._lock:
            self._door = None
            if not self._over.is_set():
                replaced, port = self._listener, self.proxy.port
                replaced.close()
                self._listener = socket.create_server(("127.0.0.1", port), backlog=64)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        # The sandbox may be killed, too.
        with connection, contextlib.suppress(HangUpError, OSError, http.client.HTTPException):
            context = self._context()
            with context.wrap_socket(connection, server_side=True) if context else connection as spoken:
                rest = b""
                while True:
                    rest = self._converse(spoken, rest)

    def _context(self) -> ssl.SSLContext | None:
        if not self._contexts:
            return None
        with self._lock:
            door = self._door
            if door and not self._plan.always:
                self._door = None
            return self._contexts[door or "good"]

    def _converse(self, connection: socket.socket, data: bytes) -> bytes:
        while b"\r\n\r\n" not in data:
            data += receive(connection)
        lines, _, body = data.partition(b"\r\n\r\n")
        first, *rest = lines.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        pairs = [line.partition(":")[::2] for line in rest]
        headers = {name.lower(): text.strip() for name, text in pairs}
        with self._lock:
            step = step_of(method, path, polled=bool(self.proxy.seen["poll"]))
            self.proxy.seen[step] += 1
        exchange = Exchange(connection, method, path, headers, step, self._upstream, self._over, body)
        if self._old_server and step == "create":
            exchange.read(exchange.length)
            self._about_to_answer(exchange, Answer(404, (), b""))
            exchange.send(Answer(404, (), b""))
        elif self._is_planned(exchange) and self._plan.fault:
            self.proxy.broken += 1
            self._plan.fault(exchange)
        else:
            self._about_to_answer(exchange, exchange.upstream_answer)
            relay(exchange)
        if exchange.closes:
            raise HangUpError
        exchange.read(exchange.length)
        return exchange.received[exchange.length :]

    def _is_planned(self, exchange: Exchange) -> bool:
        here = self._plan.step in {exchange.step, EVERYWHERE} or (
            self._plan.always and (self._plan.step, exchange.step) == ("poll", "poll again")
        )
        return here and (self._plan.always or not self.proxy.broken)

    def _about_to_answer(self, exchange: Exchange, answer: Answer) -> None:
        before = self._plan.before
        if self._plan.door and before and not self.proxy.broken and before(exchange, answer):
            exchange.closes = True
            with self._lock:
                self._close_door()
