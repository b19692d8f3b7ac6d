"""What can be done to a signing request, whoever asks for it: a REST client, a person at the web page, a test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace

from signpath_ci.artifact_configuration.document import DocumentError, read_document
from signpath_ci.artifact_configuration.parameters import parameter_findings
from signpath_ci.sandbox.policies import Caller
from signpath_ci.sandbox.problems import ProblemError, bad_fields, conflict, forbidden
from signpath_ci.sandbox.service import Service, require_access
from signpath_ci.sandbox.signing_request import Decision, SigningRequest
from signpath_ci.sandbox.states import State
from signpath_ci.sandbox.submission import Target, draft

ANYBODY = "somebody at the sandbox"
"""Who decides through the sandbox's own routes without a token."""


def start(service: Service, signing_request: SigningRequest) -> None:
    """Keep a new request whose files are stored, and set it going.

    What the artifact configuration says now applies, even if somebody edits it before the request is processed.

    Raises:
        ProblemError: 400, the configuration is not valid, or the parameters are not those that it declares.
    """
    text = service.artifact_configurations.text(
        signing_request.project_slug, signing_request.artifact_configuration_slug
    )
    if text is not None:
        try:
            _require_parameters(text, signing_request.parameters)
        except ProblemError:
            service.store.discard(signing_request.id)
            raise
        service.store.artifact_configuration(signing_request.id).write_text(text, "utf-8", newline="")
    service.store.add(signing_request)
    service.processor.wake(signing_request.id)
    service.processor.cancel_when_due(signing_request.id)


def _require_parameters(text: str, parameters: Mapping[str, str]) -> None:
    try:
        document = read_document(text.encode())
    except DocumentError as error:
        problems = [f"Line {one.position.line}: {one.message}." for one in error.problems]
        raise bad_fields(
            {"artifactConfigurationSlug": ["The artifact configuration is not valid.", *problems]}
        ) from None
    findings = parameter_findings(document, parameters)
    if findings:
        raise bad_fields({"parameters": [f"{one.message}: {one.hint}." for one in findings]})


def resubmit(
    service: Service, caller: Caller, original: SigningRequest, target: Target, *, description: str | None
) -> SigningRequest:
    """Submit the artifact of an earlier request anew, with its origin, under the rules of the new target.

    Raises:
        ProblemError: 409 where its artifact is not there.
        RefusalError: a permission is missing, or the new policy refuses the origin.
    """
    require_access(caller.user, "read", original)
    if original.unsigned_sha256 is None and original.retrieval is None:
        raise conflict("The original signing request has no artifact.")
    drafted = draft(
        caller,
        target,
        now=service.clock.now(),
        file_name=original.file_name,
        description=description if description is not None else original.description,
        parameters=original.parameters,
        origin=original.origin,
        system=original.trusted_build_system,
    )
    for place in (service.store.unsigned, service.store.build_settings):
        if place(original.id).exists():
            # Artifacts never change, so both requests may share one; where links are not possible, copy.
            try:
                os.link(place(original.id), place(drafted.id))
            except OSError:
                shutil.copyfile(place(original.id), place(drafted.id))
    resubmitted = replace(
        drafted,
        unsigned_sha256=original.unsigned_sha256,
        # An artifact that could not be fetched is fetched again; the headers of the link are forgotten by then.
        retrieval=original.retrieval if original.unsigned_sha256 is None else None,
        announced_sha256=original.announced_sha256,
        original_id=original.id,
    )
    start(service, resubmitted)
    return resubmitted


def approve(
    service: Service, waiting: SigningRequest, *, by: str = ANYBODY, reason: str | None = None
) -> SigningRequest:
    """Count one approval; the last one needed sets the request going.

    Args:
        service: the sandbox.
        waiting: the request.
        by: name of a user who may approve.
        reason: as the user gives it.

    Raises:
        ProblemError: 409 where it does not wait for approval, or this user has approved already.
        RefusalError: the submitter may not approve.
    """
    _require_waiting(waiting)
    project = service.configuration.project(waiting.project_slug)
    policy = project.signing_policy(waiting.signing_policy_slug) if project else None
    if by in waiting.approvals and by != ANYBODY:
        raise conflict(f"The user '{by}' has approved this signing request already.")
    if policy and not policy.submitter_may_approve and by == waiting.submitter:
        raise forbidden(
            f"The user '{by}' submitted this signing request, and signing policy '{policy.slug}' does not let the "
            "submitter approve. Another approver has to."
        )
    decision = Decision(by=by, at=service.clock.now().isoformat(), approved=True, reason=reason)
    decisions = (*waiting.decisions, decision)
    is_enough = policy is None or len(waiting.approvals) + 1 >= policy.required_approvals
    state = State.QUEUED_FOR_PROCESSING if is_enough else waiting.state
    changed = service.store.change(waiting.id, waiting.state, by=by, state=state, decisions=decisions)
    if is_enough:
        service.processor.wake(waiting.id)
    return changed or waiting


def deny(service: Service, waiting: SigningRequest, *, by: str = ANYBODY, reason: str | None = None) -> SigningRequest:
    """End a request that waits for approval: one denial is enough.

    Raises:
        ProblemError: 409 where it does not wait for approval.
    """
    _require_waiting(waiting)
    decision = Decision(by=by, at=service.clock.now().isoformat(), approved=False, reason=reason)
    failure = f"Denied by {by}: {reason}" if reason else f"Denied by {by}."
    decisions = (*waiting.decisions, decision)
    return service.processor.end(waiting, State.DENIED, by=by, failure=failure, decisions=decisions) or waiting


def cancel(service: Service, signing_request: SigningRequest, *, by: str) -> SigningRequest:
    """End a request that is not final.

    Raises:
        ProblemError: 409 where it is.
    """
    if signing_request.state.is_final:
        raise conflict(f"The signing request has ended already, as {signing_request.state.status}.")
    failure = f"Canceled by '{by}'."
    ended = service.processor.end(signing_request, State.CANCELED, by=by, failure=failure)
    return ended or signing_request


def _require_waiting(signing_request: SigningRequest) -> None:
    if signing_request.state is not State.WAITING_FOR_APPROVAL:
        raise conflict(f"The signing request does not wait for approval (status {signing_request.state.status}).")
