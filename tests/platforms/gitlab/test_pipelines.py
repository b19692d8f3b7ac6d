"""Whole pipelines: build, sign and release jobs, artifacts and dotenv variables between them."""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.platforms.gitlab.conftest import API_TOKEN, GITLAB_TOKEN, Git, Project
from tests.platforms.gitlab.local import FinishedPipeline, needs_gitlab_ci_local, run_pipeline
from tests.platforms.gitlab.semantics import TEMPLATES, interpolate, read_template
from tests.platforms.sandboxes import write_manifest
from tests.support.pe import LAUNCHERS

pytestmark = needs_gitlab_ci_local

EXAMPLE = TEMPLATES.parent / "examples" / "gitlab" / "release.yml"
BUILD = {"stage": "build", "script": ["cp launcher.exe app.exe"], "artifacts": {"paths": ["app.exe"]}}
RELEASE = {
    "stage": "release",
    "needs": ["sign"],
    "script": ['echo "id=$SIGN_SIGNPATH_SIGNING_REQUEST_ID"', 'echo "url=$SIGN_SIGNPATH_SIGNING_REQUEST_WEB_URL"'],
}


def _run(project: Project, git: Git, pipeline: object, *, tag: str | None = None, **variables: str) -> FinishedPipeline:
    directory = project.directory
    text = pipeline if isinstance(pipeline, str) else yaml.safe_dump(pipeline)
    (directory / ".gitlab-ci.yml").write_text(text, "utf-8")
    git(directory, "init", "--quiet")
    git(directory, "remote", "add", "origin", "https://gitlab.com/acme/app.git")
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", "Begin")
    known = {name: text for name, text in project.known.items() if name not in {"PATH", "HOME", "CI_COMMIT_SHA"}}
    known |= {"CI_COMMIT_TAG": tag, "CI_COMMIT_BRANCH": ""} if tag else {}
    finished = run_pipeline(directory, {**known, **variables}, project.known["PATH"], Path(project.known["HOME"]))
    # The runner's own copy of the variables is not what is looked at here.
    state = directory / ".gitlab-ci-local"
    files = [path for path in directory.rglob("*") if path.is_file() and state / "artifacts" not in path.parents]
    texts = [path.read_bytes() for path in files if state not in path.parents and ".git" not in path.parts]
    texts += [path.read_bytes() for path in (state / "artifacts").rglob("*") if path.is_file()]
    for token in (API_TOKEN, GITLAB_TOKEN):
        assert token not in finished.log
        assert not [text for text in texts if token.encode() in text]
    return finished


def _template(project: Project, inputs: dict[str, object], name: str = "sign.yml") -> dict[str, object]:
    (project.directory / "launcher.exe").write_bytes(LAUNCHERS["x64"].read_bytes())
    (project.directory / "app.exe").unlink(missing_ok=True)
    shutil.copyfile(TEMPLATES / name, project.directory / name)
    return {"local": name, "inputs": inputs}


def _pipeline(include: object, **jobs: object) -> dict[str, object]:
    return {"stages": ["build", "sign", "release"], "include": [include], "build": BUILD, "release": RELEASE, **jobs}


def _assert_signed(project: Project, path: Path, policy: str) -> None:
    [verdict] = verify_file(
        path,
        unsigned=LAUNCHERS["x64"],
        expectations=Expectations(trust_roots=(Path(project.sandbox["trust_root"]),), subject=f"({policy})"),
    )
    assert verdict.identity == "same"


def test_build_sign_release(project: Project, git: Git) -> None:
    description = """it's "odd" $(touch pwned) `touch pwned`"""
    inputs = project.sign_inputs(job_name="sign", description=description, parameters=[{"a": 'b "c"\n$HOME'}])

    finished = _run(project, git, _pipeline(_template(project, inputs)))

    assert finished.code == 0, finished.log
    _assert_signed(project, finished.artifacts("sign") / "signed" / "app.exe", "test-signing")
    said = dict(line.split("=", 1) for line in finished.said("release"))
    request = project.request(said["id"])
    assert said["url"] == request["webLink"]
    assert (request["description"], request["parameters"]) == (description, {"a": 'b "c"\n$HOME'})
    assert not list(project.directory.rglob("pwned"))


def test_the_manifest_says_what_no_input_says_and_an_input_wins(project: Project, git: Git) -> None:
    write_manifest(
        project.directory,
        project="app",
        policy=["branch main: test-signing"],
        artifacts=["app.exe"],
        description="by the manifest",
        parameters={"a": "manifest"},
        wait={"for-completion": False},
    )
    inputs = project.inputs(job_name="sign", description="by the input")

    finished = _run(project, git, _pipeline(_template(project, inputs)))

    assert finished.code == 0, finished.log
    request = project.request(dict(line.split("=", 1) for line in finished.said("release"))["id"])
    assert (request["signingPolicySlug"], request["parameters"]) == ("test-signing", {"a": "manifest"})
    assert request["description"] == "by the input"
    assert not list((finished.artifacts("sign") / "signed").iterdir())


def test_a_request_that_fails_stops_the_pipeline_and_says_why(project: Project, git: Git) -> None:
    inputs = project.sign_inputs(job_name="sign", signing_policy_slug="nonsense")

    finished = _run(project, git, _pipeline(_template(project, inputs)))

    assert finished.code != 0
    assert [line for line in finished.said("sign") if line.startswith("error: ") and "nonsense" in line]
    assert finished.said("release") == []
    assert not (finished.artifacts("sign") / "signed").exists()


def test_with_gitlabs_own_interpolation(project: Project, git: Git) -> None:
    inputs = project.sign_inputs(job_name="sign", parameters=[{"a": "it's"}, {"b": "line\nline: \\"}])
    include = _template(project, inputs)
    text = interpolate(read_template(project.directory / "sign.yml"), inputs)
    (project.directory / "sign.yml").write_text(text, "utf-8")
    del include["inputs"]

    finished = _run(project, git, _pipeline(include))

    assert finished.code == 0, finished.log
    said = dict(line.split("=", 1) for line in finished.said("release"))
    assert project.request(said["id"])["parameters"] == {"a": "it's", "b": "line\nline: \\"}


@pytest.fixture
def web() -> Iterator[str]:
    """The templates on a web server, and nothing else of the project."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            del format, args

    handler = functools.partial(Quiet, directory=str(TEMPLATES))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_submit_now_fetch_later_from_remote_templates(project: Project, git: Git, web: str) -> None:
    (project.directory / "launcher.exe").write_bytes(LAUNCHERS["x64"].read_bytes())
    later = {
        "remote": f"{web}/get-signed-artifact.yml",
        "inputs": project.inputs(
            job_name="fetch",
            stage="release",
            signing_request_id="$SIGN_SIGNPATH_SIGNING_REQUEST_ID",
            output_artifact_path="dist/app.exe",
            unsigned="app.exe",
        ),
    }
    now = {
        "remote": f"{web}/sign.yml",
        "inputs": project.sign_inputs(job_name="sign", wait_for_completion=False),
    }

    finished = _run(project, git, {**_pipeline(now), "include": [now, later]})

    assert finished.code == 0, finished.log
    assert not list((finished.artifacts("sign") / "signed").iterdir())
    _assert_signed(project, finished.artifacts("fetch") / "dist" / "app.exe", "test-signing")


@pytest.mark.sample(1)
@pytest.mark.parametrize(("tag", "policy"), [(None, "test-signing"), ("v1.2.3", "release-signing")])
def test_the_example(project: Project, git: Git, tag: str | None, policy: str) -> None:
    (project.directory / "launcher.exe").write_bytes(LAUNCHERS["x64"].read_bytes())
    (project.directory / "Makefile").write_text("dist/app.exe:\n\tmkdir dist\n\tcp launcher.exe $@\n")
    stored = Path(project.sandbox["artifact_store"]) / "gitlab" / "build" / "dist" / "app.exe"
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_bytes(LAUNCHERS["x64"].read_bytes())
    shutil.copytree(TEMPLATES, project.directory / "gitlab")
    example, count = re.subn(
        r"^  - project: .*\n    ref: .*\n    file: (.*)$",
        r"  - local: \1",
        EXAMPLE.read_text("utf-8"),
        flags=re.MULTILINE,
    )
    assert count == 1

    finished = _run(
        project,
        git,
        example.replace("my-app", "app"),
        tag=tag,
        SIGNPATH_ORGANIZATION_ID=project.sandbox["organization_id"],
        SIGNPATH_API_URL=project.sandbox["api_url"],
        SIGNPATH_CONNECTOR_URL=project.sandbox["connectors"]["gitlab"],
        SIGNPATH_TRUST_ROOT=project.sandbox["trust_root"],
        SIGNPATH_CI_PACKAGE=str(project.core),
    )

    assert finished.code == 0, finished.log
    _assert_signed(project, finished.artifacts("sign") / "signed" / "app.exe", policy)
    released = [line for line in finished.said("release") if line.startswith("Signed by request ")]
    assert len(released) == (1 if tag else 0)
    if tag:
        request = project.request(released[0].split()[3].rstrip(","))
        assert (request["signingPolicySlug"], request["parameters"]) == (policy, {"Version": "1.2.3"})
