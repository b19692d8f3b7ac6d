from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.settings.policy_rules import Build, Choice, Rule, are_rules, choose, parse_rules

RULES = """
tag v*: release-signing
branch main event schedule: nightly-signing
branch main: main-signing, branch release/?.x: release-signing
*: test-signing
"""


@pytest.mark.parametrize(
    ("build", "policy", "reason"),
    [
        (Build(tag="v1.2"), "release-signing", "tag is v1.2"),
        (Build(tag="1.2"), "test-signing", "no rule above it holds"),
        (Build(branch="main", event="schedule"), "nightly-signing", "branch is main, event is schedule"),
        (Build(branch="main", event="push"), "main-signing", "branch is main"),
        (Build(branch="release/1.x"), "release-signing", "branch is release/1.x"),
        (Build(branch="release/10.x"), "test-signing", "no rule above it holds"),
        (Build(branch="Main"), "test-signing", "no rule above it holds"),
        (Build(branch="not-main"), "test-signing", "no rule above it holds"),
        (Build(branch="main\nmore"), "test-signing", "no rule above it holds"),
        (Build(event="pull_request"), "test-signing", "no rule above it holds"),
        (Build(), "test-signing", "no rule above it holds"),
    ],
)
def test_the_first_rule_that_holds_counts(build: Build, policy: str, reason: str) -> None:
    choice = choose(parse_rules(RULES), build)

    assert choice is not None
    assert (choice.policy, choice.reason) == (policy, reason)


def test_the_choice_names_its_rule() -> None:
    assert choose(parse_rules("tag v*: a, *: b"), Build(tag="v1")) == Choice(
        policy="a", rule="tag v*: a", reason="tag is v1"
    )


def test_there_may_be_no_choice() -> None:
    assert choose(parse_rules("tag *: a"), Build(branch="main")) is None


def test_rules_are_read_as_written() -> None:
    assert parse_rules("branch a/* event push :x") == (
        Rule(text="branch a/* event push :x", conditions=(("branch", "a/*"), ("event", "push")), policy="x"),
    )


@pytest.mark.parametrize(
    "text",
    [":", "main: a", "tag: a", "tag v* branch: a", "* *: a", "* tag v1: a", "tag v1:", "tag v1: a b", ": a", ",", "\n"],
)
def test_what_is_no_rule_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"no rule|not a rule"):
        parse_rules(text)


@given(st.text(alphabet="tagbrnchev *?:,\n[](\\.", max_size=40), st.text(max_size=10))
def test_any_text_is_rules_or_an_error(text: str, name: str) -> None:
    with contextlib.suppress(ValueError):
        for rule in parse_rules(text):
            choose((rule,), Build(tag=name, branch=name, event=name))


@given(st.text(alphabet="abc.[]()^$\\|+{}", min_size=1, max_size=8))
def test_only_two_characters_of_a_pattern_are_special(name: str) -> None:
    assert choose((Rule(text="", conditions=(("tag", name),), policy="a"),), Build(tag=name)) is not None
    assert choose((Rule(text="", conditions=(("tag", name),), policy="a"),), Build(tag=name + "x")) is None


def test_a_slug_is_no_rule() -> None:
    assert not are_rules("release-signing")
