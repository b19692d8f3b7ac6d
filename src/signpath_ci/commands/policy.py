"""Which signing policy this build gets, where the settings hold rules instead of one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from signpath_ci.commands import Process
from signpath_ci.errors import UsageError
from signpath_ci.model import Origin
from signpath_ci.platforms import named
from signpath_ci.settings import ResubmitSettings, Submitting
from signpath_ci.settings.declaration import changed
from signpath_ci.settings.policy_rules import Build, are_rules, choose, parse_rules

_log = logging.getLogger(__name__)

S = TypeVar("S", bound="Submitting | ResubmitSettings")


def with_policy(settings: S, process: Process, origin: Callable[[], Origin]) -> S:
    """Return the settings with the one policy that the rules choose; say which rule it was.

    Args:
        settings: whose policy may be rules.
        process: of the build.
        origin: tells this build's origin; called where there are rules.

    Raises:
        UsageError: no rule holds, or the origin can't be told.
    """
    if not are_rules(settings.signing_policy_slug):
        return settings
    build = _build(origin(), process)
    choice = choose(parse_rules(settings.signing_policy_slug), build)
    if choice is None:
        known = ", ".join(f"{subject} {value}" for subject, value in vars(build).items() if value)
        raise UsageError(
            "No rule of --signing-policy-slug (SIGNPATH_SIGNING_POLICY_SLUG) holds for this build: "
            f"{known or 'tag, branch and event are unknown'}.",
            hint="Add a last rule that always holds, such as '*: test-signing'.",
            code="no-policy-rule",
        )
    _log.info("Signing policy %s, by the rule '%s': %s.", choice.policy, choice.rule, choice.reason)
    return changed(settings, signing_policy_slug=choice.policy)


def _build(origin: Origin, process: Process) -> Build:
    platform = named(origin.platform)
    event = platform.event(process.environment) if platform else None
    if origin.is_pull_request:
        return Build(event=event)
    return Build(tag=origin.tag, branch=origin.branch, event=event)
