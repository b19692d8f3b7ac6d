"""A sandbox, a project's checkout with something to sign, and what a pipeline on GitLab knows of both."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipapp
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.platforms.gitlab.semantics import TEMPLATES, jobs, read_template
from tests.platforms.sandboxes import configuration, root, sandbox_of
from tests.support import http
from tests.support.pe import LAUNCHERS

API_TOKEN = "api-token-8f2d61c0"
GITLAB_TOKEN = "gitlab-token-5b7e90aa"
FARM_TOKEN = "farm-token-c41d77e2"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Project:
    """A checkout of a project on GitLab, and the sandbox that signs for it.

    Attributes:
        directory: the checkout.
        known: the variables of the project's settings, and those that GitLab predefines.
        sandbox: what the sandbox says of itself.
        core: the core as a zipapp.
    """

    directory: Path
    known: Mapping[str, str]
    sandbox: Mapping[str, Any]
    core: Path

    def inputs(self, **inputs: object) -> dict[str, object]:
        """Return inputs of any template that lead to the sandbox, and these."""
        return {
            "package": str(self.core),
            "api_url": self.sandbox["api_url"],
            "organization_id": self.sandbox["organization_id"],
            "trust_root": self.sandbox["trust_root"],
            **inputs,
        }

    def sign_inputs(self, **inputs: object) -> dict[str, object]:
        """Return inputs of `sign.yml` for the file `app.exe`, and these."""
        more = {"project_slug": "app", "signing_policy_slug": "test-signing", "artifact_path": "app.exe", **inputs}
        return self.inputs(**more)

    def job(self, template: str, inputs: Mapping[str, object]) -> tuple[str, dict[str, Any]]:
        """Return the one job that a template makes of its inputs, with its name."""
        [(name, job)] = jobs(read_template(TEMPLATES / f"{template}.yml"), inputs).items()
        return name, job

    def request(self, request_id: str) -> dict[str, Any]:
        """Return what the sandbox knows of a request."""
        url = f"{self.sandbox['api_url']}/v1/{self.sandbox['organization_id']}/SigningRequests/{request_id}"
        answer = http.get(url, headers={"Authorization": f"Bearer {API_TOKEN}"}, timeout=10)
        answer.raise_for_status()
        known: dict[str, Any] = answer.json()
        return known


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    text = configuration(api_token=API_TOKEN, system_token=FARM_TOKEN, repository="https://gitlab.com/acme/app")
    with sandbox_of(tmp_path_factory.mktemp("gitlab-sandbox"), text) as said:
        yield said


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The core as a zipapp of what lies here; what it imports comes from the Python that these tests run in."""
    directory = tmp_path_factory.mktemp("core")
    package = Path(__file__).parents[3] / "src" / "signpath_ci"
    shutil.copytree(package, directory / "app" / "signpath_ci", ignore=shutil.ignore_patterns("__pycache__"))
    main = "import sys\nfrom signpath_ci.__main__ import main\nsys.exit(main())\n"
    (directory / "app" / "__main__.py").write_text(main, "utf-8")
    zipapp.create_archive(directory / "app", directory / "signpath-ci.pyz")
    return directory / "signpath-ci.pyz"


@pytest.fixture
def known(tmp_path: Path, sandbox: dict[str, Any]) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "GITLAB_CI": "true",
        "CI_PROJECT_URL": "https://gitlab.com/acme/app",
        "CI_API_V4_URL": f"{root(sandbox)}/ci/gitlab/api/v4",
        "CI_PROJECT_ID": "7",
        "CI_PIPELINE_ID": "42",
        "CI_COMMIT_SHA": COMMIT,
        "CI_COMMIT_BRANCH": "main",
        "SIGNPATH_API_TOKEN": API_TOKEN,
        "SIGNPATH_GITLAB_ACCESS_TOKEN": GITLAB_TOKEN,
    }


@pytest.fixture
def project(tmp_path: Path, known: dict[str, str], sandbox: dict[str, Any], core: Path) -> Project:
    """A project whose checkout holds the file that a job before has built."""
    directory = tmp_path / "checkout"
    directory.mkdir()
    (directory / "app.exe").write_bytes(LAUNCHERS["x64"].read_bytes())
    return Project(directory, known, sandbox, core)


Git = Callable[..., None]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Run git in a directory, untouched by anybody's configuration."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}

    def run(directory: Path, *arguments: str) -> None:
        options = ["-c", "user.name=Dev", "-c", "user.email=dev@example.com", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *options, *arguments], cwd=directory, env=environment, check=True, capture_output=True)

    return run
