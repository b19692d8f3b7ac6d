"""A sandbox in the background, and one that other machines may call, as its container starts it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import yaml

from signpath_ci.sandbox.config_file import read_configuration
from tests.support import http
from tests.support.in_process import run_in_process

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent"}


def _sandbox(directory: Path, *arguments: str, **more: str) -> tuple[int, str, str]:
    return run_in_process(["sandbox", *arguments], directory, {**ENVIRONMENT, **more})


def test_it_starts_in_the_background_and_is_stopped(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state"))
    code, out, err = _sandbox(tmp_path, "--detach", "--json", "--port", "0", *state)
    assert code == 0, err
    about = json.loads(out)
    try:
        assert http.get(about["web_url"], timeout=10).status_code == 200
        assert (tmp_path / "state" / "sandbox.json").stat().st_mode & 0o077 == 0
        again = _sandbox(tmp_path, "--detach", "--port", "0", *state)
        assert (again[0], "is running on" in again[2]) == (2, True)
    finally:
        stopped = _sandbox(tmp_path, "--stop", *state)
    assert stopped[0] == 0, stopped[2]
    with pytest.raises(requests.ConnectionError):
        http.get(about["web_url"], timeout=10)
    assert _sandbox(tmp_path, "--stop", *state)[0] == 2


def test_one_that_does_not_start_says_why(tmp_path: Path) -> None:
    config = tmp_path / "broken.yml"
    config.write_text("projects: 1", "utf-8")

    code, _, err = _sandbox(tmp_path, "--detach", "--state", str(tmp_path / "state"), "--config", str(config))

    assert code == 2
    assert "broken.yml" in err


def test_the_container_serves_names_that_are_allowed(tmp_path: Path) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    entry = json.loads(dockerfile.rpartition("ENTRYPOINT ")[2])
    assert entry[:2] == ["signpath-ci", "sandbox"]
    service = yaml.safe_load((ROOT / "compose.yaml").read_bytes())
    config = tmp_path / "sandbox.yml"
    config.write_text(service["configs"]["sandbox"]["content"], "utf-8")
    configuration = read_configuration(config)
    job = service["services"]["job"]["environment"]
    assert configuration.organization_id == job["SIGNPATH_ORGANIZATION_ID"]
    assert job["SIGNPATH_API_TOKEN"] in {user.token for user in configuration.users}
    assert configuration.project(job["SIGNPATH_PROJECT_SLUG"])

    arguments = [text.replace("/var/lib/sandbox", str(tmp_path / "state")) for text in entry[1:]]
    environment = {**ENVIRONMENT, "SIGNPATH_SANDBOX_ALLOW_HOST": "sandbox", "SIGNPATH_SANDBOX_CONFIG": str(config)}
    with subprocess.Popen(
        [sys.executable, "-m", "signpath_ci", *arguments, "--port", "0", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        try:
            about = json.loads(process.stdout.readline())
            port = about["api_url"].rpartition(":")[2].partition("/")[0]
            assert about["web_url"] == f"http://localhost:{port}/web"
            assert about["other_urls"] == [f"http://sandbox:{port}"]
            for host, status in (("sandbox", 200), ("elsewhere", 421)):
                answer = http.get(f"http://127.0.0.1:{port}/health", headers={"Host": host}, timeout=10)
                assert (host, answer.status_code) == (host, status)
        finally:
            process.terminate()
        assert "without login" in process.stderr.read()


def test_the_image_gets_the_files_that_it_copies() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    let_through = (ROOT / ".dockerignore").read_text("utf-8").split()

    for line in re.findall(r"^COPY (.+) \S+$", dockerfile, re.MULTILINE):
        for source in line.split():
            assert (ROOT / source).exists(), source
            assert f"!{source}" in let_through
