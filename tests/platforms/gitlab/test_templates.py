"""The templates as they are written: GitLab's schema, the one table of options, and what no template may do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from tools import gitlab_templates

from tests.platforms.gitlab.semantics import TEMPLATES, interpolate, jobs, read_template, required_inputs
from tests.support.needs import find, needs

NAMES = tuple(gitlab_templates.TEMPLATES)


@pytest.mark.parametrize("path", gitlab_templates.made_files(), ids=lambda path: path.name)
def test_templates_and_documentation_are_those_of_the_one_table(path: Path) -> None:
    assert path.read_text("utf-8") == gitlab_templates.made_files()[path], "Run `make docs`."


@pytest.mark.parametrize(
    ("name", "command"), [("sign", "sign"), ("get-signed-artifact", "download"), ("resubmit", '"$command"')]
)
def test_the_job_runs_its_command_in_the_place_of_its_shell(name: str, command: str) -> None:
    [job] = jobs(
        read_template(TEMPLATES / f"{name}.yml"), required_inputs(read_template(TEMPLATES / f"{name}.yml"))
    ).values()

    assert job["script"][-1].endswith(f'exec "$@" {command} </dev/null\n')


@pytest.mark.parametrize("name", NAMES)
def test_no_input_reaches_a_script(name: str) -> None:
    text = read_template(TEMPLATES / f"{name}.yml").text

    for script in re.findall(r"^  (?:after_)?script:\n((?:    .*\n|\n)+)", text, re.MULTILINE):
        assert "$[[" not in script
        assert not re.search(r"\beval\b", script)
    assert "API_TOKEN: " not in text


def test_the_core_gets_there_in_the_same_way_in_all_templates() -> None:
    def part(name: str, start: str, end: str) -> str:
        text = (TEMPLATES / f"{name}.yml").read_text("utf-8")
        return text[text.index(start) : text.index(end, text.index(start))]

    starts = {part(name, "      set -eu\n", "      # The shell's place") for name in NAMES}
    ends = {part(name, "  after_script:\n", "  artifacts:\n") for name in ("sign", "resubmit")}
    assert (len(starts), len(ends)) == (1, 1)


def test_the_documented_components_inputs_are_all_there() -> None:
    documented = {
        "stage": "sign",
        "job_name": "submit-signing-request",
        "connector_url": "https://gitlab.connectors.signpath.io",
        "api_token_var_name": "SIGNPATH_API_TOKEN",
        "gitlab_access_token_var_name": "SIGNPATH_GITLAB_ACCESS_TOKEN",
        "organization_id": "",
        "project_slug": "",
        "signing_policy_slug": "",
        "artifact_configuration_slug": "",
        "gitlab_artifact_job_name": "",
        "gitlab_artifact_path": "",
        "output_artifact_path": "signed/",  # there is no default for it there
        "wait_for_completion": True,
        "parameters": [],
        "wait_for_completion_timeout_in_seconds": 600,
        "service_unavailable_timeout_in_seconds": 600,
        "download_signed_artifact_timeout_in_seconds": 300,
    }
    inputs = read_template(TEMPLATES / "sign.yml").inputs

    assert {name: inputs[name]["default"] for name in documented} == documented


@needs("check-jsonschema")
def test_gitlabs_schema(tmp_path: Path) -> None:
    root = TEMPLATES.parent
    documents = [*sorted((root / "examples" / "gitlab").glob("*.yml")), root / ".gitlab-ci.yml"]
    for name in NAMES:
        template = read_template(TEMPLATES / f"{name}.yml")
        header = yaml.safe_load((TEMPLATES / f"{name}.yml").read_text("utf-8").partition("\n---\n")[0])
        (tmp_path / f"{name}.header.yml").write_text(yaml.safe_dump(header), "utf-8")
        (tmp_path / f"{name}.yml").write_text(interpolate(template, required_inputs(template)), "utf-8")
        documents += [tmp_path / f"{name}.header.yml", tmp_path / f"{name}.yml"]

    done = subprocess.run(
        [find("check-jsonschema") or "", "--builtin-schema", "vendor.gitlab-ci", *documents],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
