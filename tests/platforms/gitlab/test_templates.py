"""The templates as they are written: GitLab's schema, the one table of options, and what no template may do."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from signpath_ci import __version__
from signpath_ci.settings import DownloadSettings, Option, ResubmitSettings, SignSettings, options
from tests.platforms.gitlab.semantics import TEMPLATES, interpolate, read_template, required_inputs

SETTINGS = {"sign": SignSettings, "get-signed-artifact": DownloadSettings, "resubmit": ResubmitSettings}
OF_THE_TEMPLATE = {"stage", "job_name", "image", "package"}
NOT_OFFERED = {
    "connect_timeout",  # hardly ever needed: set the variable
    "json",  # the log is for people, the dotenv report for programs
    "parameter",  # `parameters` is the list
    "wait_for_completion",  # get-signed-artifact: waiting is what it is for
    "github_artifact_id", "github_token", "azure_devops_artifact_name", "azure_devops_token",
    "output_artifact_directory", "skip_decompress",  # GitLab's connector sends one file
}  # fmt: skip
OWN_DEFAULTS = {
    "connector_url": "https://gitlab.connectors.signpath.io",
    "stall_timeout": 300,
    "output": "signed/",
}
OWN_WORDS = {"output", "parameters", "api_token", "gitlab_access_token", "trusted_build_system_token"}


def _offered(name: str) -> dict[str, str]:
    """Return which input sets which option, as the job's variables tell it."""
    text = read_template(TEMPLATES / f"{name}.yml").text
    found = re.findall(
        r"^    SIGNPATH_(\w+):(?: \"| \|-\n      |\n      expand: false[^\n]*\n      value: \|\n        )"
        r"\$\[\[ inputs\.(\w+) \]\]\"?$",
        text,
        re.MULTILINE,
    )
    return {variable.lower().removesuffix("_var_name"): key for variable, key in found if variable != "CI_PACKAGE"}


def _options(name: str) -> dict[str, Option]:
    return {row.variable.removeprefix("SIGNPATH_").lower(): row for row in options(SETTINGS[name])}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_input_and_every_option_is_accounted_for(name: str) -> None:
    offered, known = _offered(name), _options(name)

    assert set(offered.values()) | OF_THE_TEMPLATE == set(read_template(TEMPLATES / f"{name}.yml").inputs)
    assert set(offered) - set(known) == set()
    assert set(known) - set(offered) - NOT_OFFERED == set()


@pytest.mark.parametrize("name", SETTINGS)
def test_inputs_are_described_and_preset_as_the_options_are(name: str) -> None:
    inputs, known = read_template(TEMPLATES / f"{name}.yml").inputs, _options(name)
    for variable, key in _offered(name).items():
        row, declared = known[variable], inputs[key]
        if variable not in OWN_WORDS:
            assert declared["description"] == row.help.replace(" Can be repeated.", ""), key
        if row.is_secret:
            assert declared["default"] == row.variable
            continue
        if variable in OWN_DEFAULTS and "default" in declared:
            assert declared["default"] == OWN_DEFAULTS[variable], key
            continue
        default = declared.get("default", "")
        said = str(default).lower() if isinstance(default, bool) else "" if default == [] else str(default)
        assert said == (row.default or ""), key
        assert tuple(declared.get("options", ())) == row.choices
        assert (declared.get("type") == "boolean") == row.is_flag


@pytest.mark.parametrize("name", SETTINGS)
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

    starts = {part(name, "      set -eu\n", "      # An input gives") for name in SETTINGS}
    general = {part(name, "    stage:\n", "    organization_id:\n").split("      default:", 2)[0] for name in SETTINGS}
    ends = {part(name, "  after_script:\n", "  artifacts:\n") for name in ("sign", "resubmit")}
    assert (len(starts), len(general), len(ends)) == (1, 1, 1)


def test_the_released_core_is_of_this_version() -> None:
    for name in SETTINGS:
        package = read_template(TEMPLATES / f"{name}.yml").inputs["package"]["default"]
        assert package == f"signpath-ci[verify]=={__version__}"


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


def _linter() -> str | None:
    tools = Path(__file__).parents[3] / ".venv-tools" / "bin"
    return shutil.which("check-jsonschema", path=f"{tools}:{Path(sys.executable).parent}")


@pytest.mark.skipif(_linter() is None, reason="check-jsonschema is not installed: make test does it")
def test_gitlabs_schema(tmp_path: Path) -> None:
    root = TEMPLATES.parent
    documents = [*sorted((root / "examples" / "gitlab").glob("*.yml")), root / ".gitlab-ci.yml"]
    for name in SETTINGS:
        template = read_template(TEMPLATES / f"{name}.yml")
        header = yaml.safe_load((TEMPLATES / f"{name}.yml").read_text("utf-8").partition("\n---\n")[0])
        (tmp_path / f"{name}.header.yml").write_text(yaml.safe_dump(header), "utf-8")
        (tmp_path / f"{name}.yml").write_text(interpolate(template, required_inputs(template)), "utf-8")
        documents += [tmp_path / f"{name}.header.yml", tmp_path / f"{name}.yml"]

    done = subprocess.run(
        [_linter() or "", "--builtin-schema", "vendor.gitlab-ci", *documents], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
