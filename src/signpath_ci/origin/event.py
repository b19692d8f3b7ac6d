"""GitHub's event file: the payload of the webhook that started the run, read as the foreign data that it is.

Payload: <https://docs.github.com/webhooks/webhook-events-and-payloads#pull_request>
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.origin.refs import is_ref_name

if TYPE_CHECKING:
    from signpath_ci.origin.variables import Variables

_NAME = "GITHUB_EVENT_PATH"
# GitHub caps payloads at 25 MB: <https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap>
_LIMIT = 32 * 2**20


class Event:
    """A payload; a key that is absent, or holds another type than asked for, has no value."""

    def __init__(self, payload: object, variables: Variables) -> None:
        self._payload = payload
        self._variables = variables

    def text(self, path: str) -> str | None:
        """Return the text at `path` (keys joined by dots).

        Raises:
            UsageError: it holds control characters.
        """
        value = self._at(path)
        return self._variables.checked(value, f"{_NAME}: {path}") if isinstance(value, str) and value else None

    def ref(self, path: str) -> str | None:
        """Return the text at `path` if it can be the name of a branch.

        Raises:
            UsageError: it holds control characters.
        """
        value = self.text(path)
        return value if value is not None and is_ref_name(value) else None

    def number(self, path: str) -> int | None:
        """Return the whole number at `path` (keys joined by dots)."""
        value = self._at(path)
        return value if type(value) is int and 0 <= value < 10**18 else None

    def is_null(self, path: str) -> bool:
        """Whether the key is there, and its value is `null`."""
        parent, _, key = path.rpartition(".")
        holder = self._at(parent)
        return isinstance(holder, dict) and key in holder and holder[key] is None

    def _at(self, path: str) -> object:
        value = self._payload
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return value


def read_event(variables: Variables, cwd: Path) -> Event:
    """Read the file that `GITHUB_EVENT_PATH` names; an empty payload where the variable has no value.

    Raises:
        UsageError: the file is missing, unreadable, too large or not JSON.
    """
    name = variables.get(_NAME)
    if name is None:
        return Event({}, variables)
    path = cwd / name
    try:
        if not path.is_file():
            variables.broken(_NAME, "names no file", hint="In a container, mount the folder of the event file.")
        with path.open("rb") as file:
            content = file.read(_LIMIT + 1)
    except (OSError, ValueError):
        variables.broken(_NAME, "names a file that can not be read", hint="Check its permissions.")
    if len(content) > _LIMIT:
        variables.broken(_NAME, f"names a file of more than {_LIMIT} bytes, which no event is")
    try:
        payload: object = json.loads(content)
    except (ValueError, RecursionError):
        variables.broken(_NAME, "names a file that is not JSON", hint="It may be empty or cut off.")
    if not isinstance(payload, dict):
        variables.broken(_NAME, "names a file that holds no JSON object")
    return Event(payload, variables)
