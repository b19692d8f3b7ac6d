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
    "submitwithartifactretrievallink": "link submit",
    "uploadunsignedartifact": "upload",
    "status": "poll",
    "signedartifact": "download",
    "cancel": "cancel",
    "resubmit": "resubmit",
    "signingrequests": "submit",
}
_READS = ("look", "poll", "download")

COMES_AFTER: Mapping[str, str | None] = {
    "create": None,
    "submit": "create",
    "link submit": None,
    "upload": "create",
    "poll": "upload",
    "poll again": "poll",
    "download": "poll again",
    "bundle download": "poll again",
    "look": None,
    "cancel": "look",
    "resubmit": None,
    "connector submit": None,
    "connector poll": "connector submit",
    "connector download": "connector poll",
}
"""Each step, of the REST API and of a connector, in the order of the tables; and the step whose answer it follows."""


def on_the_wire(step: str) -> str:
    """Return what `step_of` calls a step: the signed files of a bundle come as any other."""
    return step.removeprefix("bundle ")


def step_of(method: str, path: str, *, polled: bool) -> str:
    """Return the name of the step that a request is.

    Args:
        method: of the request.
        path: of the request.
        polled: whether the status was asked for before.
    """
    last = path.partition("?")[0].rstrip("/").rpartition("/")[2].lower()
    step = _SUFFIXES.get(last, "look")
    if (method == "GET") != (step in _READS):
        return f"{method} {path}"
    if "/connectors/" in path.lower():
        return f"connector {step}"
    return "poll again" if step == "poll" and polled else step


def is_before(step: str, exchange: Exchange, answer: Answer) -> bool:
    """Tell whether the next request after this exchange will be `step`."""
    if not step.endswith("download"):
        return exchange.step == COMES_AFTER[step]
    polls = {"connector poll"} if step.startswith("connector") else {"poll", "poll again"}
    return exchange.step in polls and bool(json.loads(answer.body)["isFinalStatus"])
