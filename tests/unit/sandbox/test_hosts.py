"""Calls by another name (DNS rebinding) and posts of another site's pages are refused."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from signpath_ci.sandbox.hosts import GuardHosts
from tests.support.sandboxes import Client, serving


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("hosts")) as client:
        yield client


def _status(sandbox: Client, method: str, path: str, headers: dict[str, str]) -> int:
    host, _, port = sandbox.root.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True)
        for name, value in headers.items():
            connection.putheader(name, value.replace("PORT", port))
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:PORT", "127.0.0.1", "localhost:PORT", "LOCALHOST.", "[::1]:PORT", "sandbox.localhost", "127.8.9.1"],
)
def test_loopback_names_are_answered(sandbox: Client, host: str) -> None:
    assert _status(sandbox, "GET", "/health", {"Host": host}) == 200


@pytest.mark.parametrize("path", ["/health", "/web", "/sandbox/requests", "/Api/v1/x/SigningRequests/y"])
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:PORT", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "",
     "localhost:80@evil.example", "127.0.0.1/", "[::ffff:10.0.0.1]"],
)  # fmt: skip
def test_other_names_are_refused(sandbox: Client, path: str, host: str) -> None:
    assert _status(sandbox, "GET", path, {"Host": host}) in {400, 421}


@pytest.mark.parametrize("path", ["/web/requests/x/approve", "/sandbox/requests/x/approve", "/tsa"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:PORT"},  # another origin than the one that was called
        {"Origin": "https://127.0.0.1:PORT"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:PORT"},
    ],
)
def test_posts_of_other_sites_are_refused(sandbox: Client, path: str, headers: dict[str, str]) -> None:
    assert _status(sandbox, "POST", path, {"Host": "127.0.0.1:PORT", "Content-Length": "0", **headers}) == 403


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://127.0.0.1:PORT"}, {"Origin": "http://127.0.0.1:PORT", "Sec-Fetch-Site": "same-origin"}],
)
def test_posts_of_programs_and_of_its_own_pages_are_taken(sandbox: Client, headers: dict[str, str]) -> None:
    headers = {"Host": "127.0.0.1:PORT", "Content-Length": "0", **headers}
    assert _status(sandbox, "POST", "/sandbox/requests/x/approve", headers) == 404


@pytest.mark.parametrize("name", ["sandbox.internal", "Sandbox.Internal.", "10.0.0.7", "[fe80::1]"])
def test_named_hosts_are_answered(name: str) -> None:
    guard = GuardHosts(lambda *_: None, ["sandbox.internal", "10.0.0.7", "fe80::1"])  # type: ignore[arg-type]
    assert guard._is_known(f"{name}:8765")
    assert not guard._is_known("other.internal")


def test_the_option_is_taken(tmp_path: Path) -> None:
    from signpath_ci import cli
    from signpath_ci.settings import SandboxSettings

    arguments = ["sandbox", "--state", str(tmp_path), "--allow-host", "a", "--allow-host", "b"]
    _, settings = cli.parse(arguments, {})
    assert isinstance(settings, SandboxSettings)
    assert settings.allow_host == ("a", "b")
