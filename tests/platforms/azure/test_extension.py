"""The extension as it is packed: what `tfx` does not check."""

from __future__ import annotations

import json
import re
import uuid
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tools.azure_tasks import AZURE, TASKS, inputs_of, manifests, task_version

from signpath_ci import __version__
from signpath_ci.report.azure import _NAMES as OUTPUT_NAMES
from tests.platforms.azure.conftest import Extension

HANDLERS = {"Node20_1", "Node24"}
# What the documented task has (wire contract, section 2, "Azure DevOps").
DOCUMENTED = {
    "serviceConnectionName": None,
    "projectSlug": None,
    "signingPolicySlug": None,
    "artifactConfigurationSlug": None,
    "azureDevOpsArtifactName": None,
    "waitForCompletion": "true",
    "outputArtifactDirectory": None,
    "waitForCompletionTimeoutInSeconds": "600",
    "serviceUnavailableTimeoutInSeconds": "600",
    "downloadSignedArtifactTimeoutInSeconds": "300",
    "parameters": None,
}


def manifest(task: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((AZURE / "tasks" / task / "task.json").read_text("utf-8"))
    return content


def test_manifests_are_what_the_code_says() -> None:
    assert {path: path.read_text("utf-8") for path in manifests()} == manifests(), "Run `make docs`."


@pytest.mark.parametrize(
    ("older", "newer"), [("0.1.0", "0.1.1"), ("0.1.9", "0.2.0"), ("0.9.9", "1.0.0"), ("1.99.0", "2.0.0")]
)
def test_later_versions_of_tasks_are_higher(older: str, newer: str) -> None:
    assert list(task_version(older).values()) < list(task_version(newer).values())


def test_the_documented_inputs_are_there_with_their_defaults() -> None:
    inputs = {row["name"]: row.get("defaultValue") for row in manifest("SubmitSigningRequest")["inputs"]}
    assert {name: inputs.get(name, "missing") for name in DOCUMENTED} == DOCUMENTED


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_whole(task: str) -> None:
    said = manifest(task)
    assert (said["name"], str(uuid.UUID(said["id"])), set(said["execution"])) == (task, said["id"], HANDLERS)
    assert len(said["friendlyName"]) <= 40
    names = [row["name"] for row in said["inputs"]]
    assert len(set(names)) == len(names)
    assert {row["name"] for row in said["inputs"]} - {"serviceConnectionName"} == {
        known.name for known in inputs_of(task)
    }
    groups = {group["name"] for group in said["groups"]}
    assert {row["groupName"] for row in said["inputs"] if "groupName" in row} <= groups
    assert all(row["helpMarkDown"].endswith(".") for row in said["inputs"])
    macros = re.findall(r"\$\((\w+)\)", said["instanceNameFormat"])
    assert set(macros) <= set(names)


@pytest.mark.parametrize("task", TASKS)
def test_a_task_may_set_its_outputs_and_no_other_variable(task: str) -> None:
    said = manifest(task)
    outputs = [output["name"] for output in said["OutputVariables"]]
    assert said["restrictions"] == {"settableVariables": {"allowed": outputs}}
    # What the reporter sets; the restricted mode of commands would forbid the summary.
    assert sorted(outputs) == sorted(OUTPUT_NAMES.values())


def test_ids_are_unique() -> None:
    assert len({manifest(task)["id"] for task in TASKS}) == len(TASKS)


def test_what_is_packed(extension: Extension, core: Path) -> None:
    with zipfile.ZipFile(extension.path) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    of_tasks = {
        f"tasks/{task}/{name}"
        for task in TASKS
        for name in ("task.json", "index.js", "icon.png", "lib.json", "signpath-ci.pyz")
    }
    of_tfx = {"extension.vsomanifest", "extension.vsixmanifest", "[Content_Types].xml"}
    assert names == of_tasks | of_tfx | {"overview.md", "LICENSE", "images/icon.png"}
    for task, directory in extension.tasks.items():
        assert json.loads((directory / "task.json").read_text("utf-8")) == manifest(task.removesuffix("@4"))
        assert all(
            (directory / handler["target"]).is_file() for handler in manifest(directory.name)["execution"].values()
        )
        assert (directory / "signpath-ci.pyz").read_bytes() == core.read_bytes()


def test_the_packed_manifests(extension: Extension) -> None:
    root = ET.parse(extension.directory / "extension.vsixmanifest").getroot()
    [identity] = root.iter("{http://schemas.microsoft.com/developer/vsx-schema/2011}Identity")
    assert (identity.attrib["Id"], identity.attrib["Version"]) == ("signpath-ci", __version__)
    contributions = json.loads((extension.directory / "extension.vsomanifest").read_text("utf-8"))["contributions"]
    tasks = [c["properties"]["name"] for c in contributions if c["type"] == "ms.vss-distributed-task.task"]
    assert tasks == [f"tasks/{task}" for task in TASKS]
    [connection] = [c for c in contributions if c["type"] == "ms.vss-endpoint.service-endpoint-type"]
    types = {row["type"] for task in TASKS for row in manifest(task)["inputs"] if row["type"].startswith("connected")}
    assert types == {f"connectedService:{connection['properties']['name']}"}
    [scheme] = connection["properties"]["authenticationSchemes"]
    assert all(row["isConfidential"] for row in scheme["inputDescriptors"])


def test_a_handler_holds_no_path_of_the_machine_that_packed_it(extension: Extension) -> None:
    for directory in extension.tasks.values():
        assert str(AZURE.parent) not in (directory / "index.js").read_text("utf-8")
