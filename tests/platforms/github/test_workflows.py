"""Our own workflow that tests the actions on GitHub, run here; and its connector, which fetches from GitHub's API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from signpath_ci import __version__
from tests.platforms.github.act import Repository
from tests.platforms.github.conftest import script
from tests.platforms.github.workflows import TOKENS, use, workflow
from tests.support import http
from tests.support.needs import ROOT, needs
from tests.support.pe import LAUNCHERS
from tests.support.servers import serving

SERVE = ROOT / ".github" / "actions" / "sandbox" / "serve.py"
needs_checkout = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the files of a checkout are listed by git")


def _ours(directory: Path, home: Path) -> Repository:
    """Return a repository with this project's files as they are."""
    checkout = directory / "checkout"
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    known = {name: text for name, text in os.environ.items() if name.startswith("PIP_")}
    return Repository(checkout, ROOT, home, known)


def _text(workflow: str) -> str:
    return (ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text("utf-8")


@pytest.mark.full
@needs_checkout
@needs("act")
def test_the_workflow_for_all_systems_succeeds_on_this_one(tmp_path: Path, home: Path) -> None:
    """With the core from the checkout, installed as on a user's machine."""
    repository = _ours(tmp_path, home)

    result = repository.run(
        _text("actions"),
        matrix={"system": "ubuntu-latest", "core": "checkout"},
        environment={"ARTIFACT_STORE": str(tmp_path / "artifacts")},
    )

    assert result.code == 0, result.log
    # The three steps that must fail say why.
    refused, unsignable, unexpected = result.errors
    assert "unknown" in refused
    assert "ended as Failed" in unsignable
    assert "Somebody Else" in unexpected


@pytest.mark.full
@needs_checkout
@needs("act")
def test_a_release_carries_the_core_in_its_tag(
    tmp_path: Path, home: Path, zipapp: Path, sandbox: dict[str, Any]
) -> None:
    bare, programs = tmp_path / "bare", tmp_path / "bin"
    subprocess.run(["git", "init", "--bare", bare], check=True, capture_output=True)
    script(programs / "make", f'#!/bin/sh\nmkdir dist && cp "{zipapp}" dist/\n')
    script(programs / "gh", '#!/bin/sh\nprintf "%s\\n" "$*" >>"$RECORD/gh"\n')
    pushed_to = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{bare}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/acme/app",
    }

    result = _ours(tmp_path, home).run(
        _text("release"), event="workflow_dispatch", environment=pushed_to, first_on_path=programs
    )

    assert result.code == 0, result.log
    tag = f"v{__version__}"
    assert (result.record / "gh").read_text("utf-8").splitlines() == [
        "auth setup-git",
        f"release create {tag} dist/signpath-ci.pyz --verify-tag --generate-notes",
    ]
    released = tmp_path / "released"
    subprocess.run(["git", "clone", "--branch", tag, bare, released], check=True, capture_output=True)
    assert (released / "bootstrap" / "signpath-ci.pyz").read_bytes() == zipapp.read_bytes()
    # It is used at this tag like any other action.
    user = Repository(tmp_path / "app", released, home, {})
    user.directory.mkdir()
    shutil.copyfile(LAUNCHERS["x64"], user.directory / "app.exe")
    used = user.run(workflow(use("submit-signing-request", sandbox, {"artifact-path": "app.exe"})), variables=TOKENS)
    assert used.code == 0, used.log


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
                submitted = http.post(
                    f"{sandbox['connector_url']}/{sandbox['organization_id']}/SigningRequests?api-version=1.0",
                    json=fields,
                    headers={"Authorization": f"Bearer {sandbox['api_token']}"},
                    timeout=30,
                )
            finally:
                process.terminate()

    assert submitted.status_code == 200, submitted.text
    assert asked == [("/repos/acme/app/actions/artifacts/17/zip", "Bearer job-token")]
