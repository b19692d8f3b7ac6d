"""Error answers of every kind become words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.api.refusals import MissingRouteError, refusal, server_words, status_words
from signpath_ci.errors import RefusedError

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        ({"title": "Bad Request", "status": 400, "detail": "No such project."}, PROBLEM, "No such project."),
        ({"title": "Forbidden", "status": 403}, PROBLEM, "Forbidden"),
        (
            {"title": "Invalid", "errors": {"projectSlug": ["Is required.", "Is short."], "description": ["Is long."]}},
            PROBLEM,
            "Invalid projectSlug: Is required. Is short.; description: Is long.",
        ),
        ({"title": "Invalid", "errors": {"projectSlug": "Is required."}}, PROBLEM, "Invalid projectSlug: Is required."),
        ({"title": "Invalid", "errors": ["what is this"]}, PROBLEM, "Invalid"),
        ({"detail": 7, "title": None, "message": "Other JSON"}, "application/json", "Other JSON"),
        ({"code": 17}, "application/json", '{"code": 17}'),
        (["a"], "application/json", '["a"]'),
        ("A JSON text", "application/json", "A JSON text"),
        (b"You shall\r\n not pass", "text/plain", "You shall not pass"),
        (b'\xef\xbb\xbf{"detail": "With a BOM"}', PROBLEM, "With a BOM"),
        (b"<html><head><title>\n502 &amp; more</title></head><body>x</body></html>", "text/html", "502 & more"),
        (b"<!DOCTYPE html><style>a{b}</style><p>No <b>title</b></p>", "", "No title"),
        (b"<!DOCTYPE html><script>never ends", "", ""),
        (b"", "text/plain", ""),
        (b"\xff\xfe", "text/plain", "\ufffd\ufffd"),
        (b"[" * 100_000, PROBLEM, "[" * 599 + "\u2026"),
    ],
)
def test_the_servers_own_words(body: object, content_type: str, words: str) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    assert server_words(data, content_type) == words


@given(body=st.binary(), content_type=st.sampled_from(["", "text/html", PROBLEM]))
def test_any_body_becomes_a_short_text(body: bytes, content_type: str) -> None:
    assert len(server_words(body, content_type)) <= 600
    assert isinstance(refusal("GET x", 404, body, content_type, option="--url"), RefusedError)


@given(
    said=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["title", "detail", "errors", "x"]), inner),
    )
)
def test_any_json_becomes_a_short_text(said: object) -> None:
    body = json.dumps(said).encode()

    assert len(server_words(body, PROBLEM)) <= 600
    assert refusal("GET x", 404, body, PROBLEM, option="--url").status == 404


@pytest.mark.parametrize(
    ("status", "body", "missing"),
    [
        (405, {"title": "Method Not Allowed", "detail": "Only GET here."}, True),
        (404, {"title": "Not Found", "status": 404, "traceId": "00-1"}, True),
        (404, {"title": "Not Found", "detail": "Not Found"}, True),
        (404, "<html>nothing here</html>", True),
        (404, {"title": "Not Found", "detail": "There is no organization 17."}, False),
        (404, {"title": "Not Found", "errors": {"projectSlug": ["Unknown."]}}, False),
        (400, {"title": "Bad Request"}, False),
    ],
)
def test_a_missing_route_is_told_from_a_missing_thing(status: int, body: object, missing: bool) -> None:
    error = refusal("GET x", status, json.dumps(body).encode(), PROBLEM, option="--url")

    assert (type(error) is MissingRouteError) == missing


def test_the_whole_line() -> None:
    body = b'{"title": "Unauthorized", "detail": "The token has expired"}'

    error = refusal("GET https://x", 401, body, PROBLEM, option="--api-url (SIGNPATH_API_URL)")

    assert str(error) == (
        "GET https://x was refused: 401 Unauthorized: The token has expired. "
        "Check the token in SIGNPATH_API_TOKEN, and that it belongs to the organization SIGNPATH_ORGANIZATION_ID."
    )
    assert (error.exit_code, error.status) == (3, 401)


def test_statuses_in_words() -> None:
    assert [status_words(404), status_words(599, "Odd"), status_words(599)] == ["404 Not Found", "599 Odd", "599"]
