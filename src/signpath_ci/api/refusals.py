"""Error answers in any form, as one readable error: what the server says, and what to do about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from html import unescape
from http import HTTPStatus
from typing import Any

from signpath_ci.errors import RefusedError

_MAX_WORDS = 600
_SAID_UNDER = ("detail", "title", "message", "error", "error_description")
"""Keys under which servers say what is wrong, the most telling first; the first two are RFC 9457's."""

_HINTS = {
    400: "Check the project, policy and artifact configuration slugs and the parameters.",
    401: "Check the token in SIGNPATH_API_TOKEN, and that it belongs to the organization SIGNPATH_ORGANIZATION_ID.",
    403: (
        "Check that the user of SIGNPATH_API_TOKEN is a member of the organization SIGNPATH_ORGANIZATION_ID "
        "and a submitter of the signing policy."
    ),
    404: "Check SIGNPATH_ORGANIZATION_ID, SIGNPATH_PROJECT_SLUG and the URL, {option}.",
    405: "Check the URL, {option}.",
    407: "Check the user and password of the proxy.",
    413: "The artifact is larger than the server, or a proxy before it, takes: ask who runs it for a higher limit.",
    415: "Check the URL, {option}, and whether a proxy changes requests.",
    422: "Check the project, policy and artifact configuration slugs and the parameters.",
}


class AnsweredRefusalError(RefusedError):
    """A 4xx answer, with its body (the beginning of it) for those who know its form better."""

    body = b""


class MissingRouteError(AnsweredRefusalError):
    """A 404 or 405 that may mean that the server does not have the route: no word of the application's own in it."""


def refusal(what: str, status: int, body: bytes, content_type: str, *, option: str) -> AnsweredRefusalError:
    """Return the error for a 4xx answer.

    Args:
        what: the call, for the message.
        status: the HTTP status.
        body: of the answer; its beginning will do.
        content_type: of the body.
        option: how the user gave the service's URL, for the hint.
    """
    said = server_words(body, content_type)
    missing = status == HTTPStatus.METHOD_NOT_ALLOWED or (status == HTTPStatus.NOT_FOUND and not _is_specific(body))
    error = (MissingRouteError if missing else AnsweredRefusalError)(
        f"{what} was refused: {status_words(status)}" + (f": {_sentence(said)}" if said else "."),
        status=status,
        hint=_HINTS.get(status, "").format(option=option),
    )
    error.body = body
    return error


def status_words(status: int, reason: str | None = None) -> str:
    """Return a status as people know it: `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} {reason or ''}".strip()


def server_words(body: bytes, content_type: str) -> str:
    """Return what the server says in the body of an error: problem details (RFC 9457), other JSON, HTML or text."""
    text = body.decode("utf-8-sig", "replace").strip()
    if is_html(text, content_type):
        return html_words(text)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = text
    words = said if isinstance(said, str) else _json_words(said)
    return _bounded(words)


def is_html(text: str, content_type: str) -> bool:
    """Tell whether an answer is a web page, by its type or its first characters."""
    return "html" in content_type.lower() or text[:200].lstrip().lower().startswith(("<!doctype", "<html", "<head"))


def html_words(text: str) -> str:
    """Return a page's title, or else its first words, without markup."""
    title = re.search(r"<title[^>]*>([^<]*)", text, re.IGNORECASE)
    if title and title[1].strip():
        return _bounded(unescape(title[1]))
    shown = re.sub(r"<(script|style)\b.*?(</\1\s*>|\Z)", " ", text, flags=re.IGNORECASE | re.DOTALL)
    return _bounded(unescape(re.sub(r"<[^>]*(>|\Z)", " ", shown)))


def _json_words(said: Any) -> str:
    if not isinstance(said, Mapping):
        return json.dumps(said)
    main = next((said[key] for key in _SAID_UNDER if isinstance(said.get(key), str) and said[key].strip()), "")
    fields = "; ".join(_field_words(said.get("errors")))
    return " ".join(part for part in (main, fields) if part) or json.dumps(said)


def _field_words(errors: Any) -> Iterable[str]:
    """Give `field: message message` for each entry of `errors`, an extension member that ASP.NET Core fills."""
    if not isinstance(errors, Mapping):
        return
    for field, messages in errors.items():
        listed = messages if isinstance(messages, list) else [messages]
        yield f"{field}: {' '.join(str(message) for message in listed)}"


def _bounded(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= _MAX_WORDS else folded[: _MAX_WORDS - 1] + "…"


def _is_specific(body: bytes) -> bool:
    """Tell whether an error is the application's own word on the matter, not only "Not Found" from its framework."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(said, dict):
        return False
    detail = said.get("detail")
    return bool(said.get("errors")) or (isinstance(detail, str) and detail not in ("", said.get("title")))


def _sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."
