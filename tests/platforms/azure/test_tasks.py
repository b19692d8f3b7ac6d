"""The tasks, run by their real handlers with Azure's own library, against the sandbox."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.platforms.azure.agent import Agent, Ran
from tests.platforms.azure.commands import commands
from tests.platforms.azure.conftest import SECRETS, SandboxService, Step
from tests.platforms.sandboxes import write_manifest
from tests.support.loopback import Connection, loopback

OWN_COMMANDS = {
    "task.complete",
    "task.debug",
    "task.issue",
    "task.logissue",
    "task.setprogress",
    "task.setsecret",
    "task.uploadsummary",
}


def succeeded(ran: Ran) -> Ran:
    assert ran.succeeded, ran.output
    assert ran.results == ["Succeeded"]
    assert ran.issues == []
    assert_no_secret(ran)
    return ran


def failed(ran: Ran) -> str:
    """Return the issue that says why a task has failed."""
    assert ran.results == ["Failed"], ran.output
    assert_no_secret(ran)
    return [text for kind, text in ran.issues if kind == "error"][-1]


def assert_no_secret(ran: Ran) -> None:
    """No output holds a token, but the command that makes the agent mask it, which the agent does not show."""
    shown = "\n".join(
        line for line in ran.output.splitlines() if [c.name for c in commands(line)] != ["task.setsecret"]
    )
    assert [secret for secret in SECRETS if secret in shown] == []


def test_signs_a_file_of_the_job(agent: Agent, task: Step, sandbox: SandboxService) -> None:
    succeeded(agent.run(task("SubmitSigningRequest", artifactPath="app.exe", description="Of {branch}")))
    request = sandbox.request(agent.variables["signpath.SigningRequestId"])
    assert (request["status"], request["description"], request["times_signed"]) == ("Completed", "Of main", 1)
    assert (agent.directory / "app.signed.exe").stat().st_size > (agent.directory / "app.exe").stat().st_size


def test_signs_a_published_artifact_through_the_connector(agent: Agent, task: Step, sandbox: SandboxService) -> None:
    agent.run({"publish": "app.exe", "artifact": "unsigned"})
    ran = agent.run(
        task(
            "SubmitSigningRequest",
            azureDevOpsArtifactName="unsigned",
            outputArtifactDirectory="signed",
            signingPolicySlug="release-signing",
        )
    )
    succeeded(ran)
    request = sandbox.request(agent.variables["signpath.SigningRequestId"])
    assert request["origin"]["repositoryData"]["branchName"] == "main"
    assert [path.name for path in (agent.directory / "signed").rglob("*.exe")] == ["app.exe"]


def test_compares_content_and_signer_without_being_told_to(agent: Agent, task: Step) -> None:
    agent.run({"publish": "app.exe", "artifact": "unsigned"})

    step = task("SubmitSigningRequest", azureDevOpsArtifactName="unsigned", outputArtifactDirectory="out", trustRoot="")
    ran = succeeded(agent.run(step))

    assert "same content as submitted" in ran.output
    assert "signed by the certificate of policy test-signing, as SignPath states" in ran.output


def test_output_variables(agent: Agent, task: Step, sandbox: SandboxService) -> None:
    succeeded(agent.run(task("SubmitSigningRequest", artifactPath="app.exe")))
    request = sandbox.request(agent.variables["signpath.SigningRequestId"])
    assert agent.variables["signpath.SigningRequestWebUrl"] == request["web_link"]
    download = f"{sandbox.said['api_url']}/v1/{sandbox.said['organization_id']}/SigningRequests/{request['id']}"
    assert agent.variables["signpath.SignedArtifactDownloadUrl"] == f"{download}/SignedArtifact"


def test_gets_what_an_earlier_step_has_submitted(agent: Agent, task: Step) -> None:
    succeeded(agent.run(task("SubmitSigningRequest", artifactPath="app.exe", waitForCompletion="false")))
    assert not (agent.directory / "app.signed.exe").exists()
    succeeded(
        agent.run(
            task(
                "GetSignedArtifact",
                signingRequestId="$(signpath.SigningRequestId)",
                unsigned="app.exe",
                outputArtifactPath="new/signed.exe",
            )
        )
    )
    assert (agent.directory / "new" / "signed.exe").exists()


def test_resubmits(agent: Agent, task: Step, sandbox: SandboxService) -> None:
    succeeded(agent.run(task("SubmitSigningRequest", artifactPath="app.exe")))
    first = agent.variables["signpath.SigningRequestId"]
    step = task("ResubmitSigningRequest", signingRequestId=first, unsigned="app.exe", outputArtifactPath="released.exe")
    succeeded(agent.run(step))
    second = agent.variables["signpath.SigningRequestId"]
    assert second != first
    assert sandbox.request(second)["unsigned_sha256"] == sandbox.request(first)["unsigned_sha256"]
    assert (agent.directory / "released.exe").exists()


def test_a_directory_takes_several_files_under_their_names(agent: Agent, task: Step) -> None:
    shutil.copyfile(agent.directory / "app.exe", agent.directory / "two.exe")
    inputs = {"artifactPath": "app.exe\ntwo.exe", "outputArtifactPath": "signed files/"}
    succeeded(agent.run(task("SubmitSigningRequest", **inputs)))
    assert sorted(path.name for path in (agent.directory / "signed files").iterdir()) == ["app.exe", "two.exe"]


def test_what_does_not_say_whether_it_is_promoted_is_refused(agent: Agent, task: Step) -> None:
    step = task("ResubmitSigningRequest", signingRequestId="receipt.json", promote="perhaps")
    assert failed(agent.run(step)) == "promote is neither true nor false. [invalid-option]"


def test_the_manifest_says_what_no_input_says(agent: Agent, task: Step, sandbox: SandboxService) -> None:
    write_manifest(
        agent.directory,
        project="app",
        policy=["branch main: test-signing"],
        artifacts=["app.exe"],
        wait={"for-completion": False},
        output={"receipt": "kept.json"},
    )
    step = task("SubmitSigningRequest", projectSlug=None, signingPolicySlug=None)
    succeeded(agent.run(step))
    request = sandbox.request(agent.variables["signpath.SigningRequestId"])
    assert request["signing_policy_slug"] == "test-signing"
    assert {path.name for path in agent.directory.iterdir() if path.is_file()} == {"app.exe", "kept.json"}


def test_an_input_wins_over_the_manifest(agent: Agent, task: Step, sandbox: SandboxService) -> None:
    elsewhere = {"organization": "11111111-2222-3333-4444-555555555555"}
    write_manifest(
        agent.directory, **elsewhere, policy="nonsense", artifacts=["nowhere.exe"], output={"path": "elsewhere.exe"}
    )
    ran = agent.run(
        task("SubmitSigningRequest", artifactPath="app.exe", waitForCompletion="false", outputArtifactPath="here.exe")
    )
    succeeded(ran)
    request = sandbox.request(agent.variables["signpath.SigningRequestId"])
    assert (request["signing_policy_slug"], request["file_name"]) == ("test-signing", "app.exe")
    assert not (agent.directory / "here.exe").exists()


def test_a_summary_is_uploaded(agent: Agent, task: Step) -> None:
    succeeded(agent.run(task("SubmitSigningRequest", artifactPath="app.exe")))
    [summary] = agent.summaries
    assert agent.variables["signpath.SigningRequestId"] in summary


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"signingPolicySlug": "no-such-policy"}, "no-such-policy"),
        ({"signingPolicySlug": None}, "SIGNPATH_SIGNING_POLICY_SLUG"),
        ({"artifactPath": "nowhere.exe"}, "nowhere.exe"),
        ({"artifactPath": None, "azureDevOpsArtifactName": "never-published"}, "never-published"),
        ({"serviceConnectionName": "unknown"}, "SIGNPATH_ORGANIZATION_ID"),
        ({"verify": "perhaps"}, "perhaps"),
    ],
)
def test_a_failure_fails_the_task_and_says_why(
    agent: Agent, task: Step, inputs: dict[str, str | None], why: str
) -> None:
    ran = agent.run(task("SubmitSigningRequest", **{"artifactPath": "app.exe", **inputs}))
    assert why in failed(ran)
    assert not (agent.directory / "app.signed.exe").exists()


def test_no_file_holds_a_secret(agent: Agent, task: Step) -> None:
    """Neither the summary, nor what was signed, nor what the library keeps for itself."""
    succeeded(agent.run(task("SubmitSigningRequest", artifactPath="app.exe")))
    files = [path for directory in (agent.directory, agent.temp) for path in directory.rglob("*") if path.is_file()]
    assert {"app.signed.exe", ".taskkey"} <= {path.name for path in files}
    assert [(secret, path) for secret in SECRETS for path in files if secret.encode() in path.read_bytes()] == []


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "hostile",
    [
        "two  spaces 'single' \"double\" $(touch hit) `touch hit` ; touch hit #",
        "##vso[task.setvariable variable=SigningRequestId;isOutput=true]forged",
        "in the middle ##vso[task.complete result=Succeeded;]done",
        "line\n##vso[task.setvariable variable=other]forged",
        "%0A##vso[task.uploadsummary]/etc/passwd",
    ],
)
def test_hostile_inputs_are_data(agent: Agent, task: Step, sandbox: SandboxService, hostile: str) -> None:
    ran = agent.run(task("SubmitSigningRequest", artifactPath="app.exe", description=hostile))
    succeeded(ran)
    assert not {"other", "forged"} & {*agent.variables, *agent.variables.values()}
    assert not (agent.directory / "hit").exists()
    assert len(agent.summaries) == 1
    assert sandbox.request(agent.variables["signpath.SigningRequestId"])["description"] == hostile


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        # A value that looks like a macro is left out of the outputs, and that is said.
        ("a  b'$(touch hit)`touch hit`.exe", ["SignedSha256", "SignedSha512"]),
        ("##vso[task.complete result=Failed].exe", []),
    ],
)
def test_hostile_file_names_are_data(agent: Agent, task: Step, name: str, left_out: list[str]) -> None:
    (agent.directory / "app.exe").rename(agent.directory / name)
    ran = agent.run(task("SubmitSigningRequest", artifactPath=name))
    assert ran.results == ["Succeeded"], ran.output
    assert [(kind, text.partition(" ")[0]) for kind, text in ran.issues] == [("warning", name) for name in left_out]
    assert_no_secret(ran)
    assert not (agent.directory / "hit").exists()
    assert (agent.directory / f"{name.removesuffix('.exe')}.signed.exe").exists()


def test_hostile_answers_are_data(agent: Agent, task: Step) -> None:
    """A refusal in the words of a server that wants more than to refuse."""
    hostile = "No ##vso[task.setvariable variable=other]forged\n##vso[task.complete result=Succeeded;]\r##[group]x"
    body = json.dumps({"title": hostile, "status": 403, "detail": hostile}).encode()

    def refuse(connection: Connection) -> None:
        connection.read_request()
        connection.answer(body, "Content-Type: application/problem+json", "Connection: close", status="403 Forbidden")

    with loopback(refuse) as server:
        connection = dict(agent.connections["signpath"])
        connection["data"] = {**connection["data"], "apiUrl": server.url}
        agent.connections = {**agent.connections, "signpath": connection}
        ran = agent.run(task("SubmitSigningRequest", artifactPath="app.exe"))
    assert "forged" in failed(ran)
    assert {command.name for command in ran.commands} <= OWN_COMMANDS | {"task.setvariable"}
    set_ = [(one.properties["variable"], one.data) for one in ran.commands if one.name == "task.setvariable"]
    assert set_ == [("Signed", "false")]
    assert "other" not in agent.variables


def test_no_variable_of_the_pipeline_leads_the_token_elsewhere(agent: Agent, task: Step) -> None:
    """A script of the build can set variables, which are environment variables of later steps."""
    elsewhere = "http://127.0.0.1:9"
    agent.variables |= {"SIGNPATH_API_URL": elsewhere, "SIGNPATH_CONNECTOR_URL": elsewhere}
    agent.variables |= {"SIGNPATH_API_TOKEN_FILE": "/etc/hostname", "SIGNPATH_VERIFY": "off"}
    succeeded(agent.run(task("SubmitSigningRequest", artifactPath="app.exe")))


@pytest.mark.parametrize(
    ("programs", "why"),
    [
        ({}, "No Python found (tried: python3, python, py -3). signpath-ci needs 3.10 or later"),
        (
            {"python3": "echo 3.9", "python": "echo 2.7", "py": "exit 103"},
            "Python is too old: python3 is 3.9, python is 2.7. signpath-ci needs 3.10 or later",
        ),
        ({"python3": "exit 49"}, "No Python found"),
    ],
)
def test_no_usable_python(agent: Agent, task: Step, tmp_path: Path, programs: dict[str, str], why: str) -> None:
    directory = only_node(tmp_path)
    for name, script in programs.items():
        (directory / name).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        (directory / name).chmod(0o755)
    agent.environment = {**agent.environment, "PATH": str(directory)}
    assert why in failed(agent.run(task("SubmitSigningRequest", artifactPath="app.exe")))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_job_reaches_the_core(
    agent: Agent, task: Step, sandbox: SandboxService, number: signal.Signals
) -> None:
    """Which leaves no process behind, and no request that somebody might approve."""
    step = task("SubmitSigningRequest", artifactPath="app.exe", signingPolicySlug="approved-signing")
    ran = agent.run(step, at="WaitingForApproval", then=lambda pid: os.kill(pid, number))
    assert [text for kind, text in ran.issues if kind == "warning" and "/SigningRequests/" in text]
    assert "interrupted" in failed(ran).lower() or "terminated" in failed(ran).lower()
    assert not process_with(str(agent.directory))
    assert sandbox.request(agent.variables["signpath.SigningRequestId"])["status"] == "Canceled"


def process_with(text: str) -> list[str]:
    """Return the command lines of the processes that mention a text or work there."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if text in line or str((entry / "cwd").readlink()).startswith(text):
                found.append(line)
    return found


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("raise SystemExit(1)", "exit code 1"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL"),
        ("broken(", "exit code 1"),
    ],
)
def test_a_core_that_breaks_fails_the_task(agent: Agent, task: Step, tmp_path: Path, program: str, why: str) -> None:
    [(name, directory)] = [known for known in agent.tasks.items() if known[0] == "GetSignedArtifact@4"]
    broken = shutil.copytree(directory, tmp_path / "broken")
    (broken / "signpath-ci.pyz").write_text(program, "utf-8")
    agent.tasks = {name: broken}
    words = f"The core ended unexpectedly ({why}); the log says more. [core-not-started]"
    assert failed(agent.run(task("GetSignedArtifact"))) == words


def test_process_lists_show_no_secret(agent: Agent, task: Step) -> None:
    seen: list[str] = []

    def look(pid: int) -> None:
        seen.extend(process_with(str(agent.directory)))
        os.kill(pid, signal.SIGTERM)

    step = task("SubmitSigningRequest", artifactPath="app.exe", signingPolicySlug="approved-signing")
    agent.run(step, at="WaitingForApproval", then=look)
    assert len(seen) == 2, "the handler and the core"
    assert [(secret, line) for secret in SECRETS for line in seen if secret in line] == []


def only_node(tmp_path: Path) -> Path:
    """Return a directory with nothing but node in it."""
    directory = tmp_path / "bin"
    directory.mkdir()
    where = subprocess.run(["node", "-p", "process.execPath"], capture_output=True, text=True, check=True).stdout
    (directory / "node").symlink_to(where.strip())
    return directory


def test_python_is_found_under_its_other_name(agent: Agent, task: Step, tmp_path: Path) -> None:
    directory = only_node(tmp_path)
    (directory / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', "utf-8")
    (directory / "python").chmod(0o755)
    agent.environment = {**agent.environment, "PATH": str(directory)}
    succeeded(agent.run(task("SubmitSigningRequest", artifactPath="app.exe")))
