"""The manifest in a job: an option beats the environment, which beats the manifest, which beats the default."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.program import Program, Sandbox


@pytest.fixture
def job(program: Program, sandbox: Sandbox) -> Program:
    """A job that has no variables but where SignPath is, and the token."""
    (program.directory / ".signpath").mkdir()
    (program.directory / ".signpath" / "signing.yml").write_text(
        f"version: 1\norganization: {sandbox['organization_id']}\nproject: {sandbox['project_slug']}\n"
        f"policy: {sandbox['signing_policy_slug']}\nartifacts: [app.exe]\noutput:\n  path: from-manifest.exe\n"
        f"verify:\n  trust-roots: [{sandbox['trust_root']}]\nwait: {{timeout: 5m}}\n",
        encoding="utf-8",
    )
    kept = {name: text for name, text in program.environment.items() if not name.startswith("SIGNPATH_")}
    own = {name: program.environment[name] for name in ("SIGNPATH_API_URL", "SIGNPATH_API_TOKEN")}
    return replace(program, environment={**kept, **own})


def test_a_job_needs_no_more_than_the_manifest_and_the_token(job: Program, executable: Path) -> None:
    finished = job("sign")

    assert (finished.code, finished.out) == (0, "from-manifest.exe\n"), finished.err
    assert "trusted by root" in finished.err
    assert job("verify", "from-manifest.exe", "--unsigned", executable).code == 0


def test_config_shows_who_says_what(job: Program) -> None:
    told = job("config", "--output", "from-option.exe", "--json", SIGNPATH_DESCRIPTION="nightly").json

    assert {name: tuple(told[name].values()) for name in ("output", "description", "project_slug", "verify")} == {
        "output": ("from-option.exe", "--output"),
        "description": ("nightly", "SIGNPATH_DESCRIPTION"),
        "project_slug": (job("config", "--json").json["project_slug"]["value"], ".signpath/signing.yml:3"),
        "verify": ("signed", "default"),
    }
    assert told["wait_for_completion_timeout"] == {"value": "5m", "source": ".signpath/signing.yml:10"}
    assert told["api_token"] == {"value": "***", "source": "SIGNPATH_API_TOKEN"}
    assert told["trusted_build_system_token"] == {"value": None, "source": None}


def test_config_shows_no_secret_and_what_is_missing(program: Program) -> None:
    shown = program("config", SIGNPATH_PROJECT_SLUG="", SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN="hidden-token")

    assert shown.code == 0
    assert "required: --project-slug (SIGNPATH_PROJECT_SLUG)" in shown.out
    assert "hidden-token" not in shown.out + shown.err
    assert program.environment["SIGNPATH_API_TOKEN"] not in shown.out + shown.err


@pytest.mark.parametrize(
    ("arguments", "variable", "output"),
    [
        (["-o", "option.exe"], "variable.exe", "option.exe"),
        ([], "variable.exe", "variable.exe"),
        ([], "", "from-manifest.exe"),
    ],
)
def test_the_order(job: Program, executable: Path, arguments: list[str], variable: str, output: str) -> None:
    finished = job("sign", executable, *arguments, SIGNPATH_OUTPUT=variable)

    assert (finished.code, finished.out) == (0, f"{output}\n"), finished.err


def test_a_wrong_manifest_is_said_before_anything_is_done(job: Program) -> None:
    path = job.directory / "other.yml"
    path.write_text("version: 1\npolcy: x\nwait: {timeout: soon}\n", encoding="utf-8")

    finished = job("sign", "--manifest", "other.yml")

    assert finished.code == 2
    assert "other.yml:2: polcy is not known" in finished.error
    assert "other.yml:3: wait.timeout is" in finished.error


def test_the_manifest_s_file_is_not_another_command_s(job: Program) -> None:
    finished = job("verify", "--json")

    assert finished.code == 2
    assert finished.error_code == "no-artifact"


def test_the_schemas_are_in_what_is_shipped() -> None:
    from signpath_ci.schema import load_schema

    assert json.dumps(load_schema("signing"))
