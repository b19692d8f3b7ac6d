"""SignPath's connectors (wire contract, "Connectors"): they fetch artifact and origin from the CI system themselves.

Submit, status and download all go to the connector; nothing else is contacted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from signpath_ci.api.refusals import AnsweredRefusalError
from signpath_ci.errors import RefusedError
from signpath_ci.model import RequestStatus, SigningRequestFields, Submission
from signpath_ci.text import one_line

if TYPE_CHECKING:
    from signpath_ci.api.answers import Answer
    from signpath_ci.api.connector_payloads import BuildArtifact
    from signpath_ci.api.streams import Download
    from signpath_ci.api.transport import Transport

GITHUB_CONNECTOR = "https://pipelineconnector.connectors.signpath.io/GitHubActions/GitHubCom"
"""Default of SignPath's GitHub action, v3."""
GITHUB_CONNECTOR_V2 = "https://githubactions.connectors.signpath.io"
"""Default of SignPath's GitHub action, v1 and v2; the same wire."""
GITLAB_CONNECTOR = "https://gitlab.connectors.signpath.io"

_QUERY = "?api-version=1.0"
_FETCHED = "hasArtifactBeenDownloadedBySignPathInCaseOfArtifactRetrieval"
_LEVELS = {
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

T = TypeVar("T")


class Connector:
    """Calls a connector for one organization. `status` and `signed_artifact` are as those of `SignPathApi`.

    Args:
        transport: to the connector's base URL, with SignPath's API token.
        organization_id: a UUID.
        on_log: is called with each line of the connector's log: its level as `logging` numbers them, and its text.
    """

    def __init__(self, transport: Transport, organization_id: str, *, on_log: Callable[[int, str], None]) -> None:
        self._transport = transport
        self._requests = f"{quote(organization_id, safe='')}/SigningRequests"
        self._on_log = on_log

    def submit(self, artifact: BuildArtifact, fields: SigningRequestFields) -> Submission:
        """Have the connector submit an artifact of the CI system's. Not safe to repeat.

        Args:
            artifact: which one.
            fields: slugs and parameters; a connector takes no description, and finds out the origin by itself.

        Raises:
            RefusedError: the request is not valid; with what the connector says on how to fix it.
            UnexpectedAnswerError: the URL is not a connector's.
            ServiceUnavailableError: also where the connector may have taken it.
        """
        payload: dict[str, object] = {
            **artifact.payload(),
            "signPathProjectSlug": fields.project_slug,
            "signPathSigningPolicySlug": fields.signing_policy_slug,
            "parameters": [{"name": name, "value": value} for name, value in fields.parameters.items()],
        }
        if fields.artifact_configuration_slug is not None:
            payload["signPathArtifactConfigurationSlug"] = fields.artifact_configuration_slug
        try:
            answer = self._transport.post(
                self._requests + _QUERY,
                json.dumps(payload).encode(),
                "application/json",
                if_in_doubt="A signing request may exist: look at the project's signing requests in SignPath "
                "before you run it again.",
                secrets=tuple(value for name, value in artifact.payload().items() if name.endswith("Token")),
            )
        except AnsweredRefusalError as refused:
            self._explain(refused)
            raise
        return self._submission(answer)

    def status(self, signing_request_id: str, *, patience: float | None = None) -> RequestStatus:
        """Return where a request stands, and whether SignPath has fetched its artifact.

        Args:
            signing_request_id: as the submit answered.
            patience: seconds across retries, where less than the transport's.
        """
        answer = self._transport.get(self._path(signing_request_id, "Status"), patience=patience)
        return RequestStatus(
            signing_request_id=signing_request_id,
            status=answer.text("status"),
            workflow_status=answer.optional_text("workflowStatus"),
            is_final=answer.flag("isFinalStatus"),
            web_link=answer.optional_link("webLink"),
            is_artifact_fetched=answer.optional_flag(_FETCHED),
        )

    def signed_artifact(self, signing_request_id: str, receive: Callable[[Download], T]) -> T:
        """Hand the signed artifact's bytes to `receive`; again from the start where they break off."""
        return self._transport.download(self._path(signing_request_id, "SignedArtifact"), receive)

    def signed_artifact_url(self, signing_request_id: str) -> str:
        """Return where the signed artifact is found, for others to call."""
        return self._transport.url(self._path(signing_request_id, "SignedArtifact"))

    def _path(self, signing_request_id: str, what: str) -> str:
        return f"{self._requests}/{quote(signing_request_id, safe='')}/{what}{_QUERY}"

    def _submission(self, answer: Answer) -> Submission:
        self._show(answer.raw("logs"))
        problems = list(_problems(answer.raw("error"), answer.raw("validationResult")))
        if problems:
            raise _invalid(problems, HTTPStatus.OK)
        if "signingRequestId" not in answer and "validationResult" not in answer:
            raise answer.unexpected("with neither a signing request nor a validation, so it is no connector")
        signing_request_id = answer.text("signingRequestId")
        return Submission(
            signing_request_id=signing_request_id,
            web_link=answer.optional_link("signingRequestUrl"),
            signed_artifact_url=self.signed_artifact_url(signing_request_id),
        )

    def _explain(self, refused: AnsweredRefusalError) -> None:
        """Raise the connector's own words on a refusal, where there are any."""
        try:
            said = json.loads(refused.body)
        except (ValueError, RecursionError):
            return
        if not isinstance(said, dict):
            return
        self._show(said.get("logs"))
        problems = list(_problems(said.get("error"), said.get("validationResult")))
        if problems:
            raise _invalid(problems, refused.status, hint=refused.hint) from None

    def _show(self, logs: object) -> None:
        for entry in logs if isinstance(logs, list) else []:
            if isinstance(entry, dict) and isinstance(entry.get("message"), str):
                level = _LEVELS.get(str(entry.get("level")).lower(), logging.INFO)
                self._on_log(level, one_line(entry["message"]))


def _problems(error: object, validation: object) -> Iterator[tuple[str, str]]:
    """Give what is wrong and how to fix it, from what should be `{"errors": [{"error", "howToFix"}]}`."""
    entries: Any = validation.get("errors") if isinstance(validation, Mapping) else None
    found = False
    for entry in entries if isinstance(entries, list) else []:
        fields = entry if isinstance(entry, Mapping) else {"error": entry}
        words, fix = fields.get("error"), fields.get("howToFix")
        if words or fix:
            found = True
            yield str(words or "The request is not valid"), str(fix or "")
    if not found and isinstance(error, str) and error.strip():
        yield error, ""


def _invalid(problems: list[tuple[str, str]], status: int, *, hint: str = "") -> RefusedError:
    words = " ".join(_sentence(problem) for problem, _ in problems)
    fixes = " ".join(_sentence(fix) for _, fix in problems if fix.strip())
    return RefusedError(f"The connector refused the signing request: {words}", status=status, hint=fixes or hint)


def _sentence(text: str) -> str:
    stripped = text.strip()
    return stripped if stripped.endswith((".", "!", "?")) else f"{stripped}."
