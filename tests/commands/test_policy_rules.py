"""Rules instead of one policy, on a build of each kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.test_promote import _commit, _git, _job
from tests.support.program import Program

RULES = "tag v*: release-signing\nbranch main: test-signing\n"


@pytest.mark.parametrize(
    ("ref", "policy", "why"),
    [
        ("refs/tags/v1.0", "release-signing", "by the rule 'tag v*: release-signing': tag is v1.0."),
        ("refs/heads/main", "test-signing", "by the rule 'branch main: test-signing': branch is main."),
        ("refs/heads/topic", None, "No rule of --signing-policy-slug"),
        ("refs/pull/7/merge", None, "No rule of --signing-policy-slug"),
    ],
)
def test_the_build_chooses_the_policy(
    program: Program, executable: Path, ref: str, policy: str | None, why: str
) -> None:
    _git(program.directory, "init", "--quiet")
    job = _job(ref, _commit(program.directory))

    finished = program("submit", executable, "--receipt", "r.json", SIGNPATH_SIGNING_POLICY_SLUG=RULES, **job)

    assert why in finished.err
    if policy is None:
        assert finished.code == 2
    else:
        assert finished.code == 0, finished.err
        receipt = json.loads((program.directory / "r.json").read_text(encoding="utf-8"))
        assert receipt["signing_policy_slug"] == policy


def test_a_wrong_rule_is_said_at_once(program: Program, executable: Path) -> None:
    finished = program("sign", executable, "--signing-policy-slug", "main: release-signing")

    assert finished.code == 2
    assert "'main: release-signing', which is not a rule: write 'tag v*: slug'" in finished.error
