"""Corporate networks: proxies, private certificate authorities, client certificates; with real TLS on loopback."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.proxy import Plan, proxying
from tests.support.connect_proxy import ConnectProxy, connect_proxy
from tests.support.program import Program, Sandbox
from tests.support.tls import TlsAuthority

_HOST = "signpath.invalid"  # no name server knows it: only the proxy leads there
_API = f"https://{_HOST}/Api"
_NO_FAULT = Plan("nowhere")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TlsAuthority:
    return TlsAuthority(tmp_path_factory.mktemp("tls"))


@contextmanager
def _tls(sandbox: Sandbox, authority: TlsAuthority, *, name: str = "127.0.0.1", clients: bool = False) -> Iterator[int]:
    """Put TLS before the sandbox; give the port."""
    host, port = sandbox["api_url"].removeprefix("http://").removesuffix("/Api").split(":")
    contexts = {"good": authority.server_context(name, clients=clients)}
    with proxying((host, int(port)), _NO_FAULT, contexts=contexts) as server:
        yield server.port


@contextmanager
def _company(
    job: Program, sandbox: Sandbox, authority: TlsAuthority, *, user: str = ""
) -> Iterator[tuple[Program, ConnectProxy]]:
    """Give a job that reaches SignPath only through a proxy, perhaps with user and password; and the proxy."""
    wanted = f"Basic {base64.b64encode(user.encode()).decode()}" if user else None
    with _tls(sandbox, authority, name=_HOST) as port, connect_proxy(port, authorization=wanted) as proxy:
        environment = {
            **job.environment,
            "SIGNPATH_API_URL": _API,
            "REQUESTS_CA_BUNDLE": str(authority.root),
            "HTTPS_PROXY": f"http://{proxy.address}",
            "SIGNPATH_SERVICE_UNAVAILABLE_TIMEOUT": "1",
        }
        yield replace(job, environment=environment), proxy


def test_everything_goes_through_the_proxy_and_it_sees_no_token(
    job: Program, sandbox: Sandbox, authority: TlsAuthority
) -> None:
    with _company(job, sandbox, authority) as (inside, proxy):
        ended = inside("sign", "app.exe")

    assert ended.code == 0, ended.err
    assert {head.split(" HTTP/")[0] for head in proxy.heads} == {f"CONNECT {_HOST}:443"}
    assert sandbox["api_token"] not in "".join(proxy.heads)


def test_a_proxy_may_want_a_password(job: Program, sandbox: Sandbox, authority: TlsAuthority) -> None:
    with _company(job, sandbox, authority, user="me:the-pass-word") as (inside, proxy):
        refused = inside("sign", "app.exe")
        ended = inside("sign", "app.exe", HTTPS_PROXY=f"http://me:the-pass-word@{proxy.address}")

    assert (refused.code, ended.code) == (6, 0), refused.err + ended.err
    assert "407" in refused.error
    assert "the-pass-word" not in ended.out + ended.err


@pytest.mark.parametrize("exception", [_HOST, ".invalid", "*"])
def test_what_no_proxy_names_does_not_go_through_the_proxy(
    job: Program, sandbox: Sandbox, authority: TlsAuthority, exception: str
) -> None:
    with _company(job, sandbox, authority) as (inside, proxy):
        ended = inside("sign", "app.exe", NO_PROXY=exception)

    assert ended.code == 6, ended.err
    assert "the host's name is not known" in ended.error
    assert proxy.heads == []


def test_a_private_authority_is_trusted_where_it_is_named_only(
    job: Program, sandbox: Sandbox, authority: TlsAuthority
) -> None:
    with _tls(sandbox, authority) as port:
        url = f"https://127.0.0.1:{port}/Api"
        refused = job("sign", "app.exe", SIGNPATH_API_URL=url)
        ended = job("sign", "app.exe", SIGNPATH_API_URL=url, REQUESTS_CA_BUNDLE=str(authority.root))

    assert (refused.code, ended.code) == (2, 0), refused.err + ended.err
    assert "certificate is not trusted" in refused.error
    assert "REQUESTS_CA_BUNDLE" in refused.error


def test_the_systems_store_is_trusted(job: Program, sandbox: Sandbox, authority: TlsAuthority) -> None:
    with _tls(sandbox, authority) as port:
        # This variable is how OpenSSL is told where a system's store lies.
        ended = job(
            "sign", "app.exe", SIGNPATH_API_URL=f"https://127.0.0.1:{port}/Api", SSL_CERT_FILE=str(authority.root)
        )

    assert ended.code == 0, ended.err


def test_a_bundle_that_is_not_there_is_named(job: Program, sandbox: Sandbox, authority: TlsAuthority) -> None:
    with _tls(sandbox, authority) as port:
        url = f"https://127.0.0.1:{port}/Api"
        ended = job("sign", "app.exe", SIGNPATH_API_URL=url, REQUESTS_CA_BUNDLE="/nowhere/ca.pem")

    assert ended.code == 2, ended.err
    assert "/nowhere/ca.pem" in ended.error


def test_a_client_certificate_opens_a_server_that_wants_one(
    job: Program, sandbox: Sandbox, authority: TlsAuthority
) -> None:
    certificate = authority.issue("build.example", for_client=True)
    with _tls(sandbox, authority, clients=True) as port:
        there = {"SIGNPATH_API_URL": f"https://127.0.0.1:{port}/Api", "REQUESTS_CA_BUNDLE": str(authority.root)}
        refused = job("sign", "app.exe", SIGNPATH_SERVICE_UNAVAILABLE_TIMEOUT="1", **there)
        ended = job("sign", "app.exe", "--client-certificate", certificate, **there)

    assert ended.code == 0, ended.err
    # Whether the server's alert comes through before the connection breaks is a matter of luck.
    assert refused.code in {2, 6}, refused.err
    assert sandbox["api_token"] not in refused.err


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing.pem", "No such file"), ("encrypted.pem", "without a password"), ("ca.pem", "its private key")],
)
def test_a_client_certificate_that_is_of_no_use_is_refused_before_anything_is_sent(
    job: Program, authority: TlsAuthority, name: str, words: str
) -> None:
    encrypted = authority.issue("secret.example", for_client=True, password=b"secret")
    encrypted.replace(authority.directory / "encrypted.pem")
    certificate = Path(authority.directory, name)

    ended = job("sign", "app.exe", "--client-certificate", certificate, SIGNPATH_API_URL=_API)

    assert ended.code == 2, ended.err
    assert str(certificate) in ended.error
    assert words in ended.error
