"""Releases that take more than one run: the examples, run as they are but for the sandbox's address."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.platforms.github.act import Repository, Result
from tests.platforms.github.conftest import script
from tests.platforms.github.workflows import TOKENS
from tests.platforms.story import Approver, build, demand_promoted, demand_signed
from tests.support.needs import ROOT, needs
from tests.support.oracles import needs_osslsigncode

pytestmark = [needs("act"), needs_osslsigncode]
Sandbox = dict[str, Any]
EXAMPLES = ROOT / "examples" / "github"
_SECRETS = {
    "SIGNPATH_API_TOKEN": TOKENS["API_TOKEN"],
    "SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN": TOKENS["SYSTEM_TOKEN"],
}
_BUILD = "#!/bin/sh\nset -e\nmkdir dist\ncp app.exe dist/\n"
# What runs the tests of the signed file: it must be there, and signed.
_TEST = """#!/bin/sh
set -e
! cmp "$1" app.exe
mkdir -p "$RECORD/tested"
cp "$1" "$RECORD/tested/"
"""
# GitHub's program: it knows one run, of any commit, and what is released.
_GH = """#!{python}
import os, pathlib, shutil, sys, zipfile

kept, record = pathlib.Path(os.environ["KEPT"]), pathlib.Path(os.environ["RECORD"])
match sys.argv[1:]:
    case ["run", "list", *options]:
        assert options[options.index("--commit") + 1] == os.environ["GITHUB_SHA"]
        print("7" if (kept / "artifacts" / "candidate.zip").exists() else "", end="")
    case ["run", "download", "7", "--name", name, "--dir", directory]:
        zipfile.ZipFile(kept / "artifacts" / f"{{name}}.zip").extractall(directory)
    case ["release", "create", tag, file, *_]:
        shutil.copy(file, record / f"{{tag}}.exe")
"""


@pytest.fixture
def project(repository: Repository, sandbox: Sandbox) -> Repository:
    """A repository as the examples expect it."""
    build(repository.directory / "app.exe")
    script(repository.directory / "build.sh", _BUILD)
    script(repository.directory / "test.sh", _TEST)
    script(repository.home / "bin" / "gh", _GH.format(python=sys.executable))
    (repository.directory / "signing").mkdir()
    (repository.directory / "signing" / "root.pem").write_bytes(Path(sandbox["trust_root"]).read_bytes())
    return repository


def _run(project: Repository, sandbox: Sandbox, name: str, **more: Any) -> Result:
    text = (EXAMPLES / name).read_text("utf-8")
    key = "          organization-id: "
    assert key in text
    return project.run(
        text.replace(key, f"          api-url: {sandbox['api_url']}\n{key}"),
        secrets=_SECRETS,
        variables={"SIGNPATH_ORGANIZATION_ID": sandbox["organization_id"]},
        first_on_path=project.home / "bin",
        **more,
    )


def test_the_tested_candidate_of_the_tag_is_approved_and_released(project: Repository, sandbox: Sandbox) -> None:
    unsigned = project.directory / "app.exe"
    approver = Approver(sandbox, unsigned)

    candidate = _run(project, sandbox, "candidate-to-release.yml")

    assert candidate.code == 0, candidate.log
    demand_signed(candidate.record / "tested" / "app.exe", sandbox, "test-signing", unsigned=unsigned)

    tag = {"ref": "tags/v1.2.3", "same_commit": True}
    release = _run(project, sandbox, "candidate-to-release.yml", **tag, on_line=approver)

    assert release.code == 0, release.log
    demand_signed(release.record / "v1.2.3.exe", sandbox, "release-signing", unsigned=unsigned)
    demand_promoted(approver)
    [notice] = [str(entry["arg"]) for entry in release.commands("notice")]
    assert "waits for approval" in notice
    assert approver.requests[1]["web_link"] in notice

    # A job that is run again goes on with its request.
    again = _run(project, sandbox, "candidate-to-release.yml", **tag)

    assert again.code == 0, again.log
    demand_promoted(approver)


@pytest.mark.full
def test_the_tag_of_another_commit_is_refused(project: Repository, sandbox: Sandbox) -> None:
    approver = Approver(sandbox, project.directory / "app.exe")
    assert _run(project, sandbox, "candidate-to-release.yml").code == 0

    release = _run(project, sandbox, "candidate-to-release.yml", ref="tags/v1.2.3")

    assert release.code != 0
    [error] = release.errors
    assert "can't be promoted: by SignPath it was built from " in error
    assert "exit status 7" in release.log
    assert not (release.record / "v1.2.3.exe").exists()
    assert len(approver.requests) == 1


def test_without_a_tested_candidate_nothing_is_released(project: Repository, sandbox: Sandbox) -> None:
    release = _run(project, sandbox, "candidate-to-release.yml", ref="tags/v1.2.3")

    assert release.code != 0
    assert [error.startswith("There is no tested candidate of ") for error in release.errors] == [True]


@pytest.mark.full
def test_no_runner_waits_for_the_approval(project: Repository, sandbox: Sandbox) -> None:
    unsigned = project.directory / "app.exe"
    approver = Approver(sandbox, unsigned)
    later = {"event": "workflow_dispatch", "ref": "tags/v1.2.3", "same_commit": True, "inputs": {"run": "7"}}

    submitted = [
        _run(project, sandbox, "submit-now.yml", ref="tags/v1.2.3", same_commit=again) for again in (False, True)
    ]

    assert [result.code for result in submitted] == [0, 0], submitted[-1].log
    # Run again, the job has gone on with its request.
    assert [entry["status"] for entry in approver.requests] == ["WaitingForApproval"]

    approver.approve()
    published = _run(project, sandbox, "publish-later.yml", **later)

    assert published.code == 0, published.log
    demand_signed(published.record / "v1.2.3.exe", sandbox, "release-signing", unsigned=unsigned)
    assert [entry["times_signed"] for entry in approver.requests] == [1]
