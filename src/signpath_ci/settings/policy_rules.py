"""Which signing policy: rules on the build, read from top to bottom, so that pipelines need no expressions.

::

    tag v*: release-signing
    branch main event schedule: nightly-signing
    branch main: release-signing
    *: test-signing

One rule a line, or several on one line with commas between them. A rule holds where all of its conditions do: `tag`,
`branch` and `event`, each with a pattern in which `*` stands for any characters and `?` for one. `*` alone always
holds.
A pull request is not its branch: `branch` and `tag` never hold on one, `event pull_request` and `*` do.
"""

from __future__ import annotations

import re

from signpath_ci.values import dataclass

_SUBJECTS = ("tag", "branch", "event")
_FORM = "write 'tag v*: slug', 'branch main: slug', 'event schedule: slug' or '*: slug'."
_PULL_REQUEST = "pull_request"
_SLUG = re.compile(r"[^\s:,]+")


@dataclass(frozen=True, kw_only=True)
class Build:
    """What rules look at; `None` stands for what is unknown, or must not be looked at."""

    tag: str | None = None
    branch: str | None = None
    event: str | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule: all conditions hold, so it is that policy.

    Attributes:
        text: as it was written.
        conditions: pairs of `tag`, `branch` or `event` with a pattern; none where the rule always holds.
        policy: the slug.
    """

    text: str
    conditions: tuple[tuple[str, str], ...]
    policy: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which policy, and why, in words: "branch is main"."""

    policy: str
    rule: str
    reason: str


def are_rules(text: str) -> bool:
    """Tell rules from the slug of a single policy, which holds no colon."""
    return ":" in text


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Read rules.

    Raises:
        ValueError: one of them is none, or can never apply; it is named.
    """
    written = [piece.strip() for line in text.splitlines() for piece in line.split(",")]
    rules = tuple(_rule(piece) for piece in written if piece)
    if not rules:
        raise ValueError(f"holds no rule: {_FORM}")
    for number, rule in enumerate(rules):
        earlier = next((one for one in rules[:number] if _always_before(one, rule)), None)
        if earlier is not None:
            raise ValueError(
                f"holds {rule.text!r}, which can never apply: {earlier.text!r} stands before it, and holds for "
                "the same builds. The first rule that holds counts: put the special one first."
            )
        subjects = {subject for subject, _ in rule.conditions}
        if ("event", _PULL_REQUEST) in rule.conditions and subjects & {"tag", "branch"}:
            raise ValueError(
                f"holds {rule.text!r}, which can never apply: on a pull request, tag and branch never hold."
            )
    return rules


def _always_before(first: Rule, second: Rule) -> bool:
    """Tell whether the first rule holds wherever the second one does."""
    return all(
        any(subject == other and _covers(pattern, narrower) for other, narrower in second.conditions)
        for subject, pattern in first.conditions
    )


def _covers(wide: str, narrow: str) -> bool:
    """Tell whether a pattern surely matches all that another one does; where it says no, it may."""
    # A `*` of the narrow one is matched by a `*` only, a `?` by any wildcard.
    expression = "".join({"*": ".*", "?": "[^*]"}.get(character, re.escape(character)) for character in wide)
    return re.fullmatch(re.sub(r"(?:\.\*)+", ".*", expression), narrow, re.DOTALL) is not None


def choose(rules: tuple[Rule, ...], build: Build) -> Choice | None:
    """Return the policy of the first rule that holds; `None` where none does."""
    for rule in rules:
        found = [(subject, getattr(build, subject), pattern) for subject, pattern in rule.conditions]
        if all(value is not None and _matches(pattern, value) for _, value, pattern in found):
            reason = ", ".join(f"{subject} is {value}" for subject, value, _ in found)
            return Choice(policy=rule.policy, rule=rule.text, reason=reason or "no rule above it holds")
    return None


def _rule(text: str) -> Rule:
    left, _, policy = text.rpartition(":")
    words = left.split()
    if not _SLUG.fullmatch(policy.strip()):
        raise ValueError(f"holds {text!r}, which is not a rule: {_FORM}")
    if words == ["*"]:
        return Rule(text=text, conditions=(), policy=policy.strip())
    subjects, patterns = words[::2], words[1::2]
    if not words or len(subjects) != len(patterns) or not set(subjects) <= set(_SUBJECTS):
        raise ValueError(f"holds {text!r}, which is not a rule: {_FORM}")
    return Rule(text=text, conditions=tuple(zip(subjects, patterns, strict=True)), policy=policy.strip())


def _matches(pattern: str, value: str) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, value, re.DOTALL) is not None
