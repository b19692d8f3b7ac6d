"""Where a token may be sent to."""

from __future__ import annotations

import pytest

from signpath_ci.api.address import BaseUrl
from signpath_ci.errors import UnexpectedAnswerError, UsageError

OPTION = "--api-url (SIGNPATH_API_URL)"


@pytest.mark.parametrize(
    "url",
    [
        "https://app.signpath.io/Api",
        "https://signpath.example:8443",
        "http://localhost:8765/Api",
        "http://127.0.0.1/Api",
        "http://127.9.8.7:80/Api",
        "http://[::1]:8765/Api",
    ],
)
def test_a_base_that_may_have_the_token(url: str) -> None:
    assert BaseUrl(url + "/", option=OPTION).join("/v1/x") == f"{url}/v1/x"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://signpath.example/Api", "http://signpath.example/Api is not encrypted: the token would travel in the"),
        ("http://localhost.example", "is not encrypted"),
        ("http://127.0.0.1.example", "is not encrypted"),
        ("http://[::2]", "is not encrypted"),
        ("http://0.0.0.0", "is not encrypted"),
        ("http://2130706433", "is not encrypted"),
        ("ftp://signpath.example", "is not an http(s) URL"),
        ("signpath.example", "is not an http(s) URL"),
        ("https://", "is not an http(s) URL"),
        ("https://[::1", "is not an http(s) URL"),
        ("https://signpath.example:99999", "is not an http(s) URL"),
        ("https://me:secret@signpath.example", "has a user name, query or fragment"),
        ("https://signpath.example/Api?x=1", "has a user name, query or fragment"),
    ],
)
def test_a_base_that_may_not(url: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        BaseUrl(url, option=OPTION)

    assert words in str(caught.value)
    assert OPTION in caught.value.hint
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/Api/v2/x", "https://signpath.example/Api/v2/x"),
        ("y?z=1#w", "https://signpath.example/Api/v1/y?z=1"),
        ("https://SignPath.example:443/other", "https://SignPath.example:443/other"),
        ("//signpath.example/other", "https://signpath.example/other"),
    ],
)
def test_redirects_on_the_same_host_may_be_followed(location: str, target: str) -> None:
    base = BaseUrl("https://signpath.example/Api", option=OPTION)

    assert base.redirected("https://signpath.example/Api/v1/x", location) == target


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://evil.example/x", "evil.example"),
        ("http://signpath.example/Api", "signpath.example"),
        ("https://signpath.example:444/Api", "signpath.example:444"),
        ("//evil.example/x", "evil.example"),
        ("https://signpath.example@evil.example/", "evil.example"),
        ("https://user:secret@signpath.example/", "signpath.example"),
        ("https://[broken", "no usable URL"),
        ("javascript:alert(1)", "no usable URL"),
    ],
)
def test_redirects_elsewhere_are_errors_that_name_the_host(location: str, host: str) -> None:
    base = BaseUrl("https://signpath.example/Api", option=OPTION)
    with pytest.raises(UnexpectedAnswerError) as caught:
        base.redirected("https://signpath.example/Api/v1/x", location)

    assert f"redirects to {host}, and the token goes to signpath.example only." in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "hosts", "is_taken"),
    [
        ("http://sandbox:8765/Api", ("sandbox",), True),
        ("http://Sandbox/Api", ("sandBox",), True),
        ("http://[fd00::1]:1/Api", ("[fd00::1]",), True),
        ("http://sandbox/Api", (), False),
        ("http://sandbox.example/Api", ("sandbox", "example"), False),
        ("http://sandbox.evil/Api", ("*",), False),
    ],
)
def test_plain_http_is_for_hosts_that_are_named(url: str, hosts: tuple[str, ...], is_taken: bool) -> None:
    if is_taken:
        assert BaseUrl(url, option="--api-url", insecure_hosts=hosts).join("v1") == f"{url}/v1"
        return
    with pytest.raises(UsageError) as caught:
        BaseUrl(url, option="--api-url", insecure_hosts=hosts)
    assert caught.value.code == "unencrypted-url"
