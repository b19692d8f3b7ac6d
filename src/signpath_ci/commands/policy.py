"""`signpath-ci policy`: which signing policy does this build get, and why?"""

from __future__ import annotations

from signpath_ci.platforms.collect import collect_origin
from signpath_ci.settings import PolicySettings
from signpath_ci.settings.policy_rules import Build, Choice, are_rules
from signpath_ci.text import one_line
from signpath_ci.workflows.process import Process, print_object, print_words
from signpath_ci.workflows.submission import build_of, choose_policy


def run(settings: PolicySettings, process: Process) -> None:
    """Print the policy, and the rule that chooses it.

    Raises:
        UsageError: no rule holds, or it can't be known which build this is.
    """
    if settings.ref is None:
        origin = collect_origin(process.environment, process.directory, version=settings.build_version)
        build = build_of(origin, process)
    else:
        build = _build_of_ref(settings.ref, settings.event)
    slug = settings.signing_policy_slug
    choice = (
        choose_policy(slug, build) if are_rules(slug) else Choice(policy=slug, rule="", reason="no rules are given")
    )
    if settings.json:
        print_object(
            process,
            {
                "policy": choice.policy,
                "rule": choice.rule or None,
                "reason": choice.reason,
                "tag": build.tag,
                "branch": build.branch,
                "event": build.event,
            },
        )
        return
    by = f"by the rule '{one_line(choice.rule)}': " if choice.rule else ""
    print_words(process, f"{choice.policy} ({by}{choice.reason})")


def _build_of_ref(ref: str, event: str | None) -> Build:
    _, kind, name = ref.split("/", 2)
    return Build(tag=name if kind == "tags" else None, branch=name if kind == "heads" else None, event=event)
