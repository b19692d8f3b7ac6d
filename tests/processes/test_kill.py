"""A run that is killed anywhere, again and again, and run again: one signature for one input, and none is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tests
from tests.support.sandboxes import ORGANIZATION, serving

ROOT = Path(tests.__file__).parents[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork, and no SIGKILL")
def test_never_two_signed_requests_for_one_input_and_never_a_lost_one(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    with serving(tmp_path) as sandbox:
        finished = subprocess.run(
            [sys.executable, "-m", "tests.processes.kill_points", str(runs)],
            cwd=ROOT,
            env={
                **os.environ,
                "SIGNPATH_API_URL": f"{sandbox.root}/Api",
                "SIGNPATH_API_TOKEN": "ci-token",
                "SIGNPATH_ORGANIZATION_ID": ORGANIZATION,
                "SIGNPATH_PROJECT_SLUG": "app",
                "SIGNPATH_SIGNING_POLICY_SLUG": "test-signing",
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        listed = sandbox.get("/sandbox/requests", token=None).json()

    ends = [json.loads(line) for line in finished.stdout.splitlines()]
    assert len(ends) > 30, "there are fewer points than a run has writes and calls"
    assert ends[-1]["codes"][0] == 0, "the last run was not killed: every point had its turn"
    for end in ends:
        requests = [found for found in listed if found["unsigned_sha256"] == end["sha256"]]
        assert end["last"] == 0, end
        assert [(found["times_signed"], found["status"]) for found in requests] == [(1, "Completed")], end
        assert requests[0]["id"] == end["receipt"]["signing_request_id"], end
        assert requests[0]["signed_sha256"] == end["signed_sha256"], end
        assert end["receipt"]["submitted"] is not None, end
        assert end["files"] == ["app.bin", "receipt.json", "signed.bin"], end
