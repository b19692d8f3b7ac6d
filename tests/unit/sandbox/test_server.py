"""The sandbox as a process of its own, with real signatures."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from signpath_ci.errors import UsageError
from signpath_ci.sandbox.server import listen
from signpath_ci.sandbox.store import Store
from tests.support import http
from tests.support.pe import LAUNCHERS
from tests.support.sandboxes import eventually

LAUNCHER = LAUNCHERS["x64"]

CONFIG = """
organization: {id: 0a8f3a52-3c2c-4d4e-9a51-0f0b6f5f8a11}
api_tokens:
  - {name: auditor, token: auditor-secret, may: [read]}
  - {name: ci, token: ci-secret, may: [submit]}
projects:
  - slug: app
    repository_url: https://github.com/acme/app
    signing_policies:
      - {slug: release-signing, certificate: acme-release, allowed_branches: [main], origin_verification: true}
runs:
  - {platform: github, id: "42", repository_url: "https://github.com/acme/app", branch: main, commit: 0a1b2c}
"""


@contextlib.contextmanager
def _process(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "signpath_ci", "sandbox", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield child, child.stdout.readline()
        finally:
            child.kill()


def _call(about: dict[str, Any], method: str, path: str, **more: Any) -> requests.Response:
    return http.request(
        method,
        f"{about['api_url']}/v1/{about['organization_id']}/SigningRequests{path}",
        headers={"Authorization": f"Bearer {about['api_token']}"},
        timeout=30,
        **more,
    )


def _submit(about: dict[str, Any]) -> str:
    fields = {
        "projectSlug": (None, about["project_slug"]),
        "signingPolicySlug": (None, about["signing_policy_slug"]),
        "artifact": ("t64.exe", LAUNCHER.read_bytes()),
    }
    return str(_call(about, "POST", "/SubmitWithArtifact", files=fields).json()["signingRequestId"])


def test_a_kill_in_the_midst_of_processing_loses_nothing(tmp_path: Path) -> None:
    from signpath_ci.model import Expectations
    from signpath_ci.verify import verify_file

    options = ("--json", "--state", str(tmp_path / "state"))
    with _process(*options, "--processing-seconds", "600") as (child, line):
        before = json.loads(line)
        request_id = _submit(before)
        child.send_signal(signal.SIGKILL)
        child.wait(10)

    with _process(*options, "--processing-seconds", "0") as (child, line):
        about = json.loads(line)
        changing = ("api_url", "web_url")
        assert {k: v for k, v in about.items() if k not in (*changing, "connectors")} == {
            k: v for k, v in before.items() if k not in (*changing, "connectors")
        }
        eventually(lambda: bool(_call(about, "GET", f"/{request_id}/Status").json()["isFinalStatus"]))
        signed = tmp_path / "signed.exe"
        signed.write_bytes(_call(about, "GET", f"/{request_id}/SignedArtifact").content)
        (listed,) = http.get(about["web_url"].replace("/web", "/sandbox/requests"), timeout=30).json()
        child.send_signal(signal.SIGTERM)
        assert child.communicate(timeout=10) == ("", "")
        assert child.returncode == 0

    assert (listed["status"], listed["times_signed"]) == ("Completed", 1)
    (verdict,) = verify_file(
        signed, unsigned=LAUNCHER, expectations=Expectations(trust_roots=(Path(about["trust_root"]),))
    )
    assert (verdict.identity, verdict.trust) == ("same", "root")


def test_a_configuration_file_and_an_artifact_store(tmp_path: Path) -> None:
    from signpath_ci.verify import verify_file

    config, store = tmp_path / "sandbox.yml", tmp_path / "store"
    config.write_text(CONFIG, "utf-8")
    (store / "github").mkdir(parents=True)
    with zipfile.ZipFile(store / "github" / "7.zip", "w") as archive:
        archive.write(LAUNCHER, "bin/app.exe")
    options = ("--config", str(config), "--artifact-store", str(store), "--processing-seconds", "0")

    with _process("--json", *options) as (_, line):
        about = json.loads(line)
        url = f"{about['connectors']['github_pipeline']}/{about['organization_id']}/SigningRequests"
        bearer = {"Authorization": f"Bearer {about['api_token']}"}
        payload = {
            "artifactId": "7",
            "gitHubWorkflowRunId": "42",
            "gitHubRepository": "acme/app",
            "gitHubToken": "x",
            "signPathProjectSlug": about["project_slug"],
            "signPathSigningPolicySlug": about["signing_policy_slug"],
        }
        submitted = http.post(f"{url}?api-version=1.0", json=payload, headers=bearer, timeout=30).json()
        one = f"{url}/{submitted['signingRequestId']}"
        status = partial(http.get, f"{one}/Status?api-version=1.0", headers=bearer, timeout=30)
        eventually(lambda: bool(status().json()["isFinalStatus"]))
        (tmp_path / "signed.zip").write_bytes(
            http.get(f"{one}/SignedArtifact?api-version=1.0", headers=bearer, timeout=30).content
        )

    base = about["api_url"].removesuffix("/Api")
    root = about.pop("trust_root")
    assert Path(root).name == "root.pem"
    assert about == {
        "api_url": f"{base}/Api",
        "organization_id": "0a8f3a52-3c2c-4d4e-9a51-0f0b6f5f8a11",
        "api_token": "ci-secret",
        "project_slug": "app",
        "signing_policy_slug": "release-signing",
        "web_url": f"{base}/web",
        "trusted_build_system_token": None,
        "artifact_store": str(store),
        "connectors": {
            "github": f"{base}/connectors/github",
            "github_pipeline": f"{base}/connectors/pipeline/GitHubActions/GitHubCom",
            "gitlab": f"{base}/connectors/gitlab",
            "azure": f"{base}/connectors/azure",
        },
        "other_urls": [],
    }
    with zipfile.ZipFile(tmp_path / "signed.zip") as archive:
        signed = Path(archive.extract("bin/app.exe", tmp_path))
    (verdict,) = verify_file(signed, unsigned=LAUNCHER)
    assert "acme-release" in verdict.signer.subject


def test_readable_lines_and_a_temporary_directory() -> None:
    with _process() as (child, line):
        assert child.stdout is not None
        lines = [line, *(child.stdout.readline() for _ in range(7))]
        exports = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines[2:])
        root = Path(exports["SIGNPATH_TRUST_ROOT"])
        assert root.is_file()
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == 0

    web_url = exports["SIGNPATH_API_URL"].replace("/Api", "/web")
    assert lines[0] == f"The sandbox is at {web_url} (Ctrl+C ends it). To use it:\n"
    assert sorted(exports) == [
        "SIGNPATH_API_TOKEN",
        "SIGNPATH_API_URL",
        "SIGNPATH_ORGANIZATION_ID",
        "SIGNPATH_PROJECT_SLUG",
        "SIGNPATH_SIGNING_POLICY_SLUG",
        "SIGNPATH_TRUST_ROOT",
    ]
    assert not root.parent.parent.exists()


def test_an_upload_under_way_does_not_hold_up_the_end() -> None:
    with _process("--json") as (child, line):
        about = json.loads(line)
        url = urlsplit(about["api_url"])
        with socket.create_connection((str(url.hostname), url.port or 0), timeout=10) as connection:
            path = f"{url.path}/v1/{about['organization_id']}/SigningRequests/SubmitWithArtifact"
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {about['api_token']}\r\n"
            more = (
                "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
            )
            connection.sendall(head.encode() + more.encode())
            assert connection.recv(12) == b"HTTP/1.1 100"
            child.send_signal(signal.SIGTERM)
            assert child.wait(5) == 0
            assert not Path(about["trust_root"]).exists()


def test_a_damaged_state_is_said(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")

    with _process("--state", str(tmp_path)) as (child, _):
        assert child.wait(10) == 2
        assert child.stderr is not None
        assert child.stderr.read().startswith(f"error: {tmp_path / 'secrets.json'} can't be used: ")


def test_a_taken_port_is_said() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(UsageError) as caught:
            listen("127.0.0.1", port)

    assert str(caught.value) == (
        f"127.0.0.1:{port} can't be listened on: Address already in use. "
        "Name another --host or --port; port 0 takes a free one."
    )


def test_a_state_directory_is_for_one_sandbox(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path)) as store:
        (half_received := store.incoming()).touch()
        with pytest.raises(UsageError) as caught:
            Store(tmp_path)

        assert half_received.exists()
    assert caught.value.message == f"The state directory {tmp_path} is used by another sandbox."
    Store(tmp_path).close()


def test_a_state_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("x")

    with _process("--state", str(tmp_path / "state")) as (child, _):
        assert child.stderr is not None
        message = child.stderr.read()
        assert child.wait(10) == 2

    assert message == (
        f"error: The state directory {tmp_path / 'state'} can't be made: File exists. "
        "Name another one with --state. [sandbox-unusable]\n"
    )
