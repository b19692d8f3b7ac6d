"""Calls over HTTP: authenticated, with timeouts and retries, and every failure as one of this package's errors."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection
from typing import TypeVar

import requests
import urllib3

from signpath_ci.api.address import BaseUrl
from signpath_ci.api.answers import Answer, in_doubt, parse_answer, refuse_web_page, unexpected
from signpath_ci.api.connection import Token, open_session
from signpath_ci.api.content import Content
from signpath_ci.api.failures import as_error
from signpath_ci.api.refusals import refusal, server_words, status_words
from signpath_ci.api.retries import AttemptFailedError, Deadline, Movement, persist, retry_after_seconds
from signpath_ci.api.streams import Download, WatchedContent, read_beginning, read_whole
from signpath_ci.clock import Clock
from signpath_ci.errors import RefusedError, ServiceUnavailableError, UnexpectedAnswerError
from signpath_ci.text import SHORTEST_SECRET
from signpath_ci.values import dataclass

_MAX_JSON = 4 * 1024 * 1024
_MAX_ERROR_BODY = 64 * 1024
_MAX_REDIRECTS = 5
_LAST_ATTEMPT = 5.0
"""Seconds that an attempt has at least, though the deadline be nearer: a connection alone may take some."""

_SUCCEEDED, _REDIRECTED, _REFUSED = range(200, 300), range(300, 400), range(400, 500)
_REPEATABLE = frozenset({408, 429, 500, 502, 503, 504})
_UNTAKEN = frozenset({429, 503})
"""With these the server says that it has not even looked at the request."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class _Call:
    method: str
    url: str
    body: Content | bytes | None = None
    content_type: str | None = None
    streams: bool = False
    secrets: tuple[str, ...] = ()
    is_link: bool = False

    @property
    def what(self) -> str:
        url = self.url.partition("?")[0] if self.is_link else self.url
        return f"{self.method} {url}"


class Transport:
    """Sends calls to one service.

    Args:
        base_url: what all paths are below; `https`, or `http` on loopback.
        token: goes to this service's host only.
        insecure_hosts: hosts that may be called over plain http, besides those of loopback.
        connect_timeout: seconds for a connection.
        stall_timeout: seconds without a single byte, sent or received; large bodies may take as long as they do.
        service_unavailable_timeout: seconds for one call across its retries; time in which a large body moves is free.
        least_rate: bytes a second that a large body must come with, over each stall timeout.
        clock: waits between retries.
        random: returns a number from 0 to 1, for the jitter of retries.
        user_agent: who calls.
        url_option: how the user gave `base_url`, for hints.
        tls: how TLS is spoken; `None`: as `requests` does by itself.

    Raises:
        UsageError: the token must not be sent to `base_url`.
    """

    def __init__(
        self,
        *,
        base_url: str,
        token: Token,
        insecure_hosts: Collection[str] = (),
        connect_timeout: float,
        stall_timeout: float,
        service_unavailable_timeout: float,
        least_rate: float = 0,
        clock: Clock,
        random: Callable[[], float],
        user_agent: str,
        url_option: str = "--api-url (SIGNPATH_API_URL)",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._base = BaseUrl(base_url, option=url_option, insecure_hosts=insecure_hosts)
        self._token = token
        self._connect_timeout = connect_timeout
        self._stall_timeout = stall_timeout
        self._least_rate = least_rate
        self._patience = service_unavailable_timeout
        self._clock = clock
        self._random = random
        # To a proxy, what is meant for loopback would go in the clear.
        self._proxies = {"no_proxy": self._base.host} if self._base.is_loopback else {}
        self._session = open_session(
            token=token,
            stall_timeout=stall_timeout,
            headers={"User-Agent": user_agent, "Accept": "application/json, */*;q=0.5", "Accept-Encoding": "identity"},
            tls=tls,
        )

    def url(self, path: str) -> str:
        """Return the URL of a path below the base, for others to call."""
        return self._base.join(path)

    def get(self, path: str, *, patience: float | None = None) -> Answer:
        """Return the JSON object at a path.

        Args:
            path: below the base URL, quoted.
            patience: seconds across retries, where less than `service_unavailable_timeout`.

        Raises:
            RefusedError: a 4xx answer.
            UnexpectedAnswerError: no JSON object, or a redirect to another host.
            ServiceUnavailableError: no usable answer in time.
        """
        call, deadline = _Call(method="GET", url=self._base.join(path)), self._deadline(patience)
        return self._run(call, lambda response: self._answer(call, response, deadline), deadline)

    def read(self, path: str, *, limit: int, patience: float | None = None) -> bytes:
        """Return a small body as it is.

        Args:
            path: below the base URL, quoted.
            limit: bytes that it may have.
            patience: seconds across retries, where less than `service_unavailable_timeout`.

        Raises:
            RefusedError: a 4xx answer.
            UnexpectedAnswerError: it is larger, or a redirect to another host.
            ServiceUnavailableError: no usable answer in time.
        """
        call, deadline = _Call(method="GET", url=self._base.join(path)), self._deadline(patience)

        def body(response: requests.Response) -> bytes:
            found = read_whole(response, limit=limit, deadline=self._time_to_read(deadline))
            if found is None:
                raise unexpected(call.what, f"was answered with more than {limit} bytes", self._base.option)
            return found

        return self._run(call, body, deadline)

    def post(
        self,
        path: str,
        body: Content | bytes,
        content_type: str,
        *,
        if_in_doubt: str | None = None,
        secrets: tuple[str, ...] = (),
    ) -> Answer:
        """Send a body and return the JSON object that comes back.

        Args:
            path: below the base URL, quoted.
            body: sent anew with each attempt.
            content_type: of the body.
            if_in_doubt: `None` where the call is safe to repeat; else what to do after a failure that leaves open
                whether the server has taken it.
            secrets: in the body; shown to nobody, though the server repeat them.

        Raises:
            RefusedError: a 4xx answer.
            UnexpectedAnswerError: no JSON object, or a redirect.
            ServiceUnavailableError: no usable answer in time, or `if_in_doubt`.
        """
        call, deadline = self._post_call(path, body, content_type, secrets), self._deadline()

        def answer(response: requests.Response) -> Answer:
            return self._answer(call, response, deadline, if_in_doubt=if_in_doubt)

        return self._run(call, answer, deadline, if_in_doubt=if_in_doubt)

    def deliver(
        self,
        path: str,
        body: Content | bytes,
        content_type: str,
        *,
        arrived: Callable[[float], bool],
        patience: float | None = None,
    ) -> None:
        """Send a body; after a failure ask whether it has arrived, and send it again only where it has not.

        Args:
            path: below the base URL, quoted.
            body: sent anew with each attempt.
            content_type: of the body.
            arrived: is given the seconds that are left and tells whether the server has it.
            patience: seconds across retries, where less than `service_unavailable_timeout`.

        Raises:
            RefusedError: a 4xx answer.
            UnexpectedAnswerError: a redirect, or a web page: somebody else has taken it.
            ServiceUnavailableError: it could not be sent in time.
        """
        call = self._post_call(path, body, content_type)
        deadline = self._deadline(patience)
        failed_before = False

        def attempt() -> None:
            nonlocal failed_before
            if failed_before and arrived(deadline.remaining):
                return
            try:
                self._attempt(call, lambda response: self._receipt(call, response, deadline), deadline)
            except AttemptFailedError:
                failed_before = True
                raise
            except RefusedError:
                # A second copy may be refused because the first has arrived after all.
                if not (failed_before and arrived(deadline.remaining)):
                    raise

        self._persist(call, attempt, deadline, None)

    def download(self, path: str, receive: Callable[[Download], T], *, is_link: bool = False) -> T:
        """Hand a body to `receive`; called again, from the start, where the body breaks off.

        Args:
            path: below the base URL, quoted.
            receive: takes all pieces and returns the result.
            is_link: the path's query is a secret, which no message shows, and no redirect gets the token.

        Raises:
            RefusedError: a 4xx answer.
            ElsewhereError: a redirect to another host, or of a link.
            ServiceUnavailableError: it did not come whole in time.
        """
        call = _Call(method="GET", url=self._base.join(path), streams=True, is_link=is_link)
        deadline = self._deadline()
        movement = Movement(self._clock, deadline)

        def finish(response: requests.Response) -> T:
            return receive(Download(response, movement, self._stall_timeout, self._least_rate))

        return self._run(call, finish, deadline)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def _deadline(self, patience: float | None = None) -> Deadline:
        return Deadline(self._clock, self._patience if patience is None else min(patience, self._patience))

    def _post_call(self, path: str, body: Content | bytes, content_type: str, secrets: tuple[str, ...] = ()) -> _Call:
        return _Call(
            method="POST",
            url=self._base.join(path),
            body=body,
            content_type=content_type,
            streams=not isinstance(body, bytes),
            secrets=secrets,
        )

    def _run(
        self,
        call: _Call,
        finish: Callable[[requests.Response], T],
        deadline: Deadline,
        *,
        if_in_doubt: str | None = None,
    ) -> T:
        return self._persist(call, lambda: self._attempt(call, finish, deadline), deadline, if_in_doubt)

    def _persist(self, call: _Call, attempt: Callable[[], T], deadline: Deadline, if_in_doubt: str | None) -> T:
        if if_in_doubt is not None:
            # A kept connection that the server is just closing would leave in doubt what a new one does not.
            self._session.close()
        return persist(
            attempt,
            what=call.what,
            deadline=deadline,
            clock=self._clock,
            random=self._random,
            if_in_doubt=if_in_doubt,
            give_up_hint=f"Check {self._base.option} and the network, or try again later with a longer "
            "--service-unavailable-timeout (SIGNPATH_SERVICE_UNAVAILABLE_TIMEOUT).",
        )

    def _attempt(self, call: _Call, finish: Callable[[requests.Response], T], deadline: Deadline) -> T:
        url = call.url
        try:
            for _ in range(_MAX_REDIRECTS + 1):
                with self._send(call, url, deadline) as response:
                    location = response.headers.get("Location")
                    if response.status_code in _REDIRECTED and location:
                        url = self._redirected(call, url, location)
                        continue
                    self._raise_for_status(call, response, deadline)
                    return finish(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, ssl.SSLError) as error:
            raise as_error(error, what=call.what, option=self._base.option) from None
        raise unexpected(call.what, f"was redirected more than {_MAX_REDIRECTS} times", self._base.option)

    def _send(self, call: _Call, url: str, deadline: Deadline) -> requests.Response:
        left = max(deadline.remaining, _LAST_ATTEMPT)
        answer_within = self._stall_timeout if call.streams else min(self._stall_timeout, left)
        body = call.body
        if body is not None and not isinstance(body, bytes):
            body = WatchedContent(body, Movement(self._clock, deadline))
        return self._session.request(
            call.method,
            url,
            data=body,
            headers={"Content-Type": call.content_type} if call.content_type else {},
            timeout=(min(self._connect_timeout, left), answer_within),
            proxies=self._proxies,
            allow_redirects=False,
            stream=True,
        )

    def _redirected(self, call: _Call, url: str, location: str) -> str:
        if call.is_link:
            raise self._base.elsewhere(url, location)
        target = self._base.redirected(url, location)
        if call.method != "GET":
            raise UnexpectedAnswerError(
                f"{call.what} redirects to {target}, which only a GET may follow.",
                hint=f"Change {self._base.option} to where the service is now.",
                code="unexpected-redirect",
            )
        return target

    def _raise_for_status(self, call: _Call, response: requests.Response, deadline: Deadline) -> None:
        status = response.status_code
        if status in _SUCCEEDED:
            return
        body = read_beginning(response, limit=_MAX_ERROR_BODY, deadline=self._time_to_read(deadline))
        body = self._without_secrets(call, body)
        content_type = response.headers.get("Content-Type", "")
        if status in _REFUSED and status not in _REPEATABLE:
            raise refusal(call.what, status, body, content_type, option=self._base.option)
        said = server_words(body, content_type)
        words = f"was answered with {status_words(status, response.reason)}" + (f": {said}" if said else "")
        if status in _REPEATABLE:
            wait = retry_after_seconds(response.headers.get("Retry-After"), self._clock)
            raise AttemptFailedError(words, untaken=status in _UNTAKEN, retry_after=wait)
        if status not in _REDIRECTED:
            raise ServiceUnavailableError(f"{call.what} {words}.", hint="Ask who runs the service.")
        raise unexpected(call.what, words, self._base.option)

    def _answer(
        self, call: _Call, response: requests.Response, deadline: Deadline, *, if_in_doubt: str | None = None
    ) -> Answer:
        body = read_whole(response, limit=_MAX_JSON, deadline=self._time_to_read(deadline))
        if body is None:
            error = unexpected(call.what, f"was answered with more than {_MAX_JSON} bytes", self._base.option)
            raise in_doubt(error, if_in_doubt)
        return parse_answer(
            self._without_secrets(call, body),
            response.headers.get("Content-Type", ""),
            what=call.what,
            option=self._base.option,
            location=response.headers.get("Location"),
            if_in_doubt=if_in_doubt,
        )

    def _receipt(self, call: _Call, response: requests.Response, deadline: Deadline) -> None:
        body = read_beginning(response, limit=_MAX_ERROR_BODY, deadline=self._time_to_read(deadline))
        body = self._without_secrets(call, body)
        refuse_web_page(body, response.headers.get("Content-Type", ""), what=call.what, option=self._base.option)

    def _without_secrets(self, call: _Call, body: bytes) -> bytes:
        """Return a body without what was sent: some servers and proxies repeat a request that they do not like."""
        for secret in (*self._token.reveal().split(":"), *call.secrets):
            if len(secret) >= SHORTEST_SECRET:
                body = body.replace(secret.encode(), b"***")
        return body

    def _time_to_read(self, deadline: Deadline) -> Deadline:
        return Deadline(self._clock, max(deadline.remaining, _LAST_ATTEMPT))
