"""Calls over a mocked network: what is sent, and what becomes of each kind of answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import responses
from responses.matchers import header_matcher

from signpath_ci.api.streams import Download
from signpath_ci.api.transport import Transport
from signpath_ci.errors import RefusedError, ServiceUnavailableError, UnexpectedAnswerError, UsageError
from tests.support.values import FakeTime
from tests.support.wire import BASE, TOKEN, transport

URL = f"{BASE}/thing"
RETRY_HINT = (
    "Check --api-url (SIGNPATH_API_URL) and the network, or try again later with a longer "
    "--service-unavailable-timeout (SIGNPATH_SERVICE_UNAVAILABLE_TIMEOUT)."
)
URL_HINT = "Check that --api-url (SIGNPATH_API_URL) is the API's URL, not a web page's."


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def test_a_call_carries_token_and_names_its_program(server: responses.RequestsMock) -> None:
    server.get(
        URL,
        json={"a": "b"},
        match=[header_matcher({"Authorization": f"Bearer {TOKEN}", "User-Agent": "signpath-ci/test"})],
    )

    assert transport().get("thing").text("a") == "b"


def test_netrc_never_replaces_the_token(
    server: responses.RequestsMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine signpath.example login me password mine\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    assert requests.utils.get_netrc_auth(URL) == ("me", "mine"), "requests would take it"
    server.get(URL, json={}, match=[header_matcher({"Authorization": f"Bearer {TOKEN}"})])

    transport().get("thing")


def test_a_token_shows_in_no_representation() -> None:
    assert TOKEN not in repr(vars(transport()))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_failures_are_repeated(server: responses.RequestsMock, status: int) -> None:
    time = FakeTime()
    server.get(URL, status=status, headers={"Retry-After": "7"})
    server.get(URL, json={"a": "b"})

    assert transport(time=time).get("thing").text("a") == "b"
    assert time.slept == [7]


@pytest.mark.parametrize("status", [429, 503])
def test_a_call_that_may_not_be_repeated_is_where_the_server_did_not_look_at_it(
    server: responses.RequestsMock, status: int
) -> None:
    server.post(URL, status=status)
    server.post(URL, json={"a": "b"})

    assert transport().post("thing", b"{}", "application/json", if_in_doubt="Look.").text("a") == "b"


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_else_it_stops_and_says_where_to_look(server: responses.RequestsMock, status: int) -> None:
    server.post(URL, status=status, body="Oh dear")
    with pytest.raises(ServiceUnavailableError) as caught:
        transport().post("thing", b"{}", "application/json", if_in_doubt="Look there.")

    assert re.fullmatch(
        rf"POST {URL} was answered with {status} [\w ]+: Oh dear, "
        r"and the server may have taken it all the same\. Look there\.",
        str(caught.value),
    )


@pytest.mark.parametrize("body", ["", '{"a": ', "<html>Sign in</html>", '{"a": 1, "a": 2}'])
def test_an_answer_that_says_nothing_leaves_it_in_doubt_too(server: responses.RequestsMock, body: str) -> None:
    server.post(URL, body=body)
    with pytest.raises(UnexpectedAnswerError, match="and the server may have taken it all the same") as caught:
        transport().post("thing", b"", "", if_in_doubt="Look first.")
    assert caught.value.hint == f"Look first. {URL_HINT}"


def test_it_is_given_up_at_the_deadline(server: responses.RequestsMock) -> None:
    time = FakeTime()
    server.get(URL, status=503, body="Maintenance")
    with pytest.raises(ServiceUnavailableError) as caught:
        transport(time=time, service_unavailable_timeout=5).get("thing")

    assert str(caught.value) == (
        f"GET {URL} was answered with 503 Service Unavailable: Maintenance; "
        f"given up after 5 attempts in 5 s. {RETRY_HINT}"
    )
    assert (caught.value.exit_code, sum(time.slept)) == (6, 5)


def test_patience_shortens_the_deadline_and_never_lengthens_it(server: responses.RequestsMock) -> None:
    server.get(URL, status=503)
    for patience, waited in ((3, 3), (1e9, 600)):
        time = FakeTime()
        with pytest.raises(ServiceUnavailableError):
            transport(time=time).get("thing", patience=patience)
        assert time.seconds == waited


@pytest.mark.parametrize("status", [501, 505, 520])
def test_other_server_errors_are_final(server: responses.RequestsMock, status: int) -> None:
    server.get(URL, status=status)
    with pytest.raises(ServiceUnavailableError):
        transport().get("thing")

    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (400, "slugs"),
        (401, "SIGNPATH_API_TOKEN"),
        (403, "submitter of the signing policy"),
        (404, "SIGNPATH_ORGANIZATION_ID"),
        (413, "larger than the server"),
        (418, ""),
    ],
)
def test_refusals_are_final_and_say_what_to_do(server: responses.RequestsMock, status: int, hint: str) -> None:
    server.get(URL, status=status, json={"title": "T", "detail": "The cause."}, content_type="application/problem+json")
    with pytest.raises(RefusedError) as caught:
        transport().get("thing")

    assert (caught.value.status, caught.value.exit_code, len(server.calls)) == (status, 3, 1)
    assert caught.value.message.endswith(": The cause.")
    assert hint in caught.value.hint


def test_a_huge_error_is_not_read_as_a_whole(server: responses.RequestsMock) -> None:
    server.get(URL, status=400, body=b"x" * 10_000_000)
    with pytest.raises(RefusedError) as caught:
        transport().get("thing")

    assert caught.value.message == f"GET {URL} was refused: 400 Bad Request: {'x' * 599}…"


@pytest.mark.parametrize(
    ("body", "content_type", "how"),
    [
        ("<html><title>Intranet</title></html>", "text/html", "was answered with a web page: Intranet."),
        ("  <!DOCTYPE html>", "application/json", "was answered with a web page: an empty one."),
        ('{"a": ', "application/json", "was answered with something that is not JSON."),
        ("[" * 100_000, "application/json", "was answered with something that is not JSON."),
        ("", "application/json", "was answered with something that is not JSON."),
        ("[1]", "application/json", "was answered with JSON that is no object."),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "application/json", "was answered with JSON that has the key 'c' twice."),
        (f'"{"x" * 5_000_000}"', "application/json", "was answered with more than 4194304 bytes."),
    ],
)
def test_answers_that_are_not_the_apis(server: responses.RequestsMock, body: str, content_type: str, how: str) -> None:
    server.get(URL, body=body, content_type=content_type)
    with pytest.raises(UnexpectedAnswerError) as caught:
        transport().get("thing")

    assert str(caught.value) == f"GET {URL} {how} {URL_HINT}"
    assert caught.value.exit_code == 2


def test_fields_that_are_missing_or_of_the_wrong_type(server: responses.RequestsMock) -> None:
    server.get(URL, json={"number": 1, "null": None, "empty": "", "list": [1]})
    answer = transport().get("thing")

    for read, how in (
        (lambda: answer.text("gone"), "without the promised field 'gone'"),
        (lambda: answer.text("null"), "without the promised field 'null'"),
        (lambda: answer.text("empty"), "without the promised field 'empty'"),
        (lambda: answer.text("number"), "with a 'number' that is no text"),
        (lambda: answer.optional_text("list"), "with a 'list' that is no text"),
        (lambda: answer.flag("gone"), "without the promised field 'gone'"),
        (lambda: answer.flag("number"), "with a 'number' that is neither true nor false"),
        (lambda: answer.part("number"), "with a 'number' that is no object"),
        (answer.texts, "with a 'number' that is no text"),
    ):
        with pytest.raises(UnexpectedAnswerError) as caught:
            read()
        assert str(caught.value) == f"GET {URL} was answered {how}. {URL_HINT}"
    assert (answer.optional_text("null"), answer.raw("list"), "number" in answer, "null" in answer) == (
        None,
        [1],
        True,
        False,
    )


def test_a_get_follows_redirects_on_its_host(server: responses.RequestsMock) -> None:
    server.get(URL, status=307, headers={"Location": "/Api/other"}, body=b"x" * 1000)
    server.get(f"{BASE}/other", json={"a": "b"}, match=[header_matcher({"Authorization": f"Bearer {TOKEN}"})])

    assert transport().get("thing").text("a") == "b"


def test_no_redirect_leads_elsewhere(server: responses.RequestsMock) -> None:
    server.get(URL, status=302, headers={"Location": "https://evil.example/x"})
    with pytest.raises(UnexpectedAnswerError) as caught:
        transport().get("thing")

    assert str(caught.value) == (
        f"{URL} redirects to evil.example, and the token goes to signpath.example only. "
        "If that is where the service is now, change --api-url (SIGNPATH_API_URL)."
    )
    assert [call.request.url for call in server.calls] == [URL]


def test_a_post_follows_no_redirect_at_all(server: responses.RequestsMock) -> None:
    server.post(URL, status=308, headers={"Location": "/other"})
    with pytest.raises(UnexpectedAnswerError) as caught:
        transport().post("thing", b"", "")

    assert f"POST {URL} redirects to https://signpath.example/other, which only a GET may follow." in str(caught.value)


def test_redirects_in_a_circle_end(server: responses.RequestsMock) -> None:
    server.get(URL, status=301, headers={"Location": URL})
    with pytest.raises(UnexpectedAnswerError) as caught:
        transport().get("thing")

    assert f"GET {URL} was redirected more than 5 times." in str(caught.value)


@pytest.mark.parametrize("status", [300, 304])
def test_a_redirect_to_nowhere_is_unexpected(server: responses.RequestsMock, status: int) -> None:
    server.get(URL, status=status)
    with pytest.raises(UnexpectedAnswerError, match=f"was answered with {status}"):
        transport().get("thing")


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.InvalidURL("x"),
        requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support."),
        requests.exceptions.InvalidProxyURL("http://user:secret@proxy"),
    ],
)
def test_what_cannot_be_sent_at_all_is_no_matter_of_patience(
    server: responses.RequestsMock, error: requests.RequestException
) -> None:
    server.get(URL, body=error)
    with pytest.raises(UsageError) as caught:
        transport().get("thing")

    assert str(caught.value) == (
        f"GET {URL} can't be sent ({type(error).__name__}). "
        "Check --api-url (SIGNPATH_API_URL), and the proxies that the environment names."
    )


def _whole(incoming: Download) -> tuple[bytes, int | None, str | None]:
    return b"".join(incoming), incoming.length, incoming.content_disposition


def test_a_download_is_handed_over_with_its_length_and_name(server: responses.RequestsMock) -> None:
    server.get(URL, body=b"abc", headers={"Content-Length": "3", "Content-Disposition": "attachment"})

    assert transport().download("thing", _whole) == (b"abc", 3, "attachment")


@pytest.mark.parametrize(
    ("body", "headers", "words"),
    [
        (b"", {}, "was answered with an empty body"),
        (b"abc", {"Content-Length": "12x"}, "was answered with the nonsensical Content-Length '12x'"),
        (b"abc", {"Content-Length": "-3"}, "was answered with the nonsensical Content-Length '-3'"),
        (b"abc", {"Content-Length": "4"}, "broke off"),
    ],
)
def test_a_download_that_is_not_whole_is_tried_again(
    server: responses.RequestsMock, body: bytes, headers: dict[str, str], words: str
) -> None:
    server.get(URL, body=body, headers=headers, auto_calculate_content_length=not headers)
    with pytest.raises(ServiceUnavailableError, match=words):
        transport(service_unavailable_timeout=3).download("thing", _whole)
    assert len(server.calls) == 4

    server.replace(responses.GET, URL, body=b"abc")
    assert transport().download("thing", _whole)[0] == b"abc"


def test_what_the_receiver_raises_is_raised(server: responses.RequestsMock) -> None:
    server.get(URL, body=b"abc")

    def receive(_incoming: Download) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        transport().download("thing", receive)
    assert len(server.calls) == 1


class TestDelivery:
    """Sending a body that is sent again only where it has not arrived."""

    @staticmethod
    def _deliver(sender: Transport, *answers: bool) -> list[float]:
        asked: list[float] = []
        left = list(answers)

        def arrived(seconds: float) -> bool:
            asked.append(seconds)
            return left.pop(0)

        sender.deliver("thing", b"body", "application/octet-stream", arrived=arrived)
        return asked

    def test_nobody_is_asked_where_it_went_well(self, server: responses.RequestsMock) -> None:
        server.post(URL, status=202)

        assert self._deliver(transport()) == []

    def test_after_a_failure_it_is_asked_and_sent_again(self, server: responses.RequestsMock) -> None:
        server.post(URL, status=502)
        server.post(URL, status=202)

        assert self._deliver(transport(), False) == [599.5]
        assert [call.request.body for call in server.calls] == [b"body", b"body"]

    def test_what_has_arrived_is_not_sent_again(self, server: responses.RequestsMock) -> None:
        server.post(URL, body=requests.ConnectionError())

        assert self._deliver(transport(), True) == [599.5]
        assert len(server.calls) == 1

    def test_a_refused_second_copy_is_fine_where_the_first_arrived(self, server: responses.RequestsMock) -> None:
        server.post(URL, status=504)
        server.post(URL, status=409)

        assert self._deliver(transport(), False, True) == [599.5, 599.5]

    def test_a_refusal_of_the_first_copy_is_a_refusal(self, server: responses.RequestsMock) -> None:
        server.post(URL, status=409)
        with pytest.raises(RefusedError):
            self._deliver(transport())

    def test_a_web_page_is_no_receipt(self, server: responses.RequestsMock) -> None:
        server.post(URL, body="<html><title>Sign in</title></html>", content_type="text/html")
        with pytest.raises(UnexpectedAnswerError, match=r"was answered with a web page: Sign in\."):
            self._deliver(transport())
