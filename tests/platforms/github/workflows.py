"""The workflows that the tests run, and what their steps need of the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.platforms.github.act import OURS, REF, pinned

Step = dict[str, Any]
TOKENS = {"API_TOKEN": "api-token-6b1e2f90", "SYSTEM_TOKEN": "system-token-c77a1d04", "JOB_TOKEN": "job-token-93ab07de"}
"""Given as variables of the repository, not as secrets: the runner would mask those, and hide that they leak."""


def workflow(*steps: Step, on: str = "push") -> dict[str, Any]:
    """Return a workflow of one job; what comes of a step `it` is recorded, also where it fails."""
    record: Step = {
        "if": "always()",
        "env": {"OUTPUTS": "${{ toJSON(steps.it.outputs) }}"},
        "run": 'printf \'%s\' "$OUTPUTS" >"$RECORD/outputs.json"; cp -R . "$RECORD/workspace"',
    }
    checkout: Step = {"uses": f"actions/checkout@{pinned('actions/checkout')}"}
    return {"on": on, "jobs": {"sign": {"runs-on": "ubuntu-latest", "steps": [checkout, *steps, record]}}}


def use(action: str, sandbox: Mapping[str, Any], given: Mapping[str, str], *, step: str = "it") -> Step:
    """Return a step that uses one of our actions with the sandbox."""
    known = {
        "organization-id": sandbox["organization_id"],
        "api-token": "${{ vars.API_TOKEN }}",
        "trust-root": sandbox["trust_root"],
    }
    if action in {"sign", "submit-signing-request"}:
        connector = sandbox["connectors"]["github_pipeline"]
        known |= {"connector-url": connector, "project-slug": "app", "github-token": "${{ vars.JOB_TOKEN }}"}
    if action != "get-signed-artifact":
        known["signing-policy-slug"] = "test-signing"
    if action != "sign":
        known["api-url"] = sandbox["api_url"]
    return {"id": step, "uses": f"{OURS}/actions/{action}@{REF}", "with": {**known, **given}}


def upload(path: str) -> Step:
    """Return a step that uploads an unsigned artifact."""
    reference = f"actions/upload-artifact@{pinned('actions/upload-artifact')}"
    return {"id": "upload", "uses": reference, "with": {"name": "unsigned", "path": path}}
