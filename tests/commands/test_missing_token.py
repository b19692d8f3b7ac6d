"""A build without a token, such as that of a fork's pull request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builds import PLATFORMS
from tests.support.program import Program

WORDS = "There is no API token (SIGNPATH_API_TOKEN): nothing is signed, as --on-missing-token skip requires."
TAG = {
    "github": {"GITHUB_REF": "refs/tags/v1"},
    "gitlab": {"CI_COMMIT_BRANCH": "", "CI_COMMIT_TAG": "v1"},
    "azure": {"BUILD_SOURCEBRANCH": "refs/tags/v1"},
}


def _without_token(program: Program, platform: str, **more: str) -> Program:
    return replace(
        program, environment={**program.environment, **PLATFORMS[platform], "SIGNPATH_API_TOKEN": "", **more}
    )


@pytest.mark.parametrize("command", ["sign", "submit", "resubmit", "promote", "download"])
def test_it_is_an_error_unless_it_may_be_skipped(program: Program, command: str) -> None:
    assert program(command, "app.exe", SIGNPATH_API_TOKEN="").code == 2
    skipped = program(command, "app.exe", SIGNPATH_API_TOKEN="", SIGNPATH_ON_MISSING_TOKEN="skip")
    assert (skipped.code, skipped.out, skipped.err) == (0, "", f"warning: {WORDS}\n")


def test_github_shows_it_and_later_steps_know(program: Program, executable: Path, tmp_path: Path) -> None:
    output, summary = tmp_path / "output", tmp_path / "summary.md"
    job = _without_token(program, "github", GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary))

    skipped = job("sign", executable, "--on-missing-token", "skip", "--json")

    assert (skipped.code, skipped.json) == (0, {"signed": False, "error": None})
    assert skipped.err.splitlines() == [f"warning: {WORDS}", f"::warning title=SignPath::{WORDS}"]
    assert [line for line in output.read_text("utf-8").splitlines() if "signpath-" not in line] == ["false"]
    assert summary.read_text("utf-8").splitlines()[0] == "### SignPath: nothing to sign"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_build_of_a_tag_is_never_let_pass_unsigned(program: Program, executable: Path, platform: str) -> None:
    refused = _without_token(program, platform, **TAG[platform])("sign", executable, "--on-missing-token", "skip")

    assert refused.code == 2
    assert refused.error.startswith("There is no API token (SIGNPATH_API_TOKEN), and a build of a tag is not let pass")


def test_with_a_token_it_changes_nothing(program: Program, executable: Path) -> None:
    assert program("sign", executable, "--on-missing-token", "skip").out == f"{executable.with_suffix('.signed.exe')}\n"
