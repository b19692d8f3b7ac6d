"""Releases that take more than one run: the examples, with the tasks and with the templates."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tools.azure_tasks import AZURE

from tests.platforms.azure.agent import Agent, Ran
from tests.platforms.azure.conftest import API_TOKEN, ORGANIZATION, Extension, SandboxService
from tests.platforms.azure.expander import expand_pipeline
from tests.platforms.azure.test_pipelines import script
from tests.platforms.azure.test_tasks import assert_no_secret
from tests.platforms.sandboxes import configuration, sandbox_of
from tests.platforms.story import Approver, build, demand_promoted, demand_signed
from tests.support.oracles import needs_osslsigncode

pytestmark = needs_osslsigncode
EXAMPLES = AZURE.parent / "examples" / "azure"
FARM_TOKEN = "farm-token-e27719ab"
# Azure's program: it knows one run, of any commit.
_AZ = """#!{python}
import os, pathlib, sys

assert sys.argv[1:4] == ["pipelines", "runs", "list"]
assert f"[?sourceVersion=='{{os.environ['BUILD_SOURCEVERSION']}}'] | [0].id" in sys.argv
print("7" if pathlib.Path({candidate!r}).exists() else "", end="")
"""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxService]:
    """In the place of the one of other tests: here releases are approved."""
    directory = tmp_path_factory.mktemp("azure-stories")
    repository = "https://dev.azure.com/acme/project/_git/app"
    text = configuration(api_token=API_TOKEN, system_token=FARM_TOKEN, repository=repository)
    with sandbox_of(directory, text, "--artifact-store", str(directory)) as said:
        yield SandboxService(said, directory / "azure")


@dataclass
class Project:
    """A checkout as the examples expect it, and the runs of its pipeline."""

    agent: Agent
    sandbox: SandboxService
    core: Path
    unsigned: Path
    approver: Approver
    kept: Path
    variables: dict[str, str] = field(default_factory=dict)

    def commit(self) -> None:
        """Commit what there is, to `main`."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--message", "A commit")
        self.variables["Build.SourceVersion"] = self._git("rev-parse", "HEAD")

    def run(
        self, name: str, ref: str, *, stage: str | None = None, approve: bool = False, attempt: int = 1
    ) -> list[Ran]:
        """Run an example for the commit, or one stage of it."""
        agent = self.agent
        self._git("clean", "-ffdx")  # a new run begins with nothing
        shutil.rmtree(agent.variables["Pipeline.Workspace"], ignore_errors=True)
        agent.variables |= {**self.variables, "Build.SourceBranch": ref, "System.JobAttempt": str(attempt)}
        agent.on_line = self.approver if approve else None
        path = agent.directory.parent / name
        # The one difference of the templates' way: where SignPath is, and that the core is the one of this checkout.
        line = "                  organizationId: $(SIGNPATH_ORGANIZATION_ID)\n"
        more = f"                  apiUrl: {self.sandbox.said['api_url']}\n                  package: {self.core}\n"
        path.write_text((EXAMPLES / name).read_text("utf-8").replace(line, line + more), "utf-8")
        before = {"Build.SourceBranch": ref}
        pipeline = expand_pipeline(path, variables=before, repositories={"signpath-ci": AZURE.parent})
        pipeline["stages"] = [one for one in pipeline["stages"] if stage in (None, one["stage"])]
        done = agent.run_pipeline(pipeline)
        for ran in done:
            assert_no_secret(ran)
            assert FARM_TOKEN not in ran.output.replace(f"##vso[task.setsecret]{FARM_TOKEN}", "")
        return done

    def _git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
        command = ["git", *identity, *arguments]
        return subprocess.run(
            command, cwd=self.agent.directory, check=True, capture_output=True, text=True
        ).stdout.strip()


@pytest.fixture
def project(agent: Agent, sandbox: SandboxService, core: Path, extension: Extension, tmp_path: Path) -> Project:
    (agent.directory / "app.exe").unlink()
    build(tmp_path / "app.exe")
    (agent.directory / "signing").mkdir()
    shutil.copy(sandbox.said["trust_root"], agent.directory / "signing" / "root.pem")
    kept = tmp_path / "kept"
    kept.mkdir()
    script(agent.directory / "build.sh", f"mkdir dist && cp {tmp_path}/app.exe dist/")
    script(agent.directory / "test.sh", f'! cmp "$1" {tmp_path}/app.exe && cp "$1" {kept}/tested.exe')
    script(agent.directory / "release.sh", f'cp "$1/app.exe" {kept}/released.exe && echo "$2" >{kept}/notes.txt')
    az = _AZ.format(python=sys.executable, candidate=str(agent.store / "candidate.zip"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "az").write_text(az, "utf-8")
    (tmp_path / "bin" / "az").chmod(0o755)
    agent.environment = {**agent.environment, "PATH": f"{tmp_path / 'bin'}:{agent.environment['PATH']}"}
    agent.tasks = extension.tasks
    tokens = {"apitoken": API_TOKEN, "trustedbuildsystemtoken": FARM_TOKEN}
    connection = {**agent.connections["signpath"], "authorization": {"scheme": "Token", "parameters": tokens}}
    names = ("signpath-test", "signpath-release")
    agent.connections = {**agent.connections, **dict.fromkeys(names, connection)}
    agent.secrets = {**agent.secrets, "SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN": FARM_TOKEN}
    agent.variables["SIGNPATH_ORGANIZATION_ID"] = ORGANIZATION
    shutil.rmtree(agent.store, ignore_errors=True)
    unsigned = tmp_path / "app.exe"
    made = Project(agent, sandbox, core, unsigned, Approver(sandbox.said, unsigned), kept)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=agent.directory, check=True)
    made.commit()
    return made


def test_there_is_no_example_that_no_test_runs() -> None:
    here = {"candidate-to-release-with-tasks.yml", "candidate-to-release-with-templates.yml", "publish-later.yml"}
    elsewhere = {"release-with-tasks.yml", "release-with-templates.yml"}
    assert {path.name for path in EXAMPLES.iterdir()} == here | elsewhere


def succeeded(done: list[Ran]) -> list[Ran]:
    assert all(ran.succeeded for ran in done), done[-1].output
    return done


both_ways = pytest.mark.parametrize("way", ["tasks", "templates"])


@pytest.mark.full
@both_ways
def test_the_tested_candidate_of_the_tag_is_approved_and_released(project: Project, way: str) -> None:
    name, sandbox = f"candidate-to-release-with-{way}.yml", project.sandbox.said

    succeeded(project.run(name, "refs/heads/main"))
    demand_signed(project.kept / "tested.exe", sandbox, "test-signing", unsigned=project.unsigned)

    release = succeeded(project.run(name, "refs/tags/v1.2.3", approve=True))

    demand_signed(project.kept / "released.exe", sandbox, "release-signing", unsigned=project.unsigned)
    demand_promoted(project.approver)
    link = project.approver.requests[1]["web_link"]
    notices = [text for ran in release for kind, text in ran.issues if "waits for approval" in text and link in text]
    assert len(notices) == 1
    assert link in (project.kept / "notes.txt").read_text("utf-8")

    # A job that is run again goes on with its request.
    succeeded(project.run(name, "refs/tags/v1.2.3", attempt=2))
    demand_promoted(project.approver)


@pytest.mark.full
@both_ways
def test_the_tag_of_another_commit_is_refused(project: Project, way: str) -> None:
    name = f"candidate-to-release-with-{way}.yml"
    succeeded(project.run(name, "refs/heads/main"))
    project.commit()

    refused = project.run(name, "refs/tags/v1.2.3")

    [error] = [text for ran in refused for kind, text in ran.issues if kind == "error"]
    assert "can't be promoted: by SignPath it was built from " in error
    assert not (project.kept / "released.exe").exists()
    assert len(project.approver.requests) == 1


@both_ways
def test_without_a_tested_candidate_nothing_is_released(project: Project, way: str) -> None:
    refused = project.run(f"candidate-to-release-with-{way}.yml", "refs/tags/v1.2.3")

    [error] = [text for ran in refused for kind, text in ran.issues if kind == "error"]
    assert error.startswith("There is no tested candidate of ")


@pytest.mark.full
def test_no_agent_waits_for_the_approval(project: Project) -> None:
    for attempt in (1, 2):
        succeeded(project.run("publish-later.yml", "refs/tags/v1.2.3", stage="Submit", attempt=attempt))
    # Run again, the job has gone on with its request.
    assert [entry["status"] for entry in project.approver.requests] == ["WaitingForApproval"]

    project.approver.approve()
    succeeded(project.run("publish-later.yml", "refs/tags/v1.2.3", stage="Publish"))

    released = project.kept / "released.exe"
    demand_signed(released, project.sandbox.said, "release-signing", unsigned=project.unsigned)
    [request] = project.approver.requests
    assert request["times_signed"] == 1
    assert request["web_link"] in (project.kept / "notes.txt").read_text("utf-8")
