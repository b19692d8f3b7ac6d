"""Servers that misbehave on purpose, on loopback, for the real client to meet."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support import http

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Run a server that gives every request to `answer`; yield its base URL."""

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True  # an answer comes in two pieces; the second waits for nobody
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        def do_POST(self) -> None:
            answer(self)

        def do_PUT(self) -> None:
            answer(self)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def text_answer(body: str, *, status: int = 200, content_type: str = "application/json") -> Answer:
    """Answer everything with the same body."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        read_body(handler)
        data = body.encode()
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def read_body(handler: BaseHTTPRequestHandler) -> bytes:
    """Read what the client sends, as a server must before it answers on the same connection."""
    if handler.headers.get("Transfer-Encoding", "").lower() == "chunked":
        parts = []
        while size := int(handler.rfile.readline().strip() or b"0", 16):
            parts.append(handler.rfile.read(size))
            handler.rfile.readline()
        handler.rfile.readline()
        return b"".join(parts)
    return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))


def forwarding(api_url: str, special: Callable[[BaseHTTPRequestHandler, bytes], bool]) -> Answer:
    """Pass everything on to the API at `api_url`, but for what `special` answers itself (it returns True then).

    Args:
        api_url: the sandbox's API, e.g. `http://127.0.0.1:1234/Api`.
        special: is given each answer's body; its chance to misbehave.
    """

    root = api_url.rsplit("/", 1)[0]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        body = read_body(handler)
        headers = {
            name: text
            for name, text in handler.headers.items()
            if name.lower() not in {"host", "transfer-encoding", "content-length", "connection"}
        }
        with http.request(
            handler.command, root + handler.path, data=body or None, headers=headers, timeout=30
        ) as upstream:
            content = upstream.content
            if special(handler, content):
                return
            handler.send_response(upstream.status_code)
            for name in ("Content-Type", "Location", "Content-Disposition"):
                if name in upstream.headers:
                    handler.send_header(name, upstream.headers[name])
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            with contextlib.suppress(ConnectionError):  # a client that gave up reads no answer
                handler.wfile.write(content)

    return answer
