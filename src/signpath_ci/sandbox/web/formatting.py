"""Values as people read them: the filters of the templates."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from signpath_ci.sandbox.states import State

_UNITS = ("bytes", "KB", "MB", "GB")
_STEP = 1024
_TONES = {
    "Completed": "good",
    "Failed": "bad",
    "Denied": "bad",
    "Canceled": "quiet",
    "WaitingForApproval": "wait",
    "WaitingForArtifactUpload": "wait",
}


def moment(at: str) -> str:
    """Return a moment (ISO 8601) for people, e.g. `2026-11-28 02:14:30 UTC`."""
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S} UTC"


def size(number: int | None) -> str:
    """Return a number of bytes in readable units, e.g. `1.4 MB`."""
    if number is None:
        return "unknown size"
    value, unit = float(number), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{number} {_UNITS[0]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def words(name: str) -> str:
    """Return a status or state as words: `WaitingForApproval` -> `Waiting for approval`."""
    return re.sub(r"(?<!^)([A-Z])", lambda found: " " + found[1].lower(), name)


def tone(status: str) -> str:
    """Return the colour in which a status is shown."""
    return _TONES.get(status, "busy")


def state_words(state: State) -> str:
    """Return a state of the history as words."""
    return (
        "Waiting for the artifact's upload"
        if state is State.WAITING_FOR_ARTIFACT_UPLOAD
        else words(state.workflow_status)
    )


def web_url(url: str | None) -> str | None:
    """Return a URL that may be made a link, http or https; `None`: show it as text."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.hostname else None


FILTERS: dict[str, Callable[..., Any]] = {
    "moment": moment,
    "size": size,
    "words": words,
    "tone": tone,
    "state_words": state_words,
    "web_url": web_url,
}
