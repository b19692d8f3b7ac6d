"""An HTTP proxy as companies have them: it takes `CONNECT`, perhaps with a password, and passes bytes on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.loopback import stop_listening


@dataclass
class ConnectProxy:
    """A running proxy: its address, and the heads of the requests that came."""

    address: str
    heads: list[str] = field(default_factory=list)


@contextmanager
def connect_proxy(port: int, *, authorization: str | None = None) -> Iterator[ConnectProxy]:
    """Run a proxy that leads every host name to one port on loopback.

    Args:
        port: where everything goes.
        authorization: the `Proxy-Authorization` without which it refuses.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = ConnectProxy(f"127.0.0.1:{listener.getsockname()[1]}")
    threads: list[threading.Thread] = []

    def spawn(target: Callable[..., None], *arguments: object) -> None:
        threads.append(threading.Thread(target=target, args=arguments, daemon=True))
        threads[-1].start()

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            text = head.decode("latin-1")
            proxy.heads.append(text)
            if authorization and f"Proxy-Authorization: {authorization}\r\n" not in text:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", port)) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                spawn(pump, server, client)
                pump(client, server)

    def accept() -> None:
        with suppress(OSError):
            while True:
                spawn(serve, listener.accept()[0])

    spawn(accept)
    try:
        yield proxy
    finally:
        stop_listening(listener)
        for thread in threads:
            thread.join(10)
