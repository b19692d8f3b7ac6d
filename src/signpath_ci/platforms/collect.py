"""Which CI system this is, and what it says about this build."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from signpath_ci.errors import UsageError
from signpath_ci.origin import ExplainedOrigin, git
from signpath_ci.origin.rest import file_in_checkout
from signpath_ci.origin.variables import Variables
from signpath_ci.platforms import detected, named
from signpath_ci.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from signpath_ci.model import Origin

_log = logging.getLogger(__name__)


def collect_origin(env: Mapping[str, str], cwd: Path, *, version: str | None = None) -> Origin:
    """Tell which repository, commit and build this process runs in.

    Args:
        env: the environment.
        cwd: the working directory, perhaps in a checkout.
        version: what the user says; goes before every other source.

    Raises:
        UsageError: the platform is known, but a value is missing, malformed or contradicts another;
            or, without a platform, the checkout can't be read.
    """
    return explain_origin(env, cwd, version=version).origin


def explain_origin(env: Mapping[str, str], cwd: Path, *, version: str | None = None) -> ExplainedOrigin:
    """Do what `collect_origin` does, and tell where each value was found."""
    platforms = detected(env)
    if len(platforms) > 1:
        names = " and ".join(platform.variable for platform in platforms)
        raise UsageError(
            f"{names} are set, but a build runs on one platform.",
            hint="Unset what is not true here.",
            code="ambiguous-platform",
        )
    variables = Variables(env, platforms[0].title if platforms else git.TITLE)
    if platforms:
        origin = _with_checkout(variables, cwd, platforms[0].describe(variables, cwd))
    else:
        origin = git.describe_local(variables, cwd)
    if version:
        given = variables.checked(version, "the given version")
        origin = replace(origin, version=variables.note("version", given, "given"))
    elif origin.tag is not None:
        origin = replace(
            origin, version=variables.note("version", git.without_v(origin.tag), variables.sources.get("tag", ""))
        )
    return ExplainedOrigin(origin, variables.sources)


def _with_checkout(variables: Variables, cwd: Path, origin: Origin) -> Origin:
    """Add what only a checkout knows, if it is the commit that was built. A job that only signs has none: no error."""
    try:
        head = git.read_head(variables.env, cwd)
        if head is None:
            return origin
        if head.commit != origin.commit:
            _log.info("The checkout is at %s, the build's commit is %s: it is left out.", head.commit, origin.commit)
            return origin
        return git.add_checkout(variables, cwd, head, origin)
    except UsageError as error:
        _log.warning("Whether the checkout is clean stays unknown: %s", error)
        return origin


def build_settings_file(origin: Origin, env: Mapping[str, str], cwd: Path) -> Path | None:
    """Return the pipeline's definition, sent as `origin.buildData.buildSettingsFile`.

    Returns:
        A regular file of the checkout; `None` where the CI system names none, names one of another repository or
        server, or the checkout does not hold it.
    """
    platform = named(origin.platform)
    name = platform.definition(env) if platform else None
    return file_in_checkout(name, env.get(platform.workspace_variable), cwd) if platform and name else None


def stranger_reason(env: Mapping[str, str], cwd: Path) -> str | None:
    """Return why the checkout may be that of a stranger, who can propose changes but not make them; else `None`.

    Args:
        env: the environment of the build.
        cwd: the working directory.
    """
    for platform in detected(env):
        event = (platform.event(env) or "").strip()
        if event in platform.strangers_events:
            return f"the run was started by {event}, and its checkout may be a stranger's"
        try:
            pull_request = platform.describe(Variables(env, platform.title), cwd).pull_request
        except UsageError:
            return "the environment does not tell whose checkout it is"
        if pull_request is not None and pull_request.is_fork is not False:
            is_known = pull_request.is_fork is True
            return "the pull request comes from a fork" if is_known else "the pull request may come from a fork"
    return None
