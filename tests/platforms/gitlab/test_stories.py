"""Releases that take more than one run: the examples, but for where the templates and the sandbox are."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import yaml

from tests.platforms.gitlab.conftest import API_TOKEN, FARM_TOKEN, Git, Project
from tests.platforms.gitlab.local import FinishedPipeline, needs_gitlab_ci_local, run_pipeline
from tests.platforms.gitlab.semantics import TEMPLATES
from tests.platforms.processes import OnLine
from tests.platforms.story import Approver, build, demand_promoted, demand_signed
from tests.support.oracles import needs_osslsigncode
from tests.support.servers import serving

pytestmark = [needs_gitlab_ci_local, needs_osslsigncode]
EXAMPLES = TEMPLATES.parent / "examples" / "gitlab"
JOB_TOKEN = "job-token-70c1d2aa"
TAG = "v1.2.3"
Packages = dict[str, bytes]


@pytest.fixture
def packages() -> Packages:
    """What lies in the project's package registry, by path."""
    return {}


@pytest.fixture
def gitlab(packages: Packages) -> Iterator[str]:
    """GitLab's API, as far as it keeps packages."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        sent = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        if handler.headers["JOB-TOKEN"] != JOB_TOKEN:
            status, content = 401, b""
        elif handler.command == "PUT":
            packages[handler.path] = sent
            status, content = 201, b'{"message":"201 Created"}\n'
        else:
            content = packages.get(handler.path, b"")
            status = 200 if content else 404
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    with serving(answer) as url:
        yield f"{url}/api/v4"


def test_there_is_no_example_that_no_test_runs() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == {
        "candidate-to-release.yml",
        "publish-later.yml",
        "release.yml",
        "windows.yml",  # tests/windows runs its job
    }


class Example:
    """A project whose pipeline is one of the examples."""

    def __init__(self, project: Project, git: Git, gitlab: str, name: str) -> None:
        directory = project.directory
        text, count = re.subn(
            r"^  - project: .*\n    ref: .*\n    file: (.*)$",
            r"  - local: \1",
            (EXAMPLES / name).read_text("utf-8"),
            flags=re.MULTILINE,
        )
        assert count == 2
        (directory / ".gitlab-ci.yml").write_text(text, "utf-8")
        (directory / ".gitignore").write_text(".gitlab-ci-local\n")
        shutil.copytree(TEMPLATES, directory / "gitlab")
        (directory / "app.exe").unlink()
        build(directory / "launcher.exe")
        (directory / "Makefile").write_text("dist/app.exe:\n\tmkdir dist\n\tcp launcher.exe $@\n")
        (directory / "signing").mkdir()
        shutil.copyfile(project.sandbox["trust_root"], directory / "signing" / "root.pem")
        # The tests of the signed file: it must be there, and not be the unsigned one.
        (directory / "test.sh").write_text('#!/bin/sh -e\n! cmp "$1" launcher.exe\necho "tested $1"\n')
        (directory / "test.sh").chmod(0o755)
        self._project, self._git, self._gitlab = project, git, gitlab
        jobs = [job for job in yaml.safe_load(text).values() if isinstance(job, dict)]
        self._cached = [path for job in jobs if "cache" in job for path in job["cache"]["paths"]]
        assert self._cached
        git(directory, "init", "--quiet")
        git(directory, "remote", "add", "origin", "https://gitlab.com/acme/app.git")
        self.commit()

    @property
    def unsigned(self) -> Path:
        """The file that is built."""
        return self._project.directory / "launcher.exe"

    def commit(self) -> None:
        """Commit what there is, to `main`."""
        self._git(self._project.directory, "add", "--all")
        self._git(self._project.directory, "commit", "--quiet", "--allow-empty", "--message", "A commit")

    def run(self, *, tag: str | None, jobs: Sequence[str] = (), on_line: OnLine | None = None) -> FinishedPipeline:
        """Run the pipeline of the commit, of `main` or a tag, or some of its jobs."""
        project = self._project
        left_out = {"PATH", "HOME", "CI_COMMIT_SHA", "SIGNPATH_GITLAB_ACCESS_TOKEN"}
        variables = {name: text for name, text in project.known.items() if name not in left_out}
        variables |= {"CI_COMMIT_TAG": tag, "CI_COMMIT_BRANCH": ""} if tag else {}
        variables |= {
            "CI_DEFAULT_BRANCH": "main",
            "CI_API_V4_URL": self._gitlab,
            "CI_JOB_TOKEN": JOB_TOKEN,
            "SIGNPATH_API_URL": project.sandbox["api_url"],
            "SIGNPATH_CI_PACKAGE": str(project.core),
            "SIGNPATH_ORGANIZATION_ID": project.sandbox["organization_id"],
            "SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN": FARM_TOKEN,
        }
        home = Path(project.known["HOME"])
        # As GitLab's runner does before a job, where a cache brings the receipt back; this one leaves that where it is.
        kept = [option for path in (".gitlab-ci-local", *self._cached) for option in ("--exclude", path)]
        if not jobs:  # a part of a pipeline has the artifacts of its other jobs
            self._git(project.directory, "clean", "-ffdx", *kept)
        finished = run_pipeline(project.directory, variables, project.known["PATH"], home, jobs=jobs, on_line=on_line)
        assert [token for token in (API_TOKEN, FARM_TOKEN, JOB_TOKEN) if token in finished.log] == []
        return finished


@pytest.mark.full
def test_the_tested_candidate_of_the_tag_is_approved_and_released(
    project: Project, git: Git, gitlab: str, packages: Packages
) -> None:
    example = Example(project, git, gitlab, "candidate-to-release.yml")
    approver = Approver(project.sandbox, example.unsigned)

    candidate = example.run(tag=None)

    assert candidate.code == 0, candidate.log
    tested = candidate.artifacts("candidate") / "candidate" / "app.exe"
    demand_signed(tested, project.sandbox, "test-signing", unsigned=example.unsigned)
    assert "tested candidate/app.exe" in candidate.said("test")
    assert len(packages) == 1

    release = example.run(tag=TAG, on_line=approver)

    assert release.code == 0, release.log
    released = release.artifacts("publish") / "release" / "app.exe"
    demand_signed(released, project.sandbox, "release-signing", unsigned=example.unsigned)
    demand_promoted(approver)
    [notice] = [line for line in release.said("promote") if "waits for approval" in line]
    assert approver.requests[1]["web_link"] in notice

    # A job that is run again goes on with its request.
    again = example.run(tag=TAG)

    assert again.code == 0, again.log
    demand_promoted(approver)


@pytest.mark.full
def test_the_tag_of_another_commit_is_refused(project: Project, git: Git, gitlab: str, packages: Packages) -> None:
    example = Example(project, git, gitlab, "candidate-to-release.yml")
    approver = Approver(project.sandbox, example.unsigned)
    assert example.run(tag=None).code == 0
    example.commit()

    untested = example.run(tag=TAG)

    assert untested.code != 0
    assert "404" in " ".join(untested.said("tested"))
    assert untested.said("promote") == []

    # Somebody passes the candidate off as this commit's.
    [(path, receipt)] = packages.items()
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=project.directory, text=True).strip()
    packages[re.sub("[0-9a-f]{40}", head, path)] = receipt

    refused = example.run(tag=TAG)

    assert refused.code != 0
    [error] = [line for line in refused.said("promote") if line.startswith("error: ")]
    assert "can't be promoted: by SignPath it was built from " in error
    assert re.search(r"^promote +finished in .* FAIL 7", refused.log, re.MULTILINE)
    assert not list(refused.directory.rglob("release/app.exe"))
    assert len(approver.requests) == 1


@pytest.mark.full
def test_no_runner_waits_for_the_approval(project: Project, git: Git, gitlab: str) -> None:
    example = Example(project, git, gitlab, "publish-later.yml")
    approver = Approver(project.sandbox, example.unsigned)

    # On GitLab, the manual job holds up what comes after it; here that would be run without.
    submitted = [example.run(tag=TAG, jobs=["build", "submit"]) for _ in range(2)]

    assert [run.code for run in submitted] == [0, 0], submitted[0].log
    # Run again, the job has gone on with its request.
    assert [entry["status"] for entry in approver.requests] == ["WaitingForApproval"]

    approver.approve()
    published = [example.run(tag=TAG, jobs=[job]) for job in ("fetch", "publish")]

    assert [run.code for run in published] == [0, 0], published[0].log
    signed = published[-1].artifacts("publish") / "signed" / "app.exe"
    demand_signed(signed, project.sandbox, "release-signing", unsigned=example.unsigned)
    assert [entry["times_signed"] for entry in approver.requests] == [1]
