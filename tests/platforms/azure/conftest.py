"""A sandbox, the extension as it is packed, and an agent with a checkout that holds something to sign."""

from __future__ import annotations

import os
import sys
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tools.azure_extension import pack
from tools.azure_tasks import AZURE, TASKS

from tests.platforms.azure.agent import Agent
from tests.platforms.azure.expander import expand_pipeline
from tests.platforms.sandboxes import known_request, root, sandbox_of
from tests.support.needs import find, reason
from tests.support.pe import LAUNCHERS

API_TOKEN = "api-token-2e9c41b7"
AZURE_TOKEN = "system-access-token-93f0aa15"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ORGANIZATION = "0a8f3a52-3c2c-4d4e-9a51-0f0b6f5f8a11"
SECRETS = (API_TOKEN, AZURE_TOKEN)
_CONFIGURATION = f"""
organization: {{id: {ORGANIZATION}}}
api_tokens:
  - {{name: ci, token: {API_TOKEN}}}
projects:
  - slug: app
    repository_url: https://dev.azure.com/acme/project/_git/app
    signing_policies:
      - {{slug: test-signing, certificate: test-signing}}
      - {{slug: release-signing, certificate: release-signing, origin_verification: true, allowed_branches: [main]}}
      - {{slug: approved-signing, certificate: release-signing, required_approvals: 1}}
  - slug: my-app
    signing_policies:
      - {{slug: test-signing, certificate: test-signing}}
      - {{slug: release-signing, certificate: release-signing}}
runs:
  - platform: azure
    id: "42"
    repository_url: https://dev.azure.com/acme/project/_git/app
    branch: main
    commit: {COMMIT}
    build_url: https://dev.azure.com/acme/project/_build/results?buildId=42
"""


@dataclass(frozen=True)
class SandboxService:
    """The running sandbox: what it says of itself, and where it takes Azure's artifacts from."""

    said: dict[str, Any]
    store: Path

    @property
    def root(self) -> str:
        """The base of its own routes."""
        return root(self.said)

    def request(self, request_id: str) -> dict[str, Any]:
        """Return what the sandbox knows of a request."""
        return known_request(self.said, request_id)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxService]:
    directory = tmp_path_factory.mktemp("azure-sandbox")
    with sandbox_of(directory, _CONFIGURATION, "--artifact-store", str(directory)) as said:
        yield SandboxService(said, directory / "azure")


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The core as a zipapp of what lies here; what it imports comes from the Python that these tests run in."""
    directory = tmp_path_factory.mktemp("azure-core")
    package = AZURE.parent / "src" / "signpath_ci"
    main = "import sys\nfrom signpath_ci.__main__ import main\nsys.exit(main())\n"
    with zipfile.ZipFile(directory / "signpath-ci.pyz", "w") as archive:
        archive.writestr("__main__.py", main)
        for path in package.rglob("*"):
            if path.suffix != ".pyc":
                archive.write(path, path.relative_to(package.parent))
    return directory / "signpath-ci.pyz"


@dataclass(frozen=True)
class Extension:
    """The packed extension, and the tasks as the agent unpacks them, by `Name@Version`."""

    path: Path
    directory: Path

    @property
    def tasks(self) -> dict[str, Path]:
        """The directories of its tasks."""
        return {f"{task}@4": self.directory / "tasks" / task for task in TASKS}


@pytest.fixture(scope="session")
def extension(tmp_path_factory: pytest.TempPathFactory, core: Path) -> Extension:
    if find("tfx") is None:
        pytest.skip(reason("tfx"))
    directory = tmp_path_factory.mktemp("azure-extension")
    path = pack(core, directory, staging=directory / "staging")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(directory / "unpacked")
    return Extension(path, directory / "unpacked")


@pytest.fixture
def agent(tmp_path: Path, sandbox: SandboxService) -> Agent:
    """An agent that works on a build of `main`, in a checkout with the file that was built."""
    sources, temp = tmp_path / "sources", tmp_path / "temp"
    for directory in (sources, temp):
        directory.mkdir()
    (sources / "app.exe").write_bytes(LAUNCHERS["x64"].read_bytes() + uuid.uuid4().bytes)
    inherited = {name: text for name, text in os.environ.items() if name.startswith("COVERAGE_")}
    return Agent(
        directory=sources,
        temp=temp,
        store=sandbox.store,
        environment={
            **inherited,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "TF_BUILD": "True",
        },
        secrets={"SIGNPATH_API_TOKEN": API_TOKEN, "System.AccessToken": AZURE_TOKEN},
        connections={
            "signpath": {
                "url": f"{sandbox.root}/connectors/azure",
                "data": {"organizationId": ORGANIZATION, "apiUrl": sandbox.said["api_url"]},
                "authorization": {"scheme": "Token", "parameters": {"apitoken": API_TOKEN}},
            },
            "SystemVssConnection": {
                "authorization": {"scheme": "OAuth", "parameters": {"AccessToken": AZURE_TOKEN}},
            },
        },
        variables={
            "Build.BuildId": "42",
            "Build.BuildNumber": "20260901.1",
            "Build.Repository.Uri": "https://dev.azure.com/acme/project/_git/app",
            "Build.Repository.Provider": "TfsGit",
            "Build.SourceBranch": "refs/heads/main",
            "Build.SourceVersion": COMMIT,
            "Build.Reason": "IndividualCI",
            "System.TeamProject": "project",
            "System.TeamProjectId": "3b1c1c1e-0000-4000-8000-000000000007",
            "System.CollectionUri": f"{sandbox.root}/ci/azure/",
            "System.TeamFoundationCollectionUri": f"{sandbox.root}/ci/azure/",
            "System.JobAttempt": "1",
            "System.DefinitionId": "9",
            "Build.SourcesDirectory": str(sources),
            "Pipeline.Workspace": str(tmp_path / "workspace"),
        },
    )


Step = Callable[..., dict[str, Any]]


@pytest.fixture
def task(agent: Agent, extension: Extension, sandbox: SandboxService) -> Step:
    """Return a step that runs one of the tasks in the sandbox; an input that is `None` is not given."""
    agent.tasks = extension.tasks

    def step(name: str, **inputs: str | None) -> dict[str, Any]:
        given = {
            "serviceConnectionName": "signpath",
            "signingPolicySlug": "test-signing",
            "trustRoot": str(sandbox.said["trust_root"]),
            **({"projectSlug": "app"} if name == "SubmitSigningRequest" else {}),
            **inputs,
        }
        if name == "GetSignedArtifact":
            given["signingPolicySlug"] = None
        kept = {key: text for key, text in given.items() if text is not None}
        return {"task": f"{name}@4", "name": "signpath", "inputs": kept}

    return step


Steps = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def template(core: Path, sandbox: SandboxService) -> Steps:
    """Return the steps that a template makes of its parameters, for the sandbox."""

    def steps(name: str, **parameters: object) -> list[dict[str, Any]]:
        of_sandbox = {
            "organizationId": ORGANIZATION,
            "apiUrl": sandbox.said["api_url"],
            "trustRoot": str(sandbox.said["trust_root"]),
        }
        given = {
            "package": str(core),
            **({} if name == "check" else of_sandbox),
            **({} if name in {"check", "get-signed-artifact"} else {"signingPolicySlug": "test-signing"}),
            **({"projectSlug": "app"} if name == "sign" else {}),
            **parameters,
        }
        path = AZURE / "templates" / f"{name}.yml"
        made: list[dict[str, Any]] = expand_pipeline(path, variables={}, repositories={}, **given)["steps"]
        return made

    return steps
