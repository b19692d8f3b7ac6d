"""What a request says: policy, description, parameters, and the origin if this program vouches for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from signpath_ci.errors import UsageError
from signpath_ci.metadata import (
    describe_request,
    expand_parameters,
    mark_untrusted,
    parse_parameter_lines,
    parse_parameters,
)
from signpath_ci.model import Origin, SigningRequestFields
from signpath_ci.origin.branches import confirm_branch
from signpath_ci.origin.rest import rest_origin_fields
from signpath_ci.origin.trust import origin_objections
from signpath_ci.platforms import named
from signpath_ci.platforms.collect import build_settings_file, collect_origin
from signpath_ci.settings import ResubmitSettings, Service, SignSettings, SubmitSettings, Submitting
from signpath_ci.settings.declaration import changed
from signpath_ci.settings.policy_rules import Build, Choice, are_rules, choose, parse_rules
from signpath_ci.signing import receipt as receipts
from signpath_ci.workflows.configuration_file import configuration_sha256
from signpath_ci.workflows.process import Process

_log = logging.getLogger(__name__)

S = TypeVar("S", bound="SignSettings | SubmitSettings | ResubmitSettings")


def origin_for(settings: Submitting, process: Process) -> Origin:
    """Return this build's origin. Where nothing depends on it, a broken environment is a warning, and it is unknown.

    Raises:
        UsageError: it can't be known, but is to be sent or compared.
    """
    try:
        return collect_origin(process.environment, process.directory, version=settings.build_version)
    except UsageError as error:
        if settings.depends_on_origin:
            raise
        _log.warning("The build's metadata does not go along: %s", error)
        return Origin(platform="local", version=settings.build_version)


def request_fields(settings: Submitting, process: Process, origin: Origin) -> SigningRequestFields:
    """Return what the submit says; `origin.*` only from a trusted build system (wire contract, "Origin").

    Raises:
        UsageError: a placeholder or parameter is wrong, or this build's origin can't be vouched for.
    """
    description = describe_request(settings.description, origin)
    fields: dict[str, str] = {}
    definition: Path | None = None
    if settings.trusted_build_system_token:
        objections = _objections(settings, process, origin)
        if objections and not settings.allow_untrusted_origin:
            raise UsageError(
                f"This build's origin can't be vouched for: {'; '.join(objections)}.",
                hint="Sign in a build of a branch with a clean checkout, or override it with --allow-untrusted-origin.",
                code="origin-untrusted",
            )
        if objections:
            description = mark_untrusted(description, objections)
        fields = rest_origin_fields(origin, settings.origin_branch)
        definition = build_settings_file(origin, process.environment, process.directory)
    return SigningRequestFields(
        project_slug=settings.project_slug,
        signing_policy_slug=settings.signing_policy_slug,
        artifact_configuration_slug=settings.artifact_configuration_slug,
        artifact_configuration_sha256=configuration_sha256(settings, process.directory),
        description=description,
        parameters=_parameters(settings, origin),
        origin=fields,
        build_settings_file=definition,
    )


def _objections(settings: Submitting, process: Process, origin: Origin) -> list[str]:
    objections = origin_objections(origin, process.environment, branch=settings.origin_branch)
    if settings.origin_branch:
        try:
            confirm_branch(settings.origin_branch, origin.commit, process.environment, process.directory)
        except UsageError as error:
            objections.append(str(error).rstrip("."))
    return objections


def _parameters(settings: Submitting, origin: Origin) -> dict[str, str]:
    given = parse_parameter_lines(settings.parameters or "") | parse_parameters(settings.parameter)
    return expand_parameters(given, origin)


def with_policy(settings: S, process: Process, origin: Callable[[], Origin]) -> S:
    """Return the settings with the one policy that the rules choose; say which rule it was.

    Args:
        settings: whose policy may be rules.
        process: of the build.
        origin: tells this build's origin; called where there are rules.

    Raises:
        UsageError: no rule holds, or the origin can't be known.
    """
    if not are_rules(settings.signing_policy_slug):
        return settings
    choice = choose_policy(settings.signing_policy_slug, build_of(origin(), process))
    _log.info("Signing policy %s, by the rule '%s': %s.", choice.policy, choice.rule, choice.reason)
    return changed(settings, signing_policy_slug=choice.policy)


def choose_policy(rules: str, build: Build) -> Choice:
    """Return the policy that rules choose for a build.

    Raises:
        UsageError: no rule holds.
    """
    choice = choose(parse_rules(rules), build)
    if choice is None:
        known = ", ".join(f"{subject} {value}" for subject, value in vars(build).items() if value)
        raise UsageError(
            "No rule of --signing-policy-slug (SIGNPATH_SIGNING_POLICY_SLUG) holds for this build: "
            f"{known or 'tag, branch and event are unknown'}.",
            hint="Add a last rule that always holds, such as '*: test-signing'.",
            code="no-policy-rule",
        )
    return choice


def build_of(origin: Origin, process: Process) -> Build:
    """Return what rules look at of this build."""
    platform = named(origin.platform)
    event = platform.event(process.environment) if platform else None
    if origin.is_pull_request:
        return Build(event=event)
    return Build(tag=origin.tag, branch=origin.branch, event=event)


def receipt_file(path: Path, settings: Service, origin: Origin) -> receipts.ReceiptFile:
    """Return where this run keeps its receipt."""
    return receipts.ReceiptFile(path=path, service=service_of(settings), origin=origin)


def service_of(settings: Service) -> receipts.Service:
    """Return how receipts name the SignPath that the settings name."""
    return receipts.Service(api_url=settings.api_url, organization_id=settings.organization_id)
