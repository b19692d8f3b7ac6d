"""Each template's job, put together with GitLab's semantics and run in the shells that runners have."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.platforms.gitlab.conftest import API_TOKEN, FARM_TOKEN, GITLAB_TOKEN, Git, Project
from tests.platforms.gitlab.shell_runner import FinishedJob, ShellRunner
from tests.platforms.sandboxes import write_manifest
from tests.support.needs import needs
from tests.support.plugin import OFFLINE, needs_wheels

SHELLS = {"bash": ("bash", "-eo", "pipefail"), "sh": ("sh", "-e"), "busybox": ("busybox", "sh", "-e")}
in_every_shell = pytest.mark.parametrize(
    "shell",
    ["bash", "sh", pytest.param("busybox", marks=needs("busybox"))],  # what Alpine's images have
)
HOSTILE = """it's "odd" $(touch pwned) `touch pwned` ; touch pwned & \\n # : - {a} [b] %s $$ é"""
HOSTILE_NAME = """it's "odd" $(touch pwned) `touch pwned`; touch pwned & \\n # : [b] %s é.exe"""


def _runner(project: Project, shell: str = "bash", **known: str) -> ShellRunner:
    if shell == "busybox":
        programs = project.directory.with_name("busybox")
        programs.mkdir(exist_ok=True)
        for name in ("basename", "cat", "dirname", "echo", "mkdir", "rm", "sed"):
            (programs / name).unlink(missing_ok=True)
            (programs / name).symlink_to(shutil.which("busybox") or "")
        known["PATH"] = f"{programs}{os.pathsep}{project.known['PATH']}"
    return ShellRunner(project.directory, {**project.known, **known}, SHELLS[shell])


def _run(project: Project, template: str, inputs: dict[str, object], shell: str = "bash", **known: str) -> FinishedJob:
    finished = _runner(project, shell, **known).run(*project.job(template, inputs))
    left = [path.read_bytes() for path in project.directory.rglob("*") if path.is_file()]
    for token in (API_TOKEN, GITLAB_TOKEN, FARM_TOKEN):
        assert token not in finished.log
        assert not [content for content in left if token.encode() in content]
    assert not (project.directory / ".signpath-ci").exists()
    return finished


def _assert_signed(project: Project, signed: Path, policy: str = "test-signing") -> None:
    [verdict] = verify_file(
        signed,
        unsigned=project.directory / "app.exe",
        expectations=Expectations(trust_roots=(Path(project.sandbox["trust_root"]),), subject=f"({policy})"),
    )
    assert (verdict.trust, verdict.identity) == ("root", "same")


@pytest.mark.sample(2)
@in_every_shell
def test_a_job_signs_a_file(project: Project, shell: str) -> None:
    finished = _run(project, "sign", project.sign_inputs(), shell)

    assert finished.code == 0, finished.log
    _assert_signed(project, project.directory / "signed" / "app.exe")
    prefix = "SUBMIT_SIGNING_REQUEST_SIGNPATH"
    request = project.request(finished.dotenv[f"{prefix}_SIGNING_REQUEST_ID"])
    signed = (project.directory / "signed" / "app.exe").read_bytes()
    assert finished.dotenv == {
        f"{prefix}_SIGNING_REQUEST_ID": request["signingRequestId"],
        f"{prefix}_SIGNING_REQUEST_WEB_URL": request["webLink"],
        f"{prefix}_SIGNED_ARTIFACT_DOWNLOAD_URL": request["signedArtifactLink"],
        f"{prefix}_SIGNED_ARTIFACT_PATH": "signed/app.exe",
        f"{prefix}_SIGNING_REQUEST_STATUS": "Completed",
        f"{prefix}_SIGNED": "true",
        f"{prefix}_SIGNED_SHA256": f"{hashlib.sha256(signed).hexdigest()}  app.exe",
        f"{prefix}_SIGNED_SHA512": f"{hashlib.sha512(signed).hexdigest()}  app.exe",
    }


def test_a_job_compares_content_and_signer_without_being_told_to(project: Project) -> None:
    stored = Path(project.sandbox["artifact_store"]) / "gitlab" / "compile" / "dist" / "app.exe"
    stored.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(project.directory / "app.exe", stored)
    inputs = project.sign_inputs(
        artifact_path="",
        trust_root="",
        connector_url=project.sandbox["connectors"]["gitlab"],
        gitlab_artifact_job_name="compile",
        gitlab_artifact_path="dist/app.exe",
    )

    finished = _run(project, "sign", inputs)

    assert finished.code == 0, finished.log
    assert "same content as submitted" in finished.log
    assert "signed by the certificate of policy test-signing, as SignPath states" in finished.log
    _assert_signed(project, project.directory / "signed" / "app.exe")


@pytest.mark.sample(2)
@in_every_shell
def test_nothing_in_an_input_or_file_name_is_run(project: Project, shell: str) -> None:
    (project.directory / "app.exe").rename(project.directory / HOSTILE_NAME)
    parameters: list[object] = [{"one": HOSTILE.replace("{a}", "")}, {"two": 'line\nline "x" $HOME'}]
    inputs = project.sign_inputs(
        artifact_path=HOSTILE_NAME,
        output_artifact_path="out put/",
        description=HOSTILE.replace("{a}", "").replace("$$", ""),
        parameters=parameters,
        job_name="sign 'it' $(touch pwned) `touch pwned`",
    )

    finished = _run(project, "sign", inputs, shell)

    assert finished.code == 0, finished.log
    assert sorted(path.name for path in (project.directory / "out put").iterdir()) == [HOSTILE_NAME]
    assert not list(project.directory.rglob("pwned"))
    [request_id] = [value for name, value in finished.dotenv.items() if name.endswith("SIGNING_REQUEST_ID")]
    request = project.request(request_id)
    assert request["parameters"] == {"one": HOSTILE.replace("{a}", ""), "two": 'line\nline "x" $HOME'}
    assert request["description"] == inputs["description"]


def test_variables_of_the_project_take_the_place_of_inputs(project: Project) -> None:
    inputs = project.sign_inputs(project_slug="", description="Release $CI_COMMIT_TAG of ${CI_PROJECT_ID}")

    finished = _run(project, "sign", inputs, SIGNPATH_PROJECT_SLUG="app", CI_COMMIT_TAG="v1")

    [request_id] = [value for name, value in finished.dotenv.items() if name.endswith("SIGNING_REQUEST_ID")]
    assert project.request(request_id)["projectSlug"] == "app"
    assert project.request(request_id)["description"] == "Release v1 of 7"


def test_a_refused_request_fails_the_job_and_says_why(project: Project) -> None:
    finished = _run(project, "sign", project.sign_inputs(project_slug="nonsense"))

    assert finished.code == 3, finished.log
    assert "nonsense" in finished.log
    assert not list((project.directory / "signed").iterdir())
    assert finished.dotenv == {"SUBMIT_SIGNING_REQUEST_SIGNPATH_SIGNED": "false"}


def test_a_failed_request_fails_the_job_and_says_why(project: Project) -> None:
    (project.directory / "notes.zip").write_bytes(b"PK\x05\x06" + bytes(18))

    finished = _run(project, "sign", project.sign_inputs(artifact_path="notes.zip", verify="off"))

    assert finished.code == 4, finished.log
    assert "Failed" in finished.log
    assert not list((project.directory / "signed").iterdir())
    assert [name for name in finished.dotenv if name.endswith("SIGNING_REQUEST_ID")]


def test_a_variable_without_a_token(project: Project) -> None:
    finished = _run(project, "sign", project.sign_inputs(api_token_var_name="NO_SUCH_VARIABLE"))

    assert finished.code == 2
    assert "error: Not given: " in finished.log
    assert "SIGNPATH_API_TOKEN" in finished.log


def test_the_token_of_another_variable(project: Project) -> None:
    inputs = project.sign_inputs(api_token_var_name="MINE")

    finished = _run(project, "sign", inputs, MINE=API_TOKEN, SIGNPATH_API_TOKEN="of-no-use")

    assert finished.code == 0, finished.log


@pytest.mark.sample(1)
@in_every_shell
def test_through_the_connector(project: Project, shell: str) -> None:
    stored = Path(project.sandbox["artifact_store"]) / "gitlab" / "build it" / "dist" / HOSTILE_NAME
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_bytes((project.directory / "app.exe").read_bytes())
    inputs = project.sign_inputs(
        artifact_path="",
        connector_url=project.sandbox["connectors"]["gitlab"],
        gitlab_artifact_job_name="build it",
        gitlab_artifact_path=f"dist/{HOSTILE_NAME}",
        job_name="sign",
    )

    finished = _run(project, "sign", inputs, shell, SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN="of-no-use-here")

    assert finished.code == 0, finished.log
    _assert_signed(project, project.directory / "signed" / HOSTILE_NAME)
    assert not list(project.directory.rglob("pwned"))
    assert project.request(finished.dotenv["SIGN_SIGNPATH_SIGNING_REQUEST_ID"])["projectSlug"] == "app"


def test_the_connector_says_how_to_mend_it(project: Project) -> None:
    inputs = project.sign_inputs(
        artifact_path="",
        connector_url=project.sandbox["connectors"]["gitlab"],
        gitlab_artifact_job_name="build",
        gitlab_artifact_path="no/such.exe",
    )

    finished = _run(project, "sign", inputs)

    assert finished.code == 3, finished.log
    assert "The artifact no/such.exe of the job build" in finished.log
    assert "List the file under artifacts: paths: of that job, and run the job before this one." in finished.log


def test_a_file_of_this_job_and_one_of_another(project: Project) -> None:
    inputs = project.sign_inputs(
        connector_url=project.sandbox["connectors"]["gitlab"],
        gitlab_artifact_job_name="build",
        gitlab_artifact_path="app.exe",
    )

    finished = _run(project, "sign", inputs)

    assert finished.code == 2
    assert "error: A file is named, but through a connector SignPath fetches the artifact" in finished.log
    assert finished.dotenv == {}


def test_a_trusted_build_system_vouches_for_the_origin(project: Project, git: Git) -> None:
    git(project.directory, "init", "--quiet")
    git(project.directory, "commit", "--quiet", "--allow-empty", "--message", "Begin")
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=project.directory, text=True).strip()
    inputs = project.sign_inputs(job_name="sign", verify_origin=True)

    finished = _run(project, "sign", inputs, CI_COMMIT_SHA=commit, SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN=FARM_TOKEN)

    assert finished.code == 0, finished.log
    origin = project.request(finished.dotenv["SIGN_SIGNPATH_SIGNING_REQUEST_ID"])["origin"]
    assert origin["repositoryData"]["commitId"] == commit
    assert origin["repositoryData"]["url"] == "https://gitlab.com/acme/app"


def test_the_manifest_says_what_no_input_says(project: Project) -> None:
    write_manifest(
        project.directory,
        project="app",
        policy=["branch main: test-signing"],
        artifacts=["app.exe"],
        parameters={"Version": "1"},
        wait={"for-completion": False},
        output={"receipt": "kept.json", "path": "elsewhere.exe"},
    )

    finished = _run(project, "sign", project.inputs(job_name="sign"))

    assert finished.code == 0, finished.log
    request = project.request(finished.dotenv["SIGN_SIGNPATH_SIGNING_REQUEST_ID"])
    assert (request["signingPolicySlug"], request["parameters"]) == ("test-signing", {"Version": "1"})
    assert (project.directory / "kept.json").exists()
    assert not list((project.directory / "signed").iterdir())
    assert not (project.directory / "elsewhere.exe").exists()


def test_an_input_wins_over_the_manifest(project: Project) -> None:
    write_manifest(
        project.directory,
        artifacts=["app.exe"],
        policy="nonsense",
        parameters={"a": "manifest"},
        wait={"for-completion": False, "timeout": "1s"},
        verify={"level": "off"},
        output={"force": True},
    )
    inputs = project.sign_inputs(
        artifact_path="", verify="strict", wait_for_completion_timeout_in_seconds=60, parameters=[{"a": "input"}]
    )

    finished = _run(project, "sign", {**inputs, "job_name": "sign"}, SIGNPATH_WAIT_FOR_COMPLETION="yes")

    assert finished.code == 0, finished.log
    _assert_signed(project, project.directory / "signed" / "app.exe")
    assert "trusted by root" in finished.log
    assert project.request(finished.dotenv["SIGN_SIGNPATH_SIGNING_REQUEST_ID"])["parameters"] == {"a": "input"}


@pytest.mark.sample(2)
@in_every_shell
@pytest.mark.parametrize(
    ("inputs", "signed"),
    [
        ({"artifact_path": "dist"}, "signed/a.exe signed/b.exe"),
        ({"artifact_path": "dist/*.exe"}, "signed/a.exe signed/b.exe"),
        ({"artifact_path": "dist", "in_place": True, "output_artifact_path": "dist/"}, "dist/a.exe dist/b.exe"),
    ],
)
def test_several_files(project: Project, shell: str, inputs: dict[str, object], signed: str) -> None:
    (project.directory / "dist").mkdir()
    for name in ("a.exe", "b.exe"):
        shutil.copyfile(project.directory / "app.exe", project.directory / "dist" / name)

    finished = _run(project, "sign", project.sign_inputs(**inputs), shell)

    assert finished.code == 0, finished.log
    for name in signed.split():
        _assert_signed(project, project.directory / name)


def test_no_file_is_named(project: Project) -> None:
    finished = _run(project, "sign", project.sign_inputs(artifact_path=""))

    assert finished.code == 2
    assert "error: No file to sign is named." in finished.log


@pytest.mark.parametrize("version", ["missing", "too old"])
def test_without_a_usable_python(project: Project, tmp_path: Path, version: str) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("rm", "mkdir", "sed", "sh", "false"):
        (programs / name).symlink_to(shutil.which(name) or "")
    if version == "too old":
        (programs / "python3").write_text("#!/bin/sh\nexit 1\n")
        (programs / "python3").chmod(0o755)

    finished = ShellRunner(
        project.directory, {**project.known, "PATH": str(programs)}, (shutil.which("sh") or "", "-e")
    ).run(*project.job("sign", project.sign_inputs()))

    assert finished.code == 2
    assert "error: No Python 3.10 or later found." in finished.log


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("number", "keep", "code", "status"),
    [
        (signal.SIGTERM, False, 143, "Canceled"),
        (signal.SIGKILL, False, -9, "Canceled"),  # as a container ends
        (signal.SIGTERM, True, 143, "WaitingForApproval"),
    ],
)
def test_a_canceled_job_cancels_its_request(
    project: Project, number: signal.Signals, keep: bool, code: int, status: str
) -> None:
    inputs = project.sign_inputs(signing_policy_slug="approved-signing", job_name="sign", keep_on_interrupt=keep)
    name, job = project.job("sign", inputs)
    runner = _runner(project)
    process = runner.start(name, job)
    assert process.stdout is not None
    said = next(line for line in process.stdout if "WaitingForApproval" in line)
    # The core has taken the shell's place, and shows no token in the list of processes.
    command = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
    assert command[1:] == [b"-I", b"-X", b"utf8", bytes(project.core), b"sign", b""]
    assert API_TOKEN.encode() not in command[0]

    process.send_signal(number)
    finished = runner.finish(process, job, status="canceled")

    assert finished.code == code, said + finished.log
    assert project.request(finished.dotenv["SIGN_SIGNPATH_SIGNING_REQUEST_ID"])["status"] == status


def test_a_job_that_gives_up_waiting_leaves_its_request(project: Project) -> None:
    inputs = project.sign_inputs(
        signing_policy_slug="approved-signing", job_name="sign", wait_for_completion_timeout_in_seconds=0.1
    )

    finished = _run(project, "sign", inputs)

    assert finished.code == 5
    assert project.request(finished.dotenv["SIGN_SIGNPATH_SIGNING_REQUEST_ID"])["status"] == "WaitingForApproval"


def test_a_later_job_fetches_what_an_earlier_one_submitted(project: Project) -> None:
    submitted = _run(project, "sign", project.sign_inputs(job_name="sign", wait_for_completion=False))
    assert submitted.code == 0, submitted.log
    inputs = project.inputs(
        signing_request_id="$SIGN_SIGNPATH_SIGNING_REQUEST_ID",
        output_artifact_path="dist/signed app.exe",
        unsigned="app.exe",
    )

    finished = _run(project, "get-signed-artifact", inputs, **submitted.dotenv)

    assert finished.code == 0, finished.log
    _assert_signed(project, project.directory / "dist" / "signed app.exe")


def test_what_was_tested_gets_the_release_signature(project: Project) -> None:
    tested = _run(project, "sign", project.sign_inputs(job_name="sign"))
    inputs = project.inputs(
        signing_request_id="$SIGN_SIGNPATH_SIGNING_REQUEST_ID",
        signing_policy_slug="release-signing",
        description="Tested",
        output_artifact_path="release/app.exe",
        unsigned="app.exe",
        job_name="release",
    )

    finished = _run(project, "resubmit", inputs, **tested.dotenv)

    assert finished.code == 0, finished.log
    _assert_signed(project, project.directory / "release" / "app.exe", "release-signing")
    request = project.request(finished.dotenv["RELEASE_SIGNPATH_SIGNING_REQUEST_ID"])
    assert (request["signingPolicySlug"], request["description"]) == ("release-signing", "Tested")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    root = Path(__file__).parents[3]
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    subprocess.run(build, cwd=root, check=True, capture_output=True)
    [path] = directory.glob("*.whl")
    return path


@needs_wheels
@pytest.mark.full
def test_the_core_comes_by_pip_into_an_environment_of_its_own(project: Project, wheel: Path, tmp_path: Path) -> None:
    planted = "import pathlib; pathlib.Path('pwned').touch()\n"
    for module in ("venv", "pip", "sys", "signpath_ci"):
        (project.directory / f"{module}.py").write_text(planted)

    finished = _run(project, "sign", project.sign_inputs(package=f"signpath-ci[verify] @ {wheel.as_uri()}"), **OFFLINE)

    assert finished.code == 0, finished.log
    _assert_signed(project, project.directory / "signed" / "app.exe")
    assert not list(project.directory.rglob("pwned"))
    assert not list(tmp_path.glob(".local"))


@pytest.mark.full
def test_a_package_that_is_not_there_fails_the_job(project: Project) -> None:
    inputs = project.sign_inputs(package="signpath-ci==0.0.0.dev404")

    finished = _run(project, "sign", inputs, PIP_NO_INDEX="1")

    assert finished.code != 0
    assert "No matching distribution found for signpath-ci==0.0.0.dev404" in finished.log
