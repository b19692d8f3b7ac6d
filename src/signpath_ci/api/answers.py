"""Answers in JSON, read with care: what is not as promised is an error that names the URL."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from signpath_ci.api.refusals import html_words, is_html
from signpath_ci.errors import UnexpectedAnswerError

_LINK = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]+(/[!-~]*)?", re.ASCII)
"""Without a user name, which could be made to look like another host."""


class Answer:
    """A JSON object from the server.

    Args:
        what: the call, for messages: "GET https://...".
        option: how the user gave the service's URL, for hints.
        data: the object.
        location: the `Location` header that came with it.
        if_in_doubt: what to do where it is not as promised, though the server has taken the call, which is not safe to
            repeat; `None` where it is.
    """

    def __init__(
        self,
        what: str,
        option: str,
        data: Mapping[str, Any],
        *,
        location: str | None = None,
        if_in_doubt: str | None = None,
    ) -> None:
        self._what, self._option = what, option
        self._data = data
        self._if_in_doubt = if_in_doubt
        self.location = location

    def __contains__(self, name: str) -> bool:
        """Tell whether a field is there and not null."""
        return self._data.get(name) is not None

    def text(self, name: str) -> str:
        """Return a field that must be a text, and not an empty one."""
        value = self.optional_text(name)
        if not value:
            self._broken(f"without the promised field '{name}'")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a field that is a text or missing."""
        value = self._data.get(name)
        if value is not None and not isinstance(value, str):
            self._broken(f"with a '{name}' that is no text")
        return value

    def optional_link(self, name: str) -> str | None:
        """Return a link for people; `None` where it is missing, or no http(s) URL of plain characters."""
        value = self.optional_text(name)
        return value if value and _LINK.fullmatch(value) else None

    def flag(self, name: str) -> bool:
        """Return a field that must be true or false."""
        value = self.optional_flag(name)
        if value is None:
            self._broken(f"without the promised field '{name}'")
        return value

    def optional_flag(self, name: str) -> bool | None:
        """Return a field that is true, false or missing."""
        value = self._data.get(name)
        if value is not None and not isinstance(value, bool):
            self._broken(f"with a '{name}' that is neither true nor false")
        return value

    def part(self, name: str) -> Answer:
        """Return a field that is an object; an empty one where it is missing."""
        value = self._data.get(name)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            self._broken(f"with a '{name}' that is no object")
        return Answer(self._what, self._option, value, if_in_doubt=self._if_in_doubt)

    def texts(self) -> dict[str, str]:
        """Return all fields, each of which must be a text; those that are null are left out."""
        return {name: self.optional_text(name) or "" for name in self._data if name in self}

    def raw(self, name: str) -> object:
        """Return a field as it is, for what is only shown and must not break the call."""
        return self._data.get(name)

    def unexpected(self, how: str) -> UnexpectedAnswerError:
        """Return the error for an answer that is not as promised."""
        return in_doubt(unexpected(self._what, f"was answered {how}", self._option), self._if_in_doubt)

    def _broken(self, how: str) -> NoReturn:
        raise self.unexpected(how)


def parse_answer(
    body: bytes,
    content_type: str,
    *,
    what: str,
    option: str,
    location: str | None = None,
    if_in_doubt: str | None = None,
) -> Answer:
    """Return the JSON object in a body; an empty one for no body where a `Location` says it all.

    Raises:
        UnexpectedAnswerError: it is a web page, no JSON, no object, or says the same thing twice.
    """
    try:
        data = _parse(body, content_type, what=what, option=option) if body or not location else {}
    except UnexpectedAnswerError as error:
        raise in_doubt(error, if_in_doubt) from None
    return Answer(what, option, data, location=location, if_in_doubt=if_in_doubt)


def _parse(body: bytes, content_type: str, *, what: str, option: str) -> Mapping[str, Any]:
    refuse_web_page(body, content_type, what=what, option=option)
    try:
        data = json.loads(body.decode("utf-8-sig", "replace"), object_pairs_hook=_unique)
    except _TwiceError as error:
        raise unexpected(what, f"was answered with JSON that has the key '{error}' twice", option) from None
    except (ValueError, RecursionError):
        raise unexpected(what, "was answered with something that is not JSON", option) from None
    if not isinstance(data, dict):
        raise unexpected(what, "was answered with JSON that is no object", option)
    return data


class _TwiceError(Exception):
    """A key that an object has more than once: readers differ in which they believe (RFC 8259, section 4)."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _TwiceError(name)
        found[name] = value
    return found


def refuse_web_page(body: bytes, content_type: str, *, what: str, option: str) -> None:
    """Let through whatever is no web page.

    Raises:
        UnexpectedAnswerError: it is one.
    """
    text = body.decode("utf-8-sig", "replace")
    if is_html(text, content_type):
        raise unexpected(what, f"was answered with a web page: {html_words(text) or 'an empty one'}", option)


def unexpected(what: str, how: str, option: str) -> UnexpectedAnswerError:
    """Return the error for an answer that is not the service's."""
    return UnexpectedAnswerError(f"{what} {how}.", hint=f"Check that {option} is the API's URL, not a web page's.")


def in_doubt(error: UnexpectedAnswerError, if_in_doubt: str | None) -> UnexpectedAnswerError:
    """Return the error for an answer from which it can't be known what has become of a call that must not be repeated.

    Args:
        error: what is wrong with the answer.
        if_in_doubt: what to do; `None` where the call may be repeated: the error stays as it is.
    """
    if if_in_doubt is None:
        return error
    return UnexpectedAnswerError(
        f"{error.message.removesuffix('.')}, and the server may have taken it all the same.",
        hint=f"{if_in_doubt} {error.hint}",
    )
