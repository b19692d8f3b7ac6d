"""The step templates: compared with the table of options, expanded, and run as the agent would."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tools.azure_tasks import AZURE, TEMPLATES
from tools.manifests import inputs

from tests.platforms.azure.agent import Agent, Ran
from tests.platforms.azure.conftest import ORGANIZATION, SECRETS, SandboxService, Steps
from tests.platforms.azure.test_tasks import assert_no_secret
from tests.platforms.sandboxes import write_manifest


def run_all(agent: Agent, steps: Sequence[dict[str, Any]]) -> list[Ran]:
    """Run steps up to the first that fails."""
    done: list[Ran] = []
    for step in steps:
        done.append(agent.run(step))
        assert_no_secret(done[-1])
        if not done[-1].succeeded:
            break
    return done


def succeeded(agent: Agent, steps: Sequence[dict[str, Any]]) -> None:
    last = run_all(agent, steps)[-1]
    assert last.succeeded, last.output
    assert last.issues == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_option_gets_to_the_core(name: str, template: Steps) -> None:
    """Also the empty ones: a variable of the pipeline must not take their place."""
    given = {} if name in {"sign", "check"} else {"signingRequestId": "1"}
    environment = template(name, **given)[-1]["env"]
    variables = {known.variable for known in inputs(TEMPLATES[name], "azure").values()}
    assert variables <= environment.keys()


def test_signs_a_file(agent: Agent, template: Steps, sandbox: SandboxService) -> None:
    succeeded(agent, template("sign", artifactPath="app.exe", outputArtifactPath="out/app.exe"))
    assert sandbox.request(agent.variables["signpath.SigningRequestId"])["status"] == "Completed"
    assert agent.variables["signpath.SignedArtifactPath"] == "out/app.exe"
    assert (agent.directory / "out" / "app.exe").exists()


def test_publishes_and_signs_through_the_connector(agent: Agent, template: Steps, sandbox: SandboxService) -> None:
    succeeded(
        agent,
        template(
            "sign",
            signingPolicySlug="release-signing",
            connectorUrl=f"{sandbox.root}/connectors/azure",
            artifactPath="app.exe",
            azureDevOpsArtifactName="from-template",
            outputArtifactDirectory="signed",
        ),
    )
    request = sandbox.request(agent.variables["signpath.SigningRequestId"])
    assert request["origin"]["repositoryData"]["branchName"] == "main"
    assert [path.name for path in (agent.directory / "signed").rglob("*.exe")] == ["app.exe"]


def test_submits_now_and_collects_later(agent: Agent, template: Steps) -> None:
    succeeded(agent, template("sign", stepName="submit", artifactPath="app.exe", waitForCompletion=False))
    assert not (agent.directory / "app.signed.exe").exists()
    later = {"signingRequestId": "$(submit.SigningRequestId)", "unsigned": "app.exe"}
    succeeded(agent, template("get-signed-artifact", **later))
    assert (agent.directory / "app.signed.exe").exists()


def test_resubmits(agent: Agent, template: Steps, sandbox: SandboxService) -> None:
    succeeded(agent, template("sign", stepName="test", artifactPath="app.exe"))
    again = {"signingRequestId": "$(test.SigningRequestId)", "outputArtifactPath": "release.exe", "unsigned": "app.exe"}
    succeeded(agent, template("resubmit", **again))
    requests = [sandbox.request(agent.variables[f"{step}.SigningRequestId"]) for step in ("test", "signpath")]
    assert requests[0]["id"] != requests[1]["id"]
    assert requests[0]["unsigned_sha256"] == requests[1]["unsigned_sha256"]


def test_a_directory_takes_several_files_under_their_names(agent: Agent, template: Steps) -> None:
    shutil.copyfile(agent.directory / "app.exe", agent.directory / "two.exe")
    given = {"artifactPath": "app.exe\ntwo.exe", "outputArtifactPath": "signed files/"}
    succeeded(agent, template("sign", **given))
    assert sorted(path.name for path in (agent.directory / "signed files").iterdir()) == ["app.exe", "two.exe"]


def test_the_manifest_says_what_no_parameter_says(agent: Agent, template: Steps, sandbox: SandboxService) -> None:
    write_manifest(
        agent.directory,
        organization=ORGANIZATION,
        project="app",
        policy=["branch main: test-signing"],
        artifacts=["app.exe"],
        wait={"for-completion": False},
        output={"receipt": "kept.json"},
    )
    succeeded(agent, template("sign", organizationId="", projectSlug="", signingPolicySlug=""))
    request = sandbox.request(agent.variables["signpath.SigningRequestId"])
    assert request["signing_policy_slug"] == "test-signing"
    assert {path.name for path in agent.directory.iterdir() if path.is_file()} == {"app.exe", "kept.json"}


def test_a_parameter_wins_over_the_manifest(agent: Agent, template: Steps, sandbox: SandboxService) -> None:
    write_manifest(agent.directory, policy="nonsense", artifacts=["nowhere.exe"], output={"path": "elsewhere.exe"})
    given = {"artifactPath": "app.exe", "waitForCompletion": False, "outputArtifactPath": "here.exe"}
    succeeded(agent, template("sign", **given))
    request = sandbox.request(agent.variables["signpath.SigningRequestId"])
    assert (request["signing_policy_slug"], request["file_name"]) == ("test-signing", "app.exe")
    assert not (agent.directory / "here.exe").exists()


def test_a_failure_says_why(agent: Agent, template: Steps) -> None:
    last = run_all(agent, template("sign", artifactPath="app.exe", signingPolicySlug="no-such-policy"))[-1]
    assert not last.succeeded
    assert "no-such-policy" in [text for kind, text in last.issues if kind == "error"][-1]
    assert not (agent.directory / "app.signed.exe").exists()


def test_a_missing_secret_is_named(agent: Agent, template: Steps) -> None:
    """Azure leaves a macro without a value as it is."""
    last = run_all(agent, template("sign", artifactPath="app.exe", apiTokenVariable="NOT_THERE"))[-1]
    assert "SIGNPATH_API_TOKEN" in last.issues[-1][1]


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "hostile",
    [
        "two  spaces 'single' \"double\" $(touch hit) `touch hit` ; touch hit #",
        "line\n##vso[task.setvariable variable=other]forged",
        "in the middle ##vso[task.setvariable variable=other]forged",
        "- [yaml, *a: 'b'] # no comment",
    ],
)
def test_hostile_parameters_are_data(agent: Agent, template: Steps, sandbox: SandboxService, hostile: str) -> None:
    name = "a  b'$(touch hit)`touch hit`.exe"
    (agent.directory / "app.exe").rename(agent.directory / name)
    last = run_all(agent, template("sign", artifactPath=name, description=hostile))[-1]
    assert last.succeeded, last.output
    # The outputs with the digests hold the name, which looks like a macro: they are left out, and that is said.
    assert [(kind, text.partition(" ")[0]) for kind, text in last.issues] == [
        ("warning", "SignedSha256"),
        ("warning", "SignedSha512"),
    ]
    assert not {"other", "forged"} & {*agent.variables, *agent.variables.values()}
    assert not (agent.directory / "hit").exists()
    assert sandbox.request(agent.variables["signpath.SigningRequestId"])["description"] == hostile


def test_a_cancelled_job_reaches_the_core(agent: Agent, template: Steps) -> None:
    [step] = template("sign", artifactPath="app.exe", signingPolicySlug="approved-signing")
    ran = agent.run(step, at="WaitingForApproval", then=lambda pid: os.kill(pid, signal.SIGINT))
    assert not ran.succeeded
    assert "interrupted" in ran.issues[-1][1].lower()


def test_no_variable_of_the_pipeline_takes_the_place_of_an_empty_parameter(agent: Agent, template: Steps) -> None:
    agent.variables |= {"SIGNPATH_CONNECTOR_URL": "http://127.0.0.1:9", "SIGNPATH_OUTPUT": "elsewhere.exe"}
    succeeded(agent, template("sign", artifactPath="app.exe"))
    assert (agent.directory / "app.signed.exe").exists()


def test_no_python(agent: Agent, template: Steps, tmp_path: Path) -> None:
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "bash").symlink_to("/bin/bash")
    agent.environment = {**agent.environment, "PATH": str(directory)}
    for package in (template("sign", artifactPath="app.exe"), template("sign", package="x", artifactPath="app.exe")):
        ran = run_all(agent, package)
        assert (len(ran), ran[0].succeeded) == (1, False)
        assert "UsePythonVersion@0" in ran[0].issues[0][1]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(build, cwd=AZURE.parent, check=True, capture_output=True)
    [path] = directory.glob("*.whl")
    return path


@pytest.mark.full
def test_the_core_is_installed_by_pip(agent: Agent, template: Steps, wheel: Path) -> None:
    """Into an environment of the job, before anything sees a token; a second time it is there already."""
    site_packages = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_CONFIG_FILE": os.devnull, "PYTHONPATH": str(site_packages)}
    agent.environment = {**agent.environment, **offline}
    for output in ("first.exe", "second.exe"):
        steps = template("sign", package=str(wheel), artifactPath="app.exe", outputArtifactPath=output)
        install, _ = steps
        assert not [
            text for text in install["env"].values() if any(secret in agent.expanded(text) for secret in SECRETS)
        ]
        succeeded(agent, steps)
        assert (agent.directory / output).exists()
    assert (agent.temp / "signpath-ci" / "bin" / "signpath-ci").exists()
