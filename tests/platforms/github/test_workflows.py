"""Our own workflow that tests the actions on GitHub, run here; and its connector, which fetches from GitHub's API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import requests

from tests.e2e.servers import serving
from tests.platforms.github.act import ROOT, Repository, needs

SERVE = ROOT / ".github" / "actions" / "sandbox" / "serve.py"
needs_checkout = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the files of a checkout are listed by git")


@needs_checkout
@needs("act")
def test_the_workflow_for_all_systems_succeeds_on_this_one(tmp_path: Path, home: Path) -> None:
    """With the core from the checkout, installed as on a user's machine."""
    checkout = tmp_path / "checkout"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    known = {name: text for name, text in os.environ.items() if name.startswith("PIP_")}
    repository = Repository(checkout, ROOT, home, {**known, "ARTIFACT_STORE": str(tmp_path / "artifacts")})

    result = repository.run(
        (ROOT / ".github" / "workflows" / "actions.yml").read_text("utf-8"),
        matrix={"system": "ubuntu-latest", "core": "checkout"},
    )

    assert result.code == 0, result.log
    # The three steps that must fail say why.
    refused, unsignable, unexpected = result.errors
    assert "unknown" in refused
    assert "ended as Failed" in unsignable
    assert "Somebody Else" in unexpected


def test_the_workflow_s_connector_fetches_artifacts_from_github(tmp_path: Path) -> None:
    asked: list[tuple[str, str | None]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append((handler.path, handler.headers["Authorization"]))
        content = b"PK\x05\x06" + bytes(18)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    with serving(answer) as github:
        environment = {**os.environ, "GITHUB_API_URL": github}
        command = [sys.executable, str(SERVE), str(tmp_path / "state")]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                sandbox = json.loads(process.stdout.readline())
                fields = {
                    "artifactId": "17",
                    "gitHubWorkflowRunId": "42",
                    "gitHubRepository": "acme/app",
                    "gitHubToken": "job-token",
                    "signPathProjectSlug": sandbox["project_slug"],
                    "signPathSigningPolicySlug": sandbox["signing_policy_slug"],
                }
                submitted = requests.post(
                    f"{sandbox['connector_url']}/{sandbox['organization_id']}/SigningRequests?api-version=1.0",
                    json=fields,
                    headers={"Authorization": f"Bearer {sandbox['api_token']}"},
                    timeout=30,
                )
            finally:
                process.terminate()

    assert submitted.status_code == 200, submitted.text
    assert asked == [("/repos/acme/app/actions/artifacts/17/zip", "Bearer job-token")]
