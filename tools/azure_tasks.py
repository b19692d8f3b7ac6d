"""What Azure's tasks and templates have from the code: versions and inputs. `python -m tools.azure_tasks` writes it.

The inputs come from the table of options, by way of `tools.manifests`; `azure/handler/inputs.json` tells the tasks'
handler which of them becomes which environment variable, and which defaults count as not given.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from signpath_ci import __version__
from signpath_ci.cli import COMMANDS
from signpath_ci.settings import Trust, options
from tools.manifests import PROMOTE, Input, defaults, inputs

AZURE = Path(__file__).parents[1] / "azure"
TASKS = {"SubmitSigningRequest": "sign", "GetSignedArtifact": "download", "ResubmitSigningRequest": "promote"}
"""The tasks, and the command whose options each of them takes."""

CONNECTION = frozenset(
    {"api_url", "api_token", "organization_id", "connector_url", "trusted_build_system_token", "azure_devops_token"}
)
"""Options that the service connection, or Azure itself, holds: no inputs of tasks."""

TEMPLATES = {"sign": "sign", "check": "check", "get-signed-artifact": "download", "resubmit": "promote"}
"""The step templates, and the command whose options each of them takes."""

_GENERATION = 4  # of SignPath's own task, whose inputs and outputs are taken over
_PARAMETERS = {"artifact": "The file to sign; with a connector, the file or directory to publish as the artifact."}
_LISTS = {row.name for command in COMMANDS for row in options(command.settings) if row.is_list}
_TRUST = {row.name for row in options(Trust)}
_GROUPS = {
    "verification": _TRUST | {"verify", "origin_branch", "verify_origin"},
    "advanced": {"allow_untrusted_origin", "skip_decompress", "force", "log_level", "build_version", "receipt"},
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
    return sorted(_inputs(command.name, without=held), key=lambda known: not known.required)


def manifests() -> dict[Path, str]:
    """Return the files as they should be."""
    made = {}
    of_tasks = {known.name: known for task in TASKS for known in inputs_of(task)}
    variables = {name: known.variable for name, known in of_tasks.items() if known.variable}
    table = {"variables": variables, "defaults": defaults(of_tasks.values())}
    made[AZURE / "handler" / "inputs.json"] = _json(table)
    for task in TASKS:
        shown = [_SERVICE_CONNECTION, *map(_shown, inputs_of(task))]
        made |= _filled(AZURE / "tasks" / task / "task.json", version=task_version(__version__), inputs=shown)
    made |= _filled(AZURE / "vss-extension.json", version=__version__)
    for template, command in TEMPLATES.items():
        path = AZURE / "templates" / f"{template}.yml"
        offered = [known for known in _inputs(command) if not known.is_secret]
        sent = [known for known in offered if known.variable and known.option != "artifact"]
        text = _between("parameters", map(_parameter, sorted(offered, key=_is_optional)), path.read_text("utf-8"))
        not_given = ["SIGNPATH_DEFAULTS: >-", *(f"  {pair}" for pair in defaults(offered))]
        text = _between("environment", [*not_given, *map(_variable, sent)], text)
        made[path] = re.sub(r"(?<=signpath-ci\[verify\]==)[\d.]+", __version__, text)
    return made | _documentation()


def input_table() -> str:
    """Return the table of the tasks' inputs, for the documentation."""
    known: dict[str, Input] = {}
    for task in TASKS:
        known |= {one.name: one for one in inputs_of(task) if one.name not in known}
    takers = {name: [task[0] for task in TASKS if name in {one.name for one in inputs_of(task)}] for name in known}
    lines = ["| input | default | meaning | of |", "| --- | --- | --- | --- |"]
    for name, one in known.items():
        choices = f" One of {', '.join(f'`{choice}`' for choice in one.choices)}." if one.choices else ""
        lines.append(f"| `{name}` | {one.shown_default} | {one.description}{choices} | {' '.join(takers[name])} |")
    return "\n".join(lines)


def _documentation() -> dict[Path, str]:
    path = AZURE.parent / "docs" / "azure.md"
    begin, end = "<!-- inputs: begin, made by `make docs` -->\n", "<!-- inputs: end -->"
    before, _, rest = path.read_text("utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not ended:
        raise SystemExit(f"{path.name} has no place marked 'inputs'.")
    return {path: f"{before}{begin}\n{input_table()}\n\n{end}{after}"}


def _inputs(command: str, *, without: Iterable[str] = ()) -> list[Input]:
    more = [PROMOTE] if command == "promote" else []
    return more + list(inputs(command, "azure", without=without).values())


def _choices(known: Input) -> tuple[str, ...]:
    # Of a list any number can be chosen, which Azure can't show.
    return () if known.option in _LISTS else known.choices


def _is_optional(known: Input) -> bool:
    return not known.required


def _parameter(known: Input) -> str:
    is_number = known.default is not None and known.name.endswith("InSeconds")
    kind = "boolean" if known.is_flag else "number" if is_number else "string"
    comment = textwrap.wrap(_PARAMETERS.get(known.option, known.description), 110)
    lines = [*(f"# {line}" for line in comment), f"- name: {known.name}", f"  type: {kind}"]
    if not known.is_enforced:
        lines.append(f"  default: {_scalar(known.default or '') if kind == 'string' else known.default}")
    if _choices(known):
        lines.append(f"  values: [{', '.join(map(_scalar, known.choices))}]")
    return "\n".join(lines)


def _variable(known: Input) -> str:
    return f"{known.variable}: ${{{{ parameters.{known.name} }}}}"


def _scalar(text: str) -> str:
    is_plain = re.fullmatch(r"[A-Za-z][\w:/.-]*", text) and text not in {"off", "on", "yes", "no", "true", "false"}
    return text if is_plain else "'" + text.replace("'", "''") + "'"


def _between(name: str, parts: Iterable[str], text: str) -> str:
    """Put parts between the lines of `text` that mark a place, as far to the right as these."""
    begin, end = f"# {name}: begin, made by `make docs`", f"# {name}: end"
    found = re.search(rf"^( *){begin}\n.*?^ *{end}\n", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise SystemExit(f"A template has no place marked {name!r}.")
    lines = [begin, *"\n".join(parts).split("\n"), end]
    return text[: found.start()] + "".join(f"{found[1]}{line}\n" for line in lines) + text[found.end() :]


def _shown(known: Input) -> dict[str, Any]:
    # Not filePath: Azure makes an empty one the checkout's directory.
    text_type = "multiLine" if known.option in _LISTS | {"parameters"} else "string"
    words = re.sub("([A-Z])", lambda found: " " + found[1].lower(), known.name).replace("dev ops", "DevOps")
    made: dict[str, Any] = {
        "name": known.name,
        "type": "boolean" if known.is_flag else "pickList" if _choices(known) else text_type,
        "label": words[:1].upper() + words[1:],
        "required": known.is_enforced,
    }
    if known.default is not None:
        made["defaultValue"] = known.default
    if _choices(known):
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
