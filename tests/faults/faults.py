"""The faults by name: everything that networks, proxies and servers have been seen to do to a call."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from tests.faults.proxy import Answer, Exchange, Fault, HangUpError, head

_DRIPS, _DRIP_SECONDS = 10, 0.15
_HUGE = 5 * 1024 * 1024
_PAGE = b"<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>...</body></html>"
_JSON = ("Content-Type", "application/json")


@dataclass(frozen=True)
class Kind:
    """How a fault is made.

    Attributes:
        fault: what is done to the exchange; `None` where the door does it.
        door: what the connection before it meets.
        over_tls: it needs a proxy that speaks TLS.
        only_always: once would be another fault.
    """

    fault: Fault | None = None
    door: str | None = None
    over_tls: bool = False
    only_always: bool = False


def _status(
    status: int, *headers: tuple[str, str], body: bytes = b"", taken: bool = False, date: timedelta | None = None
) -> Fault:
    def fault(exchange: Exchange) -> None:
        exchange.read(exchange.length)
        if taken:
            _ = exchange.upstream_answer
        more = () if date is None else (("Retry-After", format_datetime(datetime.now(timezone.utc) + date)),)
        exchange.send(Answer(status, (*headers, *more), body))

    return fault


def _changed(change: Callable[[Answer], Answer]) -> Fault:
    """Pass the request on, and answer otherwise than the sandbox."""

    def fault(exchange: Exchange) -> None:
        exchange.send(change(exchange.upstream_answer))

    return fault


def _with_body(body: bytes) -> Fault:
    return _changed(lambda answer: Answer(answer.status, answer.headers, body))


def _reset(exchange: Exchange) -> None:
    exchange.reset()


def _reset_in_request(exchange: Exchange) -> None:
    exchange.read(exchange.length // 2)
    exchange.reset()


def _reset_after(exchange: Exchange) -> None:
    _ = exchange.upstream_answer
    exchange.reset()


def _closed_after(exchange: Exchange) -> None:
    _ = exchange.upstream_answer
    raise HangUpError


def _half(exchange: Exchange) -> None:
    body = exchange.upstream_answer.body
    # What has no body is torn in its headers.
    if body:
        exchange.send(exchange.upstream_answer, part=slice(len(body) // 2))
    else:
        exchange.send_raw(head(exchange.upstream_answer)[:20])


def _reset_in_answer(exchange: Exchange) -> None:
    _half(exchange)
    exchange.reset()


def _stall_before(exchange: Exchange) -> None:
    exchange.hang()


def _stall_after(exchange: Exchange) -> None:
    _ = exchange.upstream_answer
    exchange.hang()


def _stall_in_answer(exchange: Exchange) -> None:
    _half(exchange)
    exchange.hang()


def _drip(exchange: Exchange) -> None:
    answer = exchange.upstream_answer
    whole = head(answer, f"Content-Length: {len(answer.body)}") + answer.body
    piece = len(whole) // _DRIPS + 1
    for start in range(0, len(whole), piece):
        exchange.send_raw(whole[start : start + piece])
        time.sleep(_DRIP_SECONDS)


def _drip_for_ever(exchange: Exchange) -> None:
    exchange.read(exchange.length)
    exchange.send_raw(b"HTTP/1.1 200 OK\r\nX-Endless: ")
    while not exchange.over.wait(_DRIP_SECONDS):
        exchange.send_raw(b"x")
    raise HangUpError


def _body_for_ever(exchange: Exchange) -> None:
    exchange.send_raw(head(exchange.upstream_answer, "Transfer-Encoding: chunked"))
    while not exchange.over.wait(_DRIP_SECONDS):
        exchange.send_raw(b"1\r\n{\r\n")
    raise HangUpError


def _too_long(exchange: Exchange) -> None:
    exchange.send(exchange.upstream_answer, length=len(exchange.upstream_answer.body) + 10)
    raise HangUpError


def _too_short(exchange: Exchange) -> None:
    exchange.send(exchange.upstream_answer, length=max(len(exchange.upstream_answer.body) - 10, 0))


def _chunked_without_end(exchange: Exchange) -> None:
    answer = exchange.upstream_answer
    exchange.send_raw(head(answer, "Transfer-Encoding: chunked"))
    if answer.body:
        exchange.send_raw(f"{len(answer.body):x}\r\n".encode() + answer.body + b"\r\n")
    exchange.hang()


def _garbage(exchange: Exchange) -> None:
    exchange.read(exchange.length)
    exchange.send_raw(b"220 mail.example ESMTP ready\r\n")
    raise HangUpError


def _zipped(answer: Answer) -> Answer:
    return Answer(answer.status, answer.headers, gzip.compress(answer.body)).with_header("Content-Encoding", "gzip")


def _corrupt(answer: Answer) -> Answer:
    # In JSON the first character, since a changed letter in the middle may make no difference at all.
    place = 0 if answer.body.startswith(b"{") else len(answer.body) // 2
    body = bytearray(answer.body)
    body[place : place + 1] = bytes(byte ^ 1 for byte in body[place : place + 1])
    return Answer(answer.status, answer.headers, bytes(body))


def _twice_the_keys(answer: Answer) -> Answer:
    other = b'{"signingRequestId":"11111111-1111-1111-1111-111111111111","status":"Completed","isFinalStatus":true,'
    is_object = answer.body.startswith(b"{")
    return Answer(answer.status, answer.headers, other + answer.body[1:] if is_object else answer.body)


def _redirect_once(exchange: Exchange) -> None:
    exchange.read(exchange.length)
    if "again" in exchange.path:
        exchange.send(exchange.upstream_answer)
        return
    mark = "&" if "?" in exchange.path else "?"
    exchange.send(Answer(307, (("Location", f"{exchange.path}{mark}again"),), b""))


def _redirect_loop(exchange: Exchange) -> None:
    exchange.read(exchange.length)
    exchange.send(Answer(302, (("Location", exchange.path),), b""))


def _redirect_elsewhere(exchange: Exchange) -> None:
    exchange.read(exchange.length)
    # The sandbox itself, by the back door: it would take the token, and the request.
    host, port = exchange.upstream
    exchange.send(Answer(307, (("Location", f"http://{host}:{port}{exchange.path}"),), b""))


def _downgrade(exchange: Exchange) -> None:
    exchange.read(exchange.length)
    exchange.send(Answer(307, (("Location", f"http://{exchange.headers['host']}{exchange.path}"),), b""))


FAULTS: Mapping[str, Kind] = {
    "refused": Kind(door="refused"),
    "reset before": Kind(_reset),
    "reset in the request": Kind(_reset_in_request),
    "reset after": Kind(_reset_after),
    "closed after": Kind(_closed_after),
    "reset in the answer": Kind(_reset_in_answer),
    "stall before": Kind(_stall_before),
    "stall after": Kind(_stall_after),
    "stall in the answer": Kind(_stall_in_answer),
    "slow drip": Kind(_drip),
    "headers without end": Kind(_drip_for_ever),
    "body without end": Kind(_body_for_ever),
    "408": Kind(_status(408)),
    "429, 1 s": Kind(_status(429, ("Retry-After", "1"))),
    "429, past date": Kind(_status(429, date=timedelta(days=-1))),
    "429, far date": Kind(_status(429, date=timedelta(days=400))),
    "500": Kind(_status(500)),
    "500 after": Kind(_status(500, taken=True)),
    "502 after": Kind(_status(502, taken=True)),
    "503": Kind(_status(503)),
    "504 after": Kind(_status(504, taken=True)),
    "401": Kind(_status(401)),
    "403": Kind(_status(403)),
    "404": Kind(_status(404)),
    "404 with words": Kind(_status(404, _JSON, body=b'{"title":"Not Found","detail":"There is no such thing."}')),
    "413": Kind(_status(413)),
    "web page": Kind(_status(200, ("Content-Type", "text/html"), body=_PAGE)),
    "empty body": Kind(_with_body(b"")),
    "wrong content type": Kind(_changed(lambda answer: answer.with_header("Content-Type", "text/plain"))),
    "broken JSON": Kind(_with_body(b'{"status": ')),
    "other JSON": Kind(_with_body(b'{"unheardOf":true}')),
    "huge JSON": Kind(_with_body(b'{"status":"' + b"x" * _HUGE + b'"}')),
    "duplicated keys": Kind(_changed(_twice_the_keys)),
    "length too long": Kind(_too_long),
    "length too short": Kind(_too_short),
    "chunked without end": Kind(_chunked_without_end),
    "no HTTP": Kind(_garbage),
    "gzip": Kind(_changed(_zipped)),
    "corrupt bytes": Kind(_changed(_corrupt)),
    "redirect": Kind(_redirect_once),
    "redirect loop": Kind(_redirect_loop, only_always=True),
    "redirect to another host": Kind(_redirect_elsewhere),
    "redirect to http": Kind(_downgrade, over_tls=True),
    "TLS, untrusted": Kind(door="untrusted", over_tls=True),
    "TLS, expired": Kind(door="expired", over_tls=True),
    "TLS, misnamed": Kind(door="misnamed", over_tls=True),
}
"""Each fault, in the order of the tables."""
