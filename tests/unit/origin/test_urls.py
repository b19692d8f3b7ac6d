from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.origin.urls import joined, public_url

SECRET = "SECRET0token"


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://github.com/acme/widget", "https://github.com/acme/widget"),
        ("https://github.com/acme/widget.git", "https://github.com/acme/widget.git"),
        (f"https://{SECRET}@github.com/acme/widget", "https://github.com/acme/widget"),
        (f"https://x-access-token:{SECRET}@github.com/acme/widget", "https://github.com/acme/widget"),
        (f"https://ann:{SECRET}@{SECRET}@host:8443/r", "https://host:8443/r"),
        (f"https://:{SECRET}@host/r", "https://host/r"),
        (f"https://ann%40example.com:{SECRET}@host/r", "https://host/r"),
        (f"HTTPS://{SECRET}@Host/r", "HTTPS://Host/r"),
        (f"https://host/r?private_token={SECRET}", "https://host/r"),
        (f"https://host/r#{SECRET}", "https://host/r"),
        (f"https://host?access_token={SECRET}", "https://host"),
        (f"https://{SECRET}@[2001:db8::1]:443/r", "https://[2001:db8::1]:443/r"),
        (
            "http://tfs:8080/tfs/Default Collection/_git/Größe",
            "http://tfs:8080/tfs/Default%20Collection/_git/Gr%C3%B6%C3%9Fe",
        ),
        ("https://host/a%20b/c", "https://host/a%20b/c"),
        ("git@github.com:acme/widget.git", "git@github.com:acme/widget.git"),
        ("host.example.com:widget", "host.example.com:widget"),
        ("ann@[2001:db8::1]:widget", "ann@[2001:db8::1]:widget"),
        ("ssh://git@host:2222/acme/widget", "ssh://git@host:2222/acme/widget"),
        (f"ssh://git:{SECRET}@host/acme/widget", "ssh://git@host/acme/widget"),
        ("ssh://host/acme/widget", "ssh://host/acme/widget"),
        (f"svn://ann:{SECRET}@host/trunk", "svn://host/trunk"),
        ("file:///srv/git/widget", "file:///srv/git/widget"),
        (f"file://{SECRET}@host/widget", "file://host/widget"),
        ("/srv/git/widget", "/srv/git/widget"),
        ("../widget", "../widget"),
        ("C:\\git\\widget", "C:\\git\\widget"),
        ("codecommit::eu-west-1://profile@widget", "codecommit::eu-west-1://widget"),
        # where it can't be told which part is the host
        (f"https://ann:pass/{SECRET}@host/r", None),
        (f"https://ann:{SECRET}", None),
        (f"https://good.example.com\\{SECRET}@host/r", None),
        (f"ann:{SECRET}@host:widget", None),
        (f"ann:{SECRET}@host/widget", None),
        (f"ext::ssh -i {SECRET} host", None),
        ("https://", None),
        ("https:///widget", None),
    ],
)
def test_public_url(url: str, public: str | None) -> None:
    assert public_url(url) == public


@given(
    scheme=st.sampled_from(["https", "http", "ssh", "git", "svn", "HTTPS"]),
    user=st.sampled_from(["", "git", "x-access-token"]),
    host=st.from_regex(r"[a-z0-9.-]{1,20}(:[0-9]{1,5})?", fullmatch=True),
    path=st.text(max_size=40).filter(lambda path: "SECRET" not in path),
)
def test_a_password_is_never_kept(scheme: str, user: str, host: str, path: str) -> None:
    assert SECRET not in (public_url(f"{scheme}://{user}:{SECRET}@{host}/{path}") or "")


def test_joined_quotes_each_segment() -> None:
    assert joined("https://host/base/", "a b/c", "ü") == "https://host/base/a%20b%2Fc/%C3%BC"
