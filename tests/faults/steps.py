"""The steps of every conversation with SignPath: how each is known on the wire, and what comes before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.proxy import Answer, Exchange

_SUFFIXES = {
    "submitwithoutartifact": "create",
    "submitwithartifact": "submit",
    "uploadunsignedartifact": "upload",
    "status": "poll",
    "signedartifact": "download",
    "cancel": "cancel",
    "resubmit": "resubmit",
    "signingrequests": "connector submit",
}

COMES_AFTER: Mapping[str, str | None] = {
    "create": None,
    "submit": "create",
    "upload": "create",
    "poll": "upload",
    "poll again": "poll",
    "download": "poll again",
    "look": None,
    "cancel": "look",
    "resubmit": None,
}
"""Each step of the REST API, in the order of the tables, and the step whose answer it follows."""


def step_of(method: str, path: str, *, polled: bool) -> str:
    """Return the name of the step that a request is.

    Args:
        method: of the request.
        path: of the request.
        polled: whether the status was asked for before.
    """
    last = path.partition("?")[0].rstrip("/").rpartition("/")[2].lower()
    step = _SUFFIXES.get(last, "look")
    if step == "poll" and polled:
        return "poll again"
    return f"{method} {path}" if (method == "GET") != (step in {"poll", "look", "download"}) else step


def is_before(step: str, exchange: Exchange, answer: Answer) -> bool:
    """Tell whether the next request after this exchange will be `step`."""
    if exchange.step != COMES_AFTER[step] and not (step == "download" and exchange.step == "poll"):
        return False
    return step != "download" or bool(json.loads(answer.body)["isFinalStatus"])
