"""One platform's variables: read with care, and with a memory of where each value was found."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NoReturn, TypeVar

from signpath_ci.errors import UsageError
from signpath_ci.origin.refs import is_ref_name
from signpath_ci.origin.urls import public_url, without_secrets
from signpath_ci.text import is_unexpanded_macro, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

_COMMIT = re.compile(r"[0-9A-Fa-f]{40}(?:[0-9A-Fa-f]{24})?")
_NUMBER = re.compile(r"[0-9]{1,18}")
# Controls, lone surrogates (bytes that are no text) and separators of lines. Format characters stay: emoji need them.
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LIMIT = 4096


class Variables:
    """The environment as one platform fills it.

    A variable that is unset, empty, blank or an unexpanded macro has no value. No error repeats a value: it could be a
    secret.

    Args:
        env: the environment.
        platform: its name for people.

    Attributes:
        sources: for each field of the origin that has a value, the variable, command or key that it came from.
    """

    def __init__(self, env: Mapping[str, str], platform: str) -> None:
        self.env = env
        self.platform = platform
        self.sources: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        """Return the value of `name` if it has one.

        Raises:
            UsageError: it holds control characters, or is longer than any name or URL.
        """
        value = self.env.get(name, "").strip(" ")
        return None if not value or is_unexpanded_macro(value) else self.checked(value, name)

    def need(self, name: str) -> str:
        """Return the value of `name`.

        Raises:
            UsageError: it has none, or not a sound one.
        """
        value = self.get(name)
        if value is None:
            self.broken(name, "is missing", hint=f"{self.platform} always sets it: pass it on to this process.")
        return value

    def checked(self, value: str, name: str) -> str:
        """Return `value`, found at `name`, if it is one line of text.

        Raises:
            UsageError: it is not.
        """
        if len(value) > _LIMIT:
            self.broken(name, f"is longer than {_LIMIT} characters")
        if any(unicodedata.category(character) in _REFUSED for character in value):
            self.broken(name, "holds control characters or bytes that are no text")
        return value

    def ref(self, name: str) -> str | None:
        """Return the value of `name` as the name of a git reference, full or short, `None` where it has none.

        Raises:
            UsageError: no reference can have that name.
        """
        value = self.get(name)
        if value is not None and not is_ref_name(value):
            self.broken(name, "is not the name of a branch or tag")
        return value

    def prose(self, name: str) -> str | None:
        """Return the value of `name`, which only people read: made one printable line instead of refused."""
        value = without_secrets(one_line(self.env.get(name, ""), limit=200))
        return None if not value or is_unexpanded_macro(value) else value

    def number(self, name: str) -> int | None:
        """Return the value of `name` as a number, `None` where it has none.

        Raises:
            UsageError: it is something else.
        """
        value = self.get(name)
        if value is not None and not _NUMBER.fullmatch(value):
            self.broken(name, "is not a number")
        return None if value is None else int(value)

    def url(self, name: str) -> str | None:
        """Return the value of `name`, a web page's or repository's URL, without secrets; `None` where it has none.

        Raises:
            UsageError: it is not a URL.
        """
        value = self.get(name)
        url = None if value is None else public_url(value)
        if value is not None and (url is None or "://" not in url):
            self.broken(name, "is not a URL")
        return url

    def need_url(self, name: str) -> str:
        """Return the value of `name`, a web page's or repository's URL, without secrets.

        Raises:
            UsageError: it has none, or is not a URL.
        """
        self.need(name)
        return self.url(name) or ""

    def digits(self, name: str) -> str | None:
        """Return the value of `name`, an id made of digits, `None` where it has none.

        Raises:
            UsageError: it is something else.
        """
        number = self.number(name)
        return None if number is None else str(number)

    def commit(self, name: str) -> str | None:
        """Return the value of `name` as a commit's id in lower case, `None` where it has none.

        Raises:
            UsageError: it is not a whole id.
        """
        value = self.get(name)
        if value is not None and not is_commit(value):
            self.broken(name, "is not a whole commit id (40 or 64 hex digits)")
        return None if value is None else value.lower()

    def need_commit(self, name: str) -> str:
        """Return the value of `name` as a commit's id in lower case.

        Raises:
            UsageError: it has none, or is not a whole id.
        """
        self.need(name)
        return self.commit(name) or ""

    def note(self, field: str, value: T, *sources: str) -> T:
        """Remember where `field` of the origin came from, and return its value."""
        if value is not None:
            self.sources[field] = ", ".join(sources)
        return value

    def broken(self, name: str, what: str, *, hint: str = "") -> NoReturn:
        """Raise the error of a platform that is this one, but broken."""
        raise UsageError(f"{self.platform}: {name} {what}.", hint=hint, code="invalid-build-variable")


def is_commit(value: str) -> bool:
    """Whether `value` is a whole commit id, SHA-1 or SHA-256."""
    return bool(_COMMIT.fullmatch(value))
