"""What Azure's manifests have from the code, versions and inputs; `python -m tools.azure_tasks` writes them anew.

The inputs come from the table of options, by way of `tools.manifests`; `azure/handler/inputs.json` tells the tasks'
handler which of them becomes which environment variable.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from signpath_ci import __version__
from signpath_ci.cli import COMMANDS
from signpath_ci.settings import options
from tools.manifests import Input, inputs

AZURE = Path(__file__).parents[1] / "azure"
TASKS = {"SubmitSigningRequest": "sign", "GetSignedArtifact": "download", "ResubmitSigningRequest": "resubmit"}
"""The tasks, and the command that each of them runs."""

CONNECTION = frozenset(
    {"api_url", "api_token", "organization_id", "connector_url", "trusted_build_system_token", "azure_devops_token"}
)
"""Options that the service connection, or Azure itself, holds: no inputs of tasks."""

_GENERATION = 4  # of SignPath's own task, whose inputs and outputs are taken over
_MULTIPLE = {"parameters", "trust_root", "thumbprint"}
_GROUPS = {
    "verification": {"verify", "trust_root", "thumbprint", "subject", "origin_branch", "verify_origin"},
    "advanced": {"allow_untrusted_origin", "skip_decompress", "force", "log_level", "build_version"},
}
_SERVICE_CONNECTION = {
    "name": "serviceConnectionName",
    "type": "connectedService:signpath-ci",
    "label": "Service connection",
    "required": True,
    "helpMarkDown": "The service connection of the type SignPath, which holds URLs, organization and tokens.",
}


def task_version(version: str) -> dict[str, int]:
    """Return the version of the tasks that belongs to a version of the package; later ones are always higher."""
    major, minor, patch = (int(number) for number in version.split("."))
    return {"Major": _GENERATION, "Minor": 100 * major + minor, "Patch": patch}


def inputs_of(task: str) -> list[Input]:
    """Return the inputs of a task but for the service connection, the required ones first."""
    command = next(known for known in COMMANDS if known.name == TASKS[task])
    held = CONNECTION & {row.name for row in options(command.settings)}
    return sorted(inputs(command.name, "azure", without=held).values(), key=lambda known: not known.required)


def manifests() -> dict[Path, str]:
    """Return the files as they should be."""
    made = {}
    table = {known.name: known.variable for task in TASKS for known in inputs_of(task)}
    made[AZURE / "handler" / "inputs.json"] = _json(table)
    for task in TASKS:
        shown = [_SERVICE_CONNECTION, *map(_shown, inputs_of(task))]
        made |= _filled(AZURE / "tasks" / task / "task.json", version=task_version(__version__), inputs=shown)
    made |= _filled(AZURE / "vss-extension.json", version=__version__)
    for path in sorted((AZURE / "templates").glob("*.yml")):
        made[path] = re.sub(r"(?<=signpath-ci\[verify\]==)[\d.]+", __version__, path.read_text("utf-8"))
    return made


def _shown(known: Input) -> dict[str, Any]:
    # Not filePath: Azure makes an empty one the checkout's directory.
    text_type = "multiLine" if known.option in _MULTIPLE else "string"
    words = re.sub("([A-Z])", lambda found: " " + found[1].lower(), known.name).replace("dev ops", "DevOps")
    made: dict[str, Any] = {
        "name": known.name,
        "type": "boolean" if known.is_flag else "pickList" if known.choices else text_type,
        "label": words[:1].upper() + words[1:],
        "required": known.required,
    }
    if known.default is not None:
        made["defaultValue"] = known.default
    if known.choices:
        made["options"] = {choice: choice for choice in known.choices}
    for group, names in _GROUPS.items():
        if known.option in names:
            made["groupName"] = group
    return {**made, "helpMarkDown": known.description}


def _filled(path: Path, **parts: object) -> dict[Path, str]:
    return {path: _json({**json.loads(path.read_text("utf-8")), **parts})}


def _json(content: object) -> str:
    return json.dumps(content, indent=2) + "\n"


if __name__ == "__main__":
    for path, text in manifests().items():
        path.write_text(text, encoding="utf-8")
