"""Pipeline policies: what a run and its repository must fulfil (source policies, sections 2 and 3).

Both generations are read: `github-build-policies` and `github-scm-policies`, and the older `github-policies`, which is
brought into the form of the newer ones first. Pure: a policy and a run in, violations out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from signpath_ci.sandbox.config import Run
from signpath_ci.sandbox.ruleset_rules import is_met

MAX_RERUNS = 3
"""Further re-runs fail under any active policy."""
_BUILD, _SCM, _FIRST = "github-build-policies", "github-scm-policies", "github-policies"
_OLD_RULES = {
    "restrict_creations": "creation",
    "restrict_updates": "update",
    "restrict_deletions": "deletion",
    "require_linear_history": "required_linear_history",
    "block_force_pushes": "non_fast_forward",
}
_OLD_REVIEWS = {
    "min_required_approvals": "required_approving_review_count",
    "dismiss_stale_reviews_on_push": "dismiss_stale_reviews_on_push",
    "require_code_owner_review": "require_code_owner_review",
    "require_last_push_approval": "require_last_push_approval",
    "require_review_thread_resolution": "required_review_thread_resolution",
    "required_review_thread_resolution": "required_review_thread_resolution",
}
_OLD_THRESHOLDS = {"warnings": "errors_and_warnings", "high": "high_or_higher", "medium": "medium_or_higher"}


@dataclass(frozen=True)
class Violation:
    """What a run does not fulfil, and what to do about it."""

    error: str
    how_to_fix: str


def evaluate(document: object, run: Run | None) -> tuple[Violation, ...]:
    """Return what a run violates.

    Args:
        document: a policy, as its YAML says it.
        run: as the CI system knows it; `None`: it is not known.
    """
    if not isinstance(document, Mapping) or not {_BUILD, _SCM, _FIRST} & document.keys():
        return (Violation(f"Missing {_FIRST} section.", f"Begin the policy with {_BUILD}: or {_SCM}:."),)
    if run is None:
        return (Violation("The CI system knows no such run.", "Add it to runs in the sandbox's configuration."),)
    try:
        return tuple(_violations(document, run))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return (Violation(f"The policy is not valid: {error}.", "Correct it as SignPath documents it."),)


def _violations(document: Mapping[str, Any], run: Run) -> Iterator[Violation]:
    build, scm = document.get(_BUILD) or {}, document.get(_SCM) or {}
    if _FIRST in document:
        build, scm = _migrated(document[_FIRST] or {})
    yield from _unknown(build, {"version", "disallow_reruns", "runners"}, _BUILD)
    yield from _unknown(scm, {"version", "ruleset_constraints"}, _SCM)
    if run.attempt - 1 > MAX_RERUNS:
        yield Violation(
            f"The run was re-run {run.attempt - 1} times, and at most {MAX_RERUNS} re-runs are evaluated.",
            "Start a new run.",
        )
    if build.get("disallow_reruns") and run.attempt > 1:
        yield Violation(f"Re-runs are not allowed, and this is attempt {run.attempt}.", "Start a new run.")
    yield from _runners(build.get("runners") or {}, run)
    for constraint in scm.get("ruleset_constraints") or ():
        yield from _constraint(constraint, run)


def _unknown(section: Mapping[str, Any], known: set[str], name: str) -> Iterator[Violation]:
    for key in section:
        if key not in known:
            yield Violation(f"{name} has the unknown key {key}.", f"Known are {', '.join(sorted(known))}.")


def _runners(wanted: Mapping[str, Any], run: Run) -> Iterator[Violation]:
    hosted = wanted.get("require_github_hosted", wanted.get("required_github_hosted"))
    groups = wanted.get("allowed_groups")
    for runner in run.runners:
        if hosted and not runner.is_hosted:
            yield Violation(
                f"A job ran on a self-hosted runner of the group '{runner.group}'.",
                "Run all jobs that lead to the artifact on GitHub-hosted runners.",
            )
        if groups is not None and runner.group not in groups:
            yield Violation(
                f"A job ran on a runner of the group '{runner.group}', which is not allowed.",
                f"Use runners of: {', '.join(groups)}.",
            )


def _constraint(constraint: Mapping[str, Any], run: Run) -> Iterator[Violation]:
    if not run.rulesets:
        yield Violation(
            f"There are no rulesets applicable to the current branch '{run.branch}'",
            "Add an active ruleset for it, for a tag one of tags.",
        )
        return
    since = constraint.get("enforced_from") or "CURRENT_BUILD"
    usable = [
        ruleset
        for ruleset in run.rulesets
        if (constraint.get("allow_bypass_actors") or not ruleset.has_bypass_actors)
        and _is_old_enough(ruleset.last_modified, since, run)
    ]
    for rule in constraint["rules"]:
        parameters = rule.get("parameters") or {}
        found = (each for ruleset in usable for each in ruleset.rules if each["type"] == rule["type"])
        if not any(is_met(rule["type"], parameters, each.get("parameters") or {}) for each in found):
            wanted = ", ".join(f"{name}: {value}" for name, value in parameters.items())
            yield Violation(
                f"No active ruleset of the branch '{run.branch}' meets the rule {rule['type']}"
                f"{' (' + wanted + ')' if wanted else ''}, enforced from {since}.",
                "Add the rule to a ruleset of the branch"
                + ("." if constraint.get("allow_bypass_actors") else ", without actors who may bypass it."),
            )


def _is_old_enough(modified: str | None, since: object, run: Run) -> bool:
    """Whether a ruleset held from a moment on: any later edit of it breaks that."""
    if since == "CURRENT_BUILD":
        return True
    start = run.repository_created if since == "EARLIEST" else since
    return modified is not None and start is not None and _moment(modified) <= _moment(start)


def _moment(value: object) -> str:
    """Return a moment in a form that can be compared; YAML makes some of them dates."""
    return value.isoformat() if isinstance(value, date | datetime) else str(value).replace("Z", "+00:00")


def _migrated(old: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a policy of the first generation in the form of the second."""
    build = {"runners": old.get("runners") or {}, **(old.get("build") or {})}
    constraints = []
    for item in old.get("branch_rulesets") or ():
        condition = item.get("condition") or {}
        around = {name: item[name] for name in ("enforced_from", "allow_bypass_actors") if name in item}
        inside = {name: condition[name] for name in ("enforced_from", "allow_bypass_actors") if name in condition}
        constraints.append({**around, **inside, "rules": list(_old_rules(condition.get("rules") or {}))})
    return build, {"ruleset_constraints": constraints}


def _old_rules(rules: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, value in rules.items():
        if name in _OLD_RULES:
            if value:
                yield {"type": _OLD_RULES[name]}
        elif name == "require_pull_request":
            reviews = value if isinstance(value, Mapping) else {}
            if value:
                yield {"type": "pull_request", "parameters": {_OLD_REVIEWS[key]: reviews[key] for key in reviews}}
        elif name in {"require_code_scanning", "code_scanning"}:
            yield {"type": "code_scanning", "parameters": {"code_scanning_tools": _old_tools(value["tools"])}}
        else:
            raise ValueError(f"there is no rule {name}")


def _old_tools(tools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = {"min_alerts_threshold": "alerts_threshold", "min_security_alerts_threshold": "security_alerts_threshold"}
    return [{names.get(key, key): _OLD_THRESHOLDS.get(value, value) for key, value in tool.items()} for tool in tools]
