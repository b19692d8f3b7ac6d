"""What of a workflow reaches the core, and how: every input, byte for byte, through the environment alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tools.actions import ACTIONS, DOCUMENTATION, Action, filled_documentation, filled_manifest
from tools.manifests import defaults

from signpath_ci.errors import UsageError
from signpath_ci.platforms.plugin import plugin_environment
from tests.platforms.github.act import OURS, REF, TOKEN, Repository, Result
from tests.platforms.github.conftest import OUTPUTS
from tests.support.needs import needs

pytestmark = needs("act")
by_name = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)

COMMANDS = {
    "check": "check",
    "submit-signing-request": "sign",
    "sign": "sign",
    "get-signed-artifact": "download",
    "resubmit-signing-request": "resubmit",
}
HOSTILE = (
    "a  b \"double\" 'single' \\ back $(touch pwned) `touch pwned` ${HOME} %0A %HOME% !x *\n"
    "::set-output name=x::y\n##[error]z"
)


def _named(name: str) -> Action:
    return next(action for action in ACTIONS if action.name == name)


def _called(repository: Repository, action: Action, given: dict[str, str], **more: Any) -> Result:
    steps = [
        {"uses": "actions/checkout@v6"},
        {"id": "it", "uses": f"{OURS}/actions/{action.name}@{REF}", "with": given},
        {
            "run": 'printf \'%s\' "$OUTPUTS" >"$RECORD/outputs.json"; ls >"$RECORD/files"',
            "env": {"OUTPUTS": "${{ toJSON(steps.it.outputs) }}"},
        },
    ]
    return repository.run({"on": "push", "jobs": {"sign": {"runs-on": "ubuntu-latest", "steps": steps}}}, **more)


def _own(repository: Repository, action: Action) -> dict[str, str]:
    """Return what the action takes besides what it hands on, so that it comes as far as the core."""
    (repository.directory / "app.exe").write_bytes(b"MZ")
    return {"path": "app.exe"} if "path" in action.own else {}


@by_name
def test_every_input_reaches_the_core_as_it_is(action: Action, recording: Repository) -> None:
    given = {name: f"{HOSTILE} {name}" for name in action.inputs}

    result = _called(recording, action, {**_own(recording, action), **given})

    assert result.code == 0, result.log
    run = result.json("run")
    assert run["arguments"] == [COMMANDS[action.name]]
    assert {said.variable: run["environment"].get(said.variable) for said in action.inputs.values()} == {
        said.variable: given[name] for name, said in action.inputs.items()
    }
    assert "pwned" not in (result.record / "files").read_text("utf-8")


@pytest.mark.sample(2)
@by_name
def test_what_is_not_given_has_the_default_of_the_table(action: Action, recording: Repository) -> None:
    result = _called(recording, action, _own(recording, action))

    environment = result.json("run")["environment"]
    expected = {said.variable: said.default or "" for said in action.inputs.values()}
    expected["SIGNPATH_DEFAULTS"] = " ".join(defaults(action.inputs.values()))
    if "SIGNPATH_GITHUB_TOKEN" in expected:
        expected["SIGNPATH_GITHUB_TOKEN"] = TOKEN
    if action.expressions:
        expected["SIGNPATH_CONNECTOR_URL"] = ""  # there is no artifact's id
    assert {name: environment[name] for name in expected} == expected


@pytest.mark.sample(2)
@by_name
def test_every_output_of_the_core_is_an_output_of_the_action(action: Action, recording: Repository) -> None:
    result = _called(recording, action, _own(recording, action))

    assert result.json("outputs") == {name: f"said of {name}" for name in OUTPUTS}


@pytest.mark.sample(2)
@by_name
def test_a_job_s_own_variables_do_not_stand_in_for_inputs(action: Action, recording: Repository) -> None:
    leaked = {said.variable: "leaked" for said in action.inputs.values()}

    result = _called(recording, action, _own(recording, action), environment=leaked)

    assert "leaked" not in {
        text for name, text in result.json("run")["environment"].items() if name.startswith("SIGNPATH_")
    }


def _in_core(result: Result, recording: Repository) -> Mapping[str, str]:
    """Return the environment as the core reads it."""
    environment = {**result.json("run")["environment"], "SIGNPATH_PLUGIN": "true", "GITHUB_ACTIONS": "true"}
    return plugin_environment(environment, recording.directory)


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("given", "connector"),
    [
        ({"connector-url": "https://c.example"}, ""),  # the manifest may name a file
        ({"connector-url": "https://c.example", "github-artifact-id": "7"}, "https://c.example"),
        ({"connector-url": "https://c.example", "artifact-path": "app.exe"}, ""),
        # Both: the core refuses it, rather than one of them being passed over.
        (
            {"connector-url": "https://c.example", "artifact-path": "app.exe", "github-artifact-id": "7"},
            "https://c.example",
        ),
    ],
)
def test_a_file_of_the_job_goes_straight_to_signpath(
    given: dict[str, str], connector: str, recording: Repository
) -> None:
    action = ACTIONS[0]

    result = _called(recording, action, given)

    assert _in_core(result, recording).get("SIGNPATH_CONNECTOR_URL", "") == connector


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("path", "more", "directory"),
    [
        ("dist", {}, "dist"),
        ("dist/app.exe", {}, "{root}/dist"),
        ("app.exe", {}, "{root}"),
        ("-a b/$(touch pwned).exe", {}, "{root}/-a b"),
        ("dist/*.exe", {"output-artifact-directory": "signed"}, "signed"),
    ],
)
def test_signed_files_go_where_the_unsigned_ones_lie(
    path: str, more: dict[str, str], directory: str, recording: Repository
) -> None:
    for name in ("app.exe", "dist/app.exe", "-a b/$(touch pwned).exe"):
        file = recording.directory / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"MZ")

    result = _called(recording, ACTIONS[1], {"path": path, **more})

    environment = _in_core(result, recording)
    assert environment["SIGNPATH_OUTPUT_ARTIFACT_DIRECTORY"] == directory.format(root=recording.directory)
    assert environment["SIGNPATH_GITHUB_ARTIFACT_ID"].isdigit()


@pytest.mark.parametrize(("said", "command"), [("true", "promote"), ("false", "resubmit")])
def test_a_candidate_is_promoted_only_where_that_is_said(said: str, command: str, recording: Repository) -> None:
    result = _called(recording, _named("resubmit-signing-request"), {"promote": said})

    assert result.json("run")["arguments"] == [command]


def test_what_does_not_say_whether_it_is_promoted_is_refused(recording: Repository) -> None:
    result = _called(recording, _named("resubmit-signing-request"), {"promote": "yes; touch pwned"})

    assert result.code != 0
    assert result.errors == ["promote is neither true nor false. [invalid-option]"]
    assert not (result.record / "run.json").exists()


def test_a_pattern_does_not_say_where_signed_files_go(recording: Repository) -> None:
    (recording.directory / "app.exe").write_bytes(b"MZ")

    result = _called(recording, ACTIONS[1], {"path": "*.exe"})

    with pytest.raises(UsageError) as caught:
        _in_core(result, recording)
    assert caught.value.code == "no-output"


# The contract's section 3: what the official action takes and gives. `None`: mandatory or without a default.
OFFICIAL_INPUTS = {
    "connector-url": "https://pipelineconnector.connectors.signpath.io/GitHubActions/GitHubCom",
    "api-token": None,
    "organization-id": None,
    "project-slug": None,
    "signing-policy-slug": None,
    "github-artifact-id": None,
    "artifact-configuration-slug": None,
    "github-token": "${{ github.token }}",
    "wait-for-completion": "true",
    "output-artifact-directory": None,
    "wait-for-completion-timeout-in-seconds": "600",
    "service-unavailable-timeout-in-seconds": "600",
    "download-signed-artifact-timeout-in-seconds": "300",
    "parameters": None,
    "skip-decompress": "false",
}


def test_a_workflow_for_the_official_action_is_one_for_ours() -> None:
    manifest = yaml.safe_load(ACTIONS[0].manifest.read_text("utf-8"))

    assert {name: manifest["inputs"][name].get("default") for name in OFFICIAL_INPUTS} == OFFICIAL_INPUTS
    assert {"signing-request-id", "signing-request-web-url", "signed-artifact-download-url"} <= manifest[
        "outputs"
    ].keys()


@by_name
def test_the_manifest_says_what_the_table_of_options_says(action: Action) -> None:
    text = action.manifest.read_text("utf-8")

    assert filled_manifest(action, text) == text, "run `make docs`"
    assert list(yaml.safe_load(text)["inputs"]) == [*action.own, *action.inputs]


def test_the_documentation_says_what_the_table_of_options_says() -> None:
    text = DOCUMENTATION.read_text("utf-8")

    assert filled_documentation(text) == text, "run `make docs`"


def test_there_is_no_action_that_no_test_knows() -> None:
    folders = {path.parent.name for path in Path(ACTIONS[0].manifest).parents[1].glob("*/action.yml")}

    assert folders == {action.name for action in ACTIONS} == COMMANDS.keys()
