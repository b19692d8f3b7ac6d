"""`signpath-ci policy`, and rules that can never apply."""

from __future__ import annotations

import json

import pytest

from signpath_ci.settings.policy_rules import parse_rules
from tests.support.program import Program

RULES = "tag v*: release-signing\nbranch main event schedule: nightly\nbranch main: main-signing\n*: test-signing"


@pytest.mark.parametrize(
    ("arguments", "policy"),
    [
        (["--ref", "refs/tags/v1.0"], "release-signing"),
        (["--ref", "refs/heads/main"], "main-signing"),
        (["--ref", "refs/heads/main", "--event", "schedule"], "nightly"),
        (["--ref", "refs/pull/7/merge", "--event", "pull_request"], "test-signing"),
    ],
)
def test_the_policy_of_a_reference(program: Program, arguments: list[str], policy: str) -> None:
    said = program("policy", *arguments, "--json", SIGNPATH_SIGNING_POLICY_SLUG=RULES)
    assert said.code == 0, said.err
    assert json.loads(said.out)["policy"] == policy
    assert program("policy", *arguments, SIGNPATH_SIGNING_POLICY_SLUG=RULES).out.startswith(f"{policy} (by the rule")


def test_the_policy_of_this_build_and_what_is_no_rule(program: Program) -> None:
    build = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/app",
        "GITHUB_REF": "refs/tags/v2",
        "GITHUB_SHA": "0" * 40,
        "GITHUB_RUN_ID": "1",
        "GITHUB_EVENT_NAME": "push",
    }
    assert "release-signing" in program("policy", SIGNPATH_SIGNING_POLICY_SLUG=RULES, **build).out
    assert program("policy", SIGNPATH_SIGNING_POLICY_SLUG="only").out == "only (no rules are given)\n"
    assert program("policy", "--ref", "v1.0").code == 2
    missed = program("policy", "--ref", "refs/heads/x", SIGNPATH_SIGNING_POLICY_SLUG="tag v*: a")
    assert (missed.code, missed.error_code) == (2, "no-policy-rule")


@pytest.mark.parametrize(
    "text",
    [
        "*: test, tag v*: release",
        "tag v*: a, tag v1*: b",
        "tag v?: a, tag v1: b",
        "branch main: a, branch main event schedule: b",
        "branch main: a, branch main: b",
        "tag **: a, tag ?: b",
        "event pull_request branch main: a",
    ],
)
def test_a_rule_that_can_never_apply_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="can never apply"):
        parse_rules(text)


@pytest.mark.parametrize(
    "text",
    [
        "tag v1*: b, tag v*: a, *: c",
        "tag v?: a, tag v*: b",
        "branch main event schedule: b, branch main: a",
        "tag *: a, branch *: b",
        "event push: a, branch main: b",
    ],
)
def test_rules_that_can_apply(text: str) -> None:
    assert len(parse_rules(text)) == text.count(":")
