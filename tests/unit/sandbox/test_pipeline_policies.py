"""Pipeline policies of both generations, and what comes of a violation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from signpath_ci.sandbox.config import PipelinePolicy, Ruleset, Run, Runner
from signpath_ci.sandbox.pipeline_policies import evaluate
from tests.support.sandboxes import CONFIGURATION, ORGANIZATION, Client, problem, serving

HOSTED = Runner(group="GitHub Actions", is_hosted=True)
RULES = (
    {"type": "non_fast_forward"},
    {"type": "pull_request", "parameters": {"required_approving_review_count": 2, "require_code_owner_review": True}},
    {
        "type": "code_scanning",
        "parameters": {"code_scanning_tools": [{"tool": "CodeQL", "alerts_threshold": "errors_and_warnings"}]},
    },
)
RUN = replace(
    CONFIGURATION.runs[0],
    runners=(HOSTED,),
    rulesets=(Ruleset(rules=RULES, last_modified="2026-01-01T00:00:00+00:00"),),
    repository_created="2026-02-01T00:00:00+00:00",
)


def _build(**policies: Any) -> dict[str, Any]:
    return {"github-build-policies": {"version": "1.0", **policies}}


def _scm(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"github-scm-policies": {"version": "1.0", "ruleset_constraints": [{"rules": list(rules), **more}]}}


def _old(**sections: Any) -> dict[str, Any]:
    return {"github-policies": sections}


def _reviews(count: int) -> dict[str, Any]:
    return {"type": "pull_request", "parameters": {"required_approving_review_count": count}}


@pytest.mark.parametrize(
    ("document", "changes", "expected"),
    [
        (_build(), {}, ()),
        (_build(disallow_reruns=True), {"attempt": 2}, ("Re-runs are not allowed",)),
        (_build(disallow_reruns=True), {"attempt": 1}, ()),
        (_build(), {"attempt": 5}, ("at most 3 re-runs",)),
        (_build(runners={"require_github_hosted": True}), {"runners": (Runner(group="own", is_hosted=False),)},
         ("self-hosted",)),
        (_build(runners={"allowed_groups": ["own"]}), {}, ("'GitHub Actions', which is not allowed",)),
        (_build(branch_rulesets=[]), {}, ("unknown key branch_rulesets",)),
        (_scm({"type": "non_fast_forward"}), {}, ()),
        (_scm({"type": "deletion"}), {}, ("meets the rule deletion",)),
        (_scm({"type": "nonsense"}), {}, ("meets the rule nonsense",)),
        (_scm(_reviews(2)), {}, ()),
        (_scm(_reviews(3)), {}, ("meets the rule pull_request",)),
        (_scm({"type": "pull_request", "parameters": {"require_code_owner_review": False}}), {}, ("pull_request",)),
        (_scm({"type": "code_scanning", "parameters": {
            "code_scanning_tools": [{"tool": "CodeQL", "alerts_threshold": "errors"}]}}), {}, ()),
        (_scm({"type": "code_scanning", "parameters": {
            "code_scanning_tools": [{"tool": "CodeQL", "alerts_threshold": "all"}]}}), {}, ("code_scanning",)),
        (_scm({"type": "deletion"}), {"rulesets": (), "branch": "v1.7.4"},
         ("There are no rulesets applicable to the current branch 'v1.7.4'",)),
        (_scm({"type": "non_fast_forward"}), {"rulesets": (Ruleset(rules=RULES, has_bypass_actors=True),)},
         ("non_fast_forward",)),
        (_scm({"type": "non_fast_forward"}, allow_bypass_actors=True),
         {"rulesets": (Ruleset(rules=RULES, has_bypass_actors=True),)}, ()),
        (_scm({"type": "non_fast_forward"}, enforced_from="EARLIEST"), {}, ()),
        (_scm({"type": "non_fast_forward"}, enforced_from="2025-12-31T00:00:00Z"), {}, ("enforced from 2025-12-31",)),
        (_old(build={"disallow_reruns": True}), {"attempt": 2}, ("Re-runs are not allowed",)),
        (_old(runners={"require_github_hosted": True}), {}, ()),
        (_old(branch_rulesets=[{"condition": {"rules": {"block_force_pushes": True}}}]), {}, ()),
        (_old(branch_rulesets=[{"condition": {"rules": {"require_pull_request": {"min_required_approvals": 3}}}}]), {},
         ("pull_request",)),
        (_old(branch_rulesets=[{"condition": {"rules": {"restrict_deletions": True}}, "allow_bypass_actors": True}]),
         {}, ("deletion",)),
        (_old(branch_rulesets=[{"condition": {"rules": {"nonsense": True}}}]), {}, ("there is no rule nonsense",)),
        (_old(branch_rulesets=[1]), {}, ("is not valid",)),
        ({}, {}, ("Missing github-policies section",)),
        ([], {}, ("Missing github-policies section",)),
    ],
)  # fmt: skip
def test_what_a_run_violates(document: object, changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    found = evaluate(document, replace(RUN, **changes))

    assert len(found) == len(expected), found
    assert all(words in violation.error for words, violation in zip(expected, found, strict=True))
    assert all(violation.how_to_fix for violation in found)


def _sandbox(tmp_path: Path, document: object, *, is_enforced: bool) -> Iterator[Client]:
    policy = PipelinePolicy(name="policy.yml", document=document, is_enforced=is_enforced)
    project = CONFIGURATION.projects[0]
    policies = tuple(replace(each, pipeline_policies=(policy,)) for each in project.signing_policies)
    runs: tuple[Run, ...] = (RUN,)
    configuration = replace(CONFIGURATION, projects=(replace(project, signing_policies=policies),), runs=runs)
    with serving(tmp_path, configuration) as client:
        path = client.artifact_store / "github" / "7.zip"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"MZ")
        yield client


@pytest.mark.parametrize(
    ("is_enforced", "rule", "status", "result"),
    [(True, "deletion", "Denied", "Failed"), (False, "deletion", "Completed", "Information"),
     (True, "non_fast_forward", "Completed", "Passed")],
)  # fmt: skip
def test_an_enforced_policy_denies_and_another_is_written_down(
    tmp_path: Path, is_enforced: bool, rule: str, status: str, result: str
) -> None:
    for sandbox in _sandbox(tmp_path, _scm({"type": rule}), is_enforced=is_enforced):
        answer = sandbox.post(
            f"/connectors/github/{ORGANIZATION}/SigningRequests?api-version=1.0",
            json={
                "artifactId": "7",
                "gitHubWorkflowRunId": "42",
                "gitHubRepository": "acme/app",
                "gitHubToken": "t",
                "signPathProjectSlug": "app",
                "signPathSigningPolicySlug": "test-signing",
            },
        ).json()

        request_id = answer["signingRequestId"]
        assert sandbox.wait(request_id)["status"] == status
        page = sandbox.get(f"/web/{ORGANIZATION}/SigningRequests/{request_id}", token=None).text
        assert f'">{result}</span><div><b>Pipeline policy policy.yml</b>' in page
        errors = [log["message"] for log in answer["logs"] if log["level"] == "Error"]
        assert bool(errors) == (status == "Denied")
        if status == "Denied":
            assert sandbox.listed(request_id)["times_signed"] == 0
            assert problem(sandbox.get(f"{request_id}/SignedArtifact"))[0] == 400
