"""The examples, run as they are but for the connector's address."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.platforms.github.act import Repository, Result
from tests.platforms.github.conftest import script
from tests.platforms.github.workflows import TOKENS
from tests.support.needs import ROOT, needs
from tests.support.pe import LAUNCHERS

pytestmark = needs("act")
Sandbox = dict[str, Any]
EXAMPLES = ROOT / "examples" / "github"
_KEY = "          organization-id: "
_GH = """#!/bin/sh
# Stands in for GitHub's program: what would be released is recorded.
mkdir -p "$RECORD/released"
printf '%s\\n' "$@" >"$RECORD/released.txt"
for file; do [ ! -f "$file" ] || cp "$file" "$RECORD/released/"; done
"""
_BUILD = """#!/bin/sh
mkdir -p dist
cp app.exe "dist/my app.exe"
"""


def _run(name: str, repository: Repository, sandbox: Sandbox, ref: str) -> Result:
    text = (EXAMPLES / name).read_text("utf-8")
    assert _KEY in text
    text = text.replace(_KEY, f"          connector-url: {sandbox['connectors']['github_pipeline']}\n{_KEY}")
    text = text.replace("project-slug: my-app", "project-slug: app")
    text += '      - run: cp -R . "$RECORD/workspace"\n'
    script(repository.directory / "build.sh", _BUILD)
    script(repository.home / "bin" / "gh", _GH)
    (repository.directory / "signing").mkdir()
    shutil.copyfile(sandbox["trust_root"], repository.directory / "signing" / "root.pem")
    return repository.run(
        text,
        ref=ref,
        secrets={"SIGNPATH_API_TOKEN": TOKENS["API_TOKEN"]},
        variables={"SIGNPATH_ORGANIZATION_ID": sandbox["organization_id"]},
        first_on_path=repository.home / "bin",
    )


def _certificate(path: Path, sandbox: Sandbox) -> str:
    root = Path(sandbox["trust_root"])
    [verdict] = verify_file(path, unsigned=LAUNCHERS["x64"], expectations=Expectations(trust_roots=(root,)))
    return verdict.signer.subject


def test_a_tag_is_released_with_the_release_signature(repository: Repository, sandbox: Sandbox) -> None:
    result = _run("release.yml", repository, sandbox, "tags/v1.2.3")

    assert result.code == 0, result.log
    assert "release-signing" in _certificate(result.record / "released" / "my app.exe", sandbox)
    arguments = (result.record / "released.txt").read_text("utf-8").splitlines()
    assert arguments[:4] == ["release", "create", "v1.2.3", "signed/my app.exe"]
    assert not any("test-signing" in str(entry["job"]) for entry in result.entries if "stage" in entry)


def test_a_branch_gets_the_test_signature_and_no_release(repository: Repository, sandbox: Sandbox) -> None:
    result = _run("release.yml", repository, sandbox, "main")

    assert result.code == 0, result.log
    assert not (result.record / "released.txt").exists()
    [summary] = {str(entry["content"]) for entry in result.commands("summary")}
    assert "app / test-signing" in summary
    assert "Completed" in summary


@pytest.mark.sample(1)
@pytest.mark.parametrize(("ref", "policy"), [("main", "test-signing"), ("tags/v1.2.3", "release-signing")])
def test_one_step_is_enough(ref: str, policy: str, repository: Repository, sandbox: Sandbox) -> None:
    result = _run("one-step.yml", repository, sandbox, ref)

    assert result.code == 0, result.log
    assert policy in _certificate(result.record / "workspace" / "dist" / "my app.exe", sandbox)


def test_there_is_no_example_that_no_test_runs() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == {
        "candidate-to-release.yml",
        "one-step.yml",
        "publish-later.yml",
        "release.yml",
        "submit-now.yml",
    }


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yml")), ids=lambda path: path.name)
def test_examples_ask_for_no_more_than_they_need(path: Path) -> None:
    text = path.read_text("utf-8")

    assert "\npermissions: {}\n" in text
    assert "write-all" not in text
