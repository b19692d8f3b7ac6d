"""From settings and build to what a submit says: policy, description, parameters, and the origin if vouched for."""

from __future__ import annotations

import logging
from pathlib import Path

from signpath_ci.commands import Process
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
from signpath_ci.platforms.collect import build_settings_file, collect_origin
from signpath_ci.settings import Submitting

_log = logging.getLogger(__name__)


def origin_for(settings: Submitting, process: Process) -> Origin:
    """Return this build's origin. Where nothing depends on it, a broken environment is a warning, and it is unknown.

    Raises:
        UsageError: it can't be told, but is to be sent or compared.
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
