"""Calls to servers that treat them badly, over real sockets."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from signpath_ci.api.streams import Download
from signpath_ci.api.transport import Transport
from signpath_ci.clock import Clock
from signpath_ci.errors import RefusedError, ServiceUnavailableError, UnexpectedAnswerError, UsageError
from tests.support.loopback import Connection, loopback
from tests.support.values import FakeTime
from tests.support.wire import TOKEN, transport


def _impatient(url: str) -> Transport:
    return transport(url, clock=Clock(), stall_timeout=0.3, service_unavailable_timeout=0.05)


def _healthy(connection: Connection) -> None:
    connection.read_request()
    connection.answer(b'{"a": "b"}')


def _reset(connection: Connection) -> None:
    connection.read_request()
    connection.reset()


def _close(connection: Connection) -> None:
    connection.read_request()


def _stall(connection: Connection) -> None:
    connection.read_request()
    connection.hang()


def _stall_in_the_body(connection: Connection) -> None:
    connection.read_request()
    connection.answer(b'{"a": ', length=100)
    connection.hang()


def _truncate(connection: Connection) -> None:
    connection.read_request()
    connection.answer(b'{"a": "b"}', length=100)


def _truncate_chunks(connection: Connection) -> None:
    connection.read_request()
    connection.socket.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n')


def _talk_nonsense(connection: Connection) -> None:
    connection.read_request()
    connection.socket.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def _contradict(connection: Connection) -> None:
    connection.read_request()
    connection.answer(b"{}", "Content-Length: 7")


def _send_broken_gzip(connection: Connection) -> None:
    connection.read_request()
    connection.answer(b"no gzip at all", "Content-Encoding: gzip")


BROKEN = [
    (_reset, "failed: Connection reset by peer"),
    (_close, "was cut off before any answer"),
    (_stall, "stalled: for too long no byte came or went"),
    (_stall_in_the_body, "stalled: for too long no byte came or went"),
    (_truncate, "broke off in the middle of the answer"),
    (_truncate_chunks, "broke off in the middle of the answer"),
    (_talk_nonsense, "was answered with something that is not HTTP"),
    (_contradict, "was answered with contradicting headers"),
    (_send_broken_gzip, "was answered with a body that can't be decoded"),
]


@pytest.mark.parametrize(("behaviour", "words"), BROKEN)
def test_a_broken_call_is_repeated(behaviour: Callable[[Connection], None], words: str) -> None:
    with loopback(behaviour, _healthy) as server:
        sender = transport(server.url, stall_timeout=0.3)
        assert sender.get("thing").text("a") == "b"
        sender.close()

    with loopback(behaviour) as server:
        sender = _impatient(server.url)
        with pytest.raises(ServiceUnavailableError) as caught:
            sender.get("thing")
        sender.close()
        assert caught.value.message.startswith(f"GET {server.url}/thing {words}; given up after ")


@pytest.mark.parametrize(("behaviour", "words"), BROKEN)
def test_a_broken_call_that_may_have_been_taken_is_not_repeated(
    behaviour: Callable[[Connection], None], words: str
) -> None:
    with loopback(behaviour, _healthy) as server:
        sender = transport(server.url, stall_timeout=0.3)
        with pytest.raises(ServiceUnavailableError) as caught:
            sender.post("thing", b"{}", "application/json", if_in_doubt="Look.")
        sender.close()
        assert str(caught.value) == (
            f"POST {server.url}/thing {words}, and the server may have taken it all the same. Look."
        )
        assert len(server.requests) == 1


def test_a_refused_connection_is_repeated_in_any_case() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    time = FakeTime()
    with pytest.raises(ServiceUnavailableError) as caught:
        transport(f"http://127.0.0.1:{port}", time=time, service_unavailable_timeout=3).post(
            "thing", b"", "", if_in_doubt="Look."
        )

    assert caught.value.message == (
        f"POST http://127.0.0.1:{port}/thing failed: Connection refused; given up after 4 attempts in 3 s."
    )


def test_a_connection_is_kept_for_the_next_call() -> None:
    def twice(connection: Connection) -> None:
        _healthy(connection)
        _healthy(connection)

    def never(connection: Connection) -> None:
        connection.reset()

    with loopback(twice, never) as server:
        sender = transport(server.url)
        sender.get("one")
        sender.get("two")
        sender.close()
        assert [request.split(b" ")[1] for request in server.requests] == [b"/Api/one", b"/Api/two"]


def test_an_answer_that_drips_for_ever_is_given_up() -> None:
    """Bytes keep coming, each before the stall time-out, but time passes: a small answer is not a large body."""
    time = FakeTime()

    def drip(connection: Connection) -> None:
        connection.read_request()
        connection.answer(b"", length=1000)
        for _ in range(1000):
            time.seconds += 10
            connection.socket.sendall(b" ")
            connection.done.wait(0.001)

    with loopback(drip) as server:
        sender = transport(server.url, time=time, service_unavailable_timeout=100)
        with pytest.raises(ServiceUnavailableError, match="was answered too slowly"):
            sender.get("thing")
        sender.close()


def test_headers_that_drip_for_ever_are_given_up() -> None:
    def drip(connection: Connection) -> None:
        connection.read_request()
        connection.socket.sendall(b"HTTP/1.1 200 OK\r\nX-Endless: ")
        while not connection.done.wait(0.05):
            connection.socket.sendall(b"x")

    with loopback(drip) as server:
        sender = _impatient(server.url)
        with pytest.raises(ServiceUnavailableError, match="stalled: for too long no byte came or went"):
            sender.get("thing")
        with pytest.raises(ServiceUnavailableError, match="stalled: for too long no byte came or went"):
            sender.download("thing", _whole)
        sender.close()


def test_a_download_that_drips_for_ever_is_given_up() -> None:
    """Bytes keep coming, each before the stall time-out; but a line that carries so few is as good as dead."""

    def drip(connection: Connection) -> None:
        connection.read_request()
        connection.socket.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not connection.done.wait(0.05):
            connection.socket.sendall(b"1\r\nx\r\n")

    with loopback(drip) as server:
        sender = _impatient(server.url)
        with pytest.raises(ServiceUnavailableError, match=r"dripped: less than 1024 bytes in 0\.3 s"):
            sender.download("thing", _whole)
        sender.close()


class Endless:
    """A body larger than what sockets buffer."""

    piece = bytes(1024 * 1024)

    def __init__(self, pieces: int) -> None:
        self.pieces, self.taken = pieces, 0

    def __len__(self) -> int:
        return self.pieces * len(self.piece)

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self.pieces):
            self.taken += 1
            yield self.piece


def test_an_upload_that_nobody_reads_stalls() -> None:
    body = Endless(64)

    def read_nothing(connection: Connection) -> None:
        connection.hang()

    with loopback(read_nothing) as server:
        sender = _impatient(server.url)
        with pytest.raises(ServiceUnavailableError, match="stalled: for too long no byte came or went"):
            sender.post("thing", body, "application/octet-stream", if_in_doubt="Look.")
        sender.close()
    assert 0 < body.taken < 64


def test_an_upload_may_take_far_longer_than_any_timeout_while_bytes_move() -> None:
    """The reader pauses for less than the stall time-out each time, and for more than all time-outs in sum."""
    body = Endless(16)

    def read_slowly(connection: Connection) -> None:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        left = len(body)
        data = connection.socket.recv(65536)
        left -= len(data.partition(b"\r\n\r\n")[2])
        pause_at = left
        while left > 0:
            left -= len(connection.socket.recv(min(left, 1024 * 1024)))
            if left <= pause_at - 2 * 1024 * 1024:
                pause_at = left
                connection.done.wait(0.15)
        connection.answer(b"{}")

    with loopback(read_slowly) as server:
        sender = transport(
            server.url, clock=Clock(), stall_timeout=0.5, connect_timeout=0.5, service_unavailable_timeout=0.2
        )
        sender.post("thing", body, "application/octet-stream", if_in_doubt="Look.")
        sender.close()
    assert body.taken == 16


def test_a_body_that_raises_is_broken_off_and_nothing_wraps_its_error() -> None:
    class Broken(Endless):
        def __iter__(self) -> Iterator[bytes]:
            yield self.piece
            assert accepted.wait(30)
            raise KeyError("mine")

    received: list[int] = []
    accepted = threading.Event()

    def read_all(connection: Connection) -> None:
        accepted.set()
        count = 0
        try:
            while data := connection.socket.recv(65536):
                count += len(data)
        finally:
            received.append(count)

    with loopback(read_all) as server:
        sender = transport(server.url)
        with pytest.raises(KeyError, match="mine"):
            sender.post("thing", Broken(2), "application/octet-stream")
        sender.close()
    # All threads of the server have ended here.
    assert len(Endless.piece) <= received[0] < 2 * len(Endless.piece)


def test_an_early_refusal_ends_an_upload() -> None:
    def refuse(connection: Connection) -> None:
        connection.socket.recv(65536)
        connection.answer(b"Too large", "Connection: close", status="413 Content Too Large")
        connection.socket.shutdown(socket.SHUT_WR)
        while connection.socket.recv(1024 * 1024):
            pass  # as a proxy drains what is on its way before it closes

    with loopback(refuse) as server:
        sender = transport(server.url)
        with pytest.raises(RefusedError, match=r"was refused: 413 .*Too large"):
            sender.post("thing", Endless(8), "application/octet-stream", if_in_doubt="Look.")
        sender.close()


def _whole(incoming: Download) -> bytes:
    return b"".join(incoming)


def test_a_truncated_download_starts_again() -> None:
    def truncate(connection: Connection) -> None:
        connection.read_request()
        connection.answer(b"x" * 1000, length=2000)

    def whole(connection: Connection) -> None:
        connection.read_request()
        connection.answer(b"y" * 2000)

    with loopback(truncate, whole) as server:
        sender = transport(server.url)
        assert sender.download("thing", _whole) == b"y" * 2000
        sender.close()


def test_a_download_in_chunks_has_no_length() -> None:
    def chunks(connection: Connection) -> None:
        connection.read_request()
        connection.socket.sendall(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )

    with loopback(chunks) as server:
        sender = transport(server.url)
        assert sender.download("thing", lambda incoming: (incoming.length, b"".join(incoming))) == (None, b"abcde")
        sender.close()


def test_a_proxy_of_the_environment_does_not_see_loopback_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    with loopback(_healthy) as server:
        sender = transport(server.url)
        assert sender.get("thing").text("a") == "b"
        sender.close()


def test_a_proxy_of_the_environment_is_used_and_its_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(connection: Connection) -> None:
        connection.read_request()
        connection.answer(b"", status="407 Proxy Authentication Required")

    with loopback(refuse) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.removesuffix("/Api"))
        sender = transport(service_unavailable_timeout=1)
        with pytest.raises(ServiceUnavailableError, match="failed: Tunnel connection failed: 407"):
            sender.post("thing", b"", "", if_in_doubt="Look.")
        sender.close()
        assert proxy.requests[0].startswith(b"CONNECT signpath.example:443 ")
        assert TOKEN.encode() not in b"".join(proxy.requests)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context with a self-signed certificate, and the file of that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    directory = tmp_path_factory.mktemp("tls")
    (directory / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (directory / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "certificate.pem", directory / "key.pem")
    return context, directory / "certificate.pem"


def test_a_large_body_goes_over_tls_as_a_whole(
    tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, certificate = tls
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with loopback(_healthy, context=context) as server:
        sender = transport(server.url)
        sender.post("thing", Endless(3), "application/octet-stream")
        sender.close()
        assert server.requests[0].partition(b"\r\n\r\n")[2] == Endless.piece * 3


def test_an_upload_over_tls_that_nobody_reads_stalls(
    tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, certificate = tls
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with loopback(Connection.hang, context=context) as server:
        sender = _impatient(server.url)
        with pytest.raises(ServiceUnavailableError, match="stalled"):
            sender.post("thing", Endless(64), "application/octet-stream", if_in_doubt="Look.")
        sender.close()


def test_a_certificate_that_is_not_trusted_is_final(tls: tuple[ssl.SSLContext, Path]) -> None:
    with loopback(_healthy, context=tls[0]) as server:
        sender = transport(server.url)
        with pytest.raises(UsageError) as caught:
            sender.get("thing")
        sender.close()
        assert str(caught.value) == (
            f"GET {server.url}/thing failed: the server's certificate is not trusted (self-signed certificate). "
            "Check --api-url (SIGNPATH_API_URL); "
            "name the file of a private certificate authority in REQUESTS_CA_BUNDLE."
        )


def test_a_server_without_tls_is_not_the_api() -> None:
    def plain(connection: Connection) -> None:
        connection.socket.recv(65536)
        connection.socket.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with loopback(plain) as server:
        sender = transport(server.url.replace("http:", "https:"))
        with pytest.raises(UnexpectedAnswerError, match="was answered without TLS"):
            sender.get("thing")
        sender.close()
