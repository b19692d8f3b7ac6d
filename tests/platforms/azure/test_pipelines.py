"""Whole pipelines: the examples, and the project's own."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tools.azure_tasks import AZURE, TASKS

from signpath_ci import __version__
from tests.platforms.azure.agent import Agent, Ran
from tests.platforms.azure.conftest import ORGANIZATION, Extension, SandboxService
from tests.platforms.azure.expander import expand_pipeline
from tests.platforms.azure.test_tasks import assert_no_secret
from tests.support.needs import find, needs

ROOT = AZURE.parent
EXAMPLES = ROOT / "examples" / "azure"
PIPELINES = [ROOT / "azure-pipelines.yml", *sorted(EXAMPLES.glob("*.yml"))]


@pytest.fixture
def project(agent: Agent, sandbox: SandboxService) -> Agent:
    """The agent, with a checkout as the examples expect it."""
    built = agent.directory.parent / "app.exe"
    (agent.directory / "app.exe").rename(built)
    (agent.directory / "signing").mkdir()
    shutil.copy(sandbox.said["trust_root"], agent.directory / "signing" / "root.pem")
    script(agent.directory / "build.sh", f"mkdir dist && cp {built} dist/")
    script(agent.directory / "release.sh", 'cp -R "$1" released && echo "$2" >released/notes.txt')
    return agent


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\nset -eu\n{text}\n", "utf-8")
    path.chmod(0o755)


def run(agent: Agent, path: Path, **parameters: object) -> list[Ran]:
    before = {"Build.SourceBranch": agent.variables["Build.SourceBranch"]}
    pipeline = expand_pipeline(path, variables=before, repositories={"signpath-ci": ROOT}, **parameters)
    done = agent.run_pipeline(pipeline)
    for ran in done:
        assert_no_secret(ran)
        assert ran.succeeded or ran.step.get("continueOnError"), ran.output
    return done


def check_released(agent: Agent, sandbox: SandboxService, *, policy: str) -> None:
    released = [path.name for path in (agent.directory / "released").rglob("*.exe")] if policy.startswith("rel") else []
    assert released == (["app.exe"] if policy == "release-signing" else [])
    [signed] = (agent.directory / "signed").rglob("app.exe")
    assert signed.stat().st_size > (agent.directory / "dist" / "app.exe").stat().st_size
    request_id = next(value for name, value in agent.variables.items() if name.endswith(".SigningRequestId"))
    request = sandbox.request(request_id)
    assert (request["status"], request["signing_policy_slug"]) == ("Completed", policy)
    if released:
        assert request["web_link"] in (agent.directory / "released" / "notes.txt").read_text("utf-8")


BUILDS = pytest.mark.parametrize(
    ("ref", "policy"), [("refs/heads/main", "test-signing"), ("refs/tags/v1.2.3", "release-signing")]
)


@pytest.mark.sample(1)
@BUILDS
def test_example_with_tasks(
    project: Agent, extension: Extension, sandbox: SandboxService, ref: str, policy: str
) -> None:
    connections = dict.fromkeys(("signpath-test", "signpath-release"), project.connections["signpath"])
    agent = replace(project, tasks=extension.tasks, connections={**project.connections, **connections})
    agent.variables["Build.SourceBranch"] = ref
    run(agent, EXAMPLES / "release-with-tasks.yml")
    check_released(agent, sandbox, policy=policy)


@pytest.mark.sample(1)
@BUILDS
def test_example_with_templates(project: Agent, core: Path, sandbox: SandboxService, ref: str, policy: str) -> None:
    project.variables |= {"Build.SourceBranch": ref, "SIGNPATH_ORGANIZATION_ID": ORGANIZATION}
    # The one difference: where SignPath is, and that the core is the one of this checkout.
    text = (EXAMPLES / "release-with-templates.yml").read_text("utf-8")
    line = "      projectSlug: my-app\n"
    assert text.count(line) == 1
    path = project.directory.parent / "pipeline.yml"
    path.write_text(
        text.replace(line, f"{line}      apiUrl: {sandbox.said['api_url']}\n      package: {core}\n"), "utf-8"
    )
    run(project, path)
    check_released(project, sandbox, policy=policy)


@pytest.mark.parametrize("path", [*sorted(EXAMPLES.glob("*-with-templates.yml")), ROOT / "docs" / "azure.md"])
def test_this_version_is_named(path: Path) -> None:
    assert re.findall(r"ref: refs/tags/v(.*)", path.read_text("utf-8")) == [__version__]


def test_own_pipeline(agent: Agent, core: Path, sandbox: SandboxService) -> None:
    """Its templates, with the sandbox of these tests in the place of the one that it starts."""
    names = ("api_url", "organization_id", "trust_root")
    agent.variables |= {f"sandbox.{name}": str(sandbox.said[name]) for name in names}
    agent.variables |= {"sandbox.project_slug": "app", "sandbox.signing_policy_slug": "test-signing"}
    pipeline = expand_pipeline(
        ROOT / "azure-pipelines.yml", variables={}, repositories={}, package=str(core), systems=["ubuntu-latest"]
    )
    [job] = next(stage for stage in pipeline["stages"] if stage["stage"] == "Templates")["jobs"]
    steps = [step for step in job["steps"] if step.get("displayName") != "Start a sandbox"]
    assert len(steps) == len(job["steps"]) - 1
    done = agent.run_job({"steps": steps})
    assert [ran.step.get("name") for ran in done if not ran.succeeded] == ["refused"], done[-1].output
    assert done[-1].step["displayName"] == "Check what came of it"


@pytest.mark.sample(4)
@needs("check-jsonschema")
@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.name)
@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/tags/v1.2.3"])
def test_schema(path: Path, ref: str, tmp_path: Path) -> None:
    """Microsoft's schema accepts what the templates make of it."""
    pipeline = expand_pipeline(path, variables={"Build.SourceBranch": ref}, repositories={"signpath-ci": ROOT})
    (tmp_path / "pipeline.yml").write_text(yaml.safe_dump(_as_azure_reads_it(pipeline)), "utf-8")
    how = [
        "--builtin-schema",
        "azure-pipelines",
        "--data-transform",
        "azure-pipelines",
        "--regex-variant",
        "nonunicode",
    ]
    command = [str(find("check-jsonschema")), *how, str(tmp_path / "pipeline.yml")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def _as_azure_reads_it(node: Any) -> Any:
    """Every scalar is a text to Azure. The schema knows no custom task: it is shown a script in its place."""
    if isinstance(node, dict):
        made = {str(key): _as_azure_reads_it(value) for key, value in node.items()}
        if "task" in node and "continueOnError" in node:
            made["continueOnError"] = node["continueOnError"]  # of tasks, and of nothing else, the schema wants no text
        if str(made.get("task", "")).removesuffix("@4") not in TASKS:
            return made
        return {"bash": "", **{key: text for key, text in made.items() if key not in {"task", "inputs"}}}
    if isinstance(node, list):
        return [_as_azure_reads_it(value) for value in node]
    return str(node).lower() if isinstance(node, bool) else str(node)
