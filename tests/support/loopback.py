"""A server of bare sockets on loopback, for what no well-behaved server does: stalls, resets, lies about lengths."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Behaviour = Callable[["Connection"], None]


@dataclass
class Connection:
    """One accepted connection; each is closed when its behaviour returns."""

    socket: socket.socket
    done: threading.Event
    sent: list[bytes] = field(default_factory=list)

    def read_request(self) -> bytes:
        """Read a request with its body, as `Content-Length` says."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [
            line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        ]
        while lengths and len(body) < int(lengths[0]):
            body += self._receive()
        self.sent.append(head + b"\r\n\r\n" + body)
        return self.sent[-1]

    def answer(self, body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> None:
        """Answer with a body, whose length may be a lie."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode() + body)

    def reset(self) -> None:
        """Break the connection the hard way."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def hang(self) -> None:
        """Do nothing until the test is over."""
        self.done.wait(30)

    def _receive(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the client is gone")
        return data


@dataclass
class Loopback:
    """A running server: its URL, the requests that it has read, and how many connections came."""

    url: str
    requests: list[bytes]
    accepted: int = 0


def stop_listening(listener: socket.socket) -> None:
    """Close a listening socket, and end the `accept` that waits on it."""
    with suppress(OSError):  # Windows shuts no listening socket down: closing it is enough there
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@contextmanager
def loopback(*behaviours: Behaviour, context: ssl.SSLContext | None = None) -> Iterator[Loopback]:
    """Run a server: the first connection shows the first behaviour, and so on; the last one goes for all others."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()
    threads: list[threading.Thread] = []

    def serve(plain: socket.socket, behaviour: Behaviour) -> None:
        plain.settimeout(30)
        try:
            with context.wrap_socket(plain, server_side=True) if context else plain as connected:
                behaviour(Connection(connected, done, server.requests))
        except OSError:
            pass  # the client went away, as it should where it is badly treated
        finally:
            plain.close()

    def accept() -> None:
        while True:
            try:
                connected, _ = listener.accept()
            except OSError:
                return
            behaviour = behaviours[min(server.accepted, len(behaviours) - 1)]
            server.accepted += 1
            threads.append(threading.Thread(target=serve, args=(connected, behaviour)))
            threads[-1].start()

    scheme = "https" if context else "http"
    server = Loopback(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/Api", [])
    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield server
    finally:
        done.set()
        stop_listening(listener)
        acceptor.join()
        for thread in threads:
            thread.join()
