"""A signing request as the sandbox keeps it: values, and their form as JSON."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.states import State

CheckResult = Literal["passed", "failed", "information", "not-checked"]


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """Where SignPath itself is to fetch the artifact.

    Attributes:
        url: an http(s) link, or a file in the artifact store (from a connector only).
        headers: sent along; they may hold secrets and are forgotten once the artifact is there.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def without_headers(self) -> Retrieval:
        """Return it without its secrets."""
        return replace(self, headers={})


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check that was made at the submit, as the request's page lists it.

    Attributes:
        name: what was checked, e.g. `Branch`.
        result: `not-checked` where the signing policy does not ask for it.
        detail: what was compared with what.
    """

    name: str
    result: CheckResult
    detail: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What an approver has decided.

    Attributes:
        by: the user's name.
        at: when, ISO 8601 in UTC.
        approved: whether it was approved; otherwise it was denied.
        reason: as the user gave it.
    """

    by: str
    at: str
    approved: bool
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Event:
    """A step of a request's history.

    Attributes:
        at: when, ISO 8601 in UTC.
        state: the state that it went into.
        by: the user who caused it; `None`: SignPath itself.
        note: more about it, e.g. why it failed.
    """

    at: str
    state: State
    by: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class WebhookDelivery:
    """What became of the message to the project's webhook.

    Attributes:
        at: when it was sent, ISO 8601 in UTC.
        url: where to.
        status: of the answer; `None` where there was none.
        answer: the start of the answer's body, or why there was none.
    """

    at: str
    url: str
    status: int | None
    answer: str


@dataclass(frozen=True, kw_only=True)
class SigningRequest:
    """One signing request, as it stands.

    Attributes:
        created: when, ISO 8601 in UTC.
        submitter: name of the user.
        trusted_build_system: name of the trusted build system or connector that vouches for the origin.
        file_name: of the unsigned artifact, as submitted.
        announced_sha256: what the artifact must hash to; `None` where nothing was announced.
        unsigned_sha256: of the artifact that is there; `None` before.
        times_signed: how many signatures were really made.
        decisions: of approvers.
        checks: that were made at the submit.
        history: every state that it was in, the oldest first.
        failure: why it ended other than completed.
        retrieval: the link that the artifact is fetched from; `None`: it is uploaded.
        original_id: the request that this one was resubmitted from.
        cancel_at: when it is canceled by itself, ISO 8601 in UTC.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: State
    created: str
    submitter: str
    project_slug: str
    signing_policy_slug: str
    artifact_configuration_slug: str
    file_name: str
    trusted_build_system: str | None = None
    description: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    origin: RecordedOrigin | None = None
    announced_sha256: str | None = None
    unsigned_sha256: str | None = None
    signed_sha256: str | None = None
    times_signed: int = 0
    decisions: tuple[Decision, ...] = ()
    checks: tuple[Check, ...] = ()
    history: tuple[Event, ...] = ()
    failure: str | None = None
    retrieval: Retrieval | None = None
    original_id: str | None = None
    cancel_at: str | None = None
    webhook: WebhookDelivery | None = None

    @property
    def approvals(self) -> tuple[str, ...]:
        """Who approved it."""
        return tuple(decision.by for decision in self.decisions if decision.approved)


def write_document(request: SigningRequest) -> str:
    """Return a request as JSON."""
    return json.dumps(
        asdict(replace(request, parameters=dict(request.parameters))), default=lambda state: State(state).name
    )


def read_document(document: str) -> SigningRequest:
    """Return the request that `write_document` has written."""
    said = json.loads(document)
    said["state"] = State[said["state"]]
    said["origin"] = RecordedOrigin(**said["origin"]) if said["origin"] else None
    said["retrieval"] = Retrieval(**said["retrieval"]) if said["retrieval"] else None
    said["webhook"] = WebhookDelivery(**said["webhook"]) if said["webhook"] else None
    said["decisions"] = tuple(Decision(**each) for each in said["decisions"])
    said["checks"] = tuple(Check(**each) for each in said["checks"])
    said["history"] = tuple(Event(**{**each, "state": State[each["state"]]}) for each in said["history"])
    return SigningRequest(**said)
