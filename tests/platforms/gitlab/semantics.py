"""What GitLab does with an included file before a runner sees a job, as far as the templates use it.

- Inputs are checked, then their text is put into the file's text, and only then is the result read as YAML; arrays are
  put in as JSON: <https://docs.gitlab.com/ci/inputs/>
- A job's variables are expanded, unless they say `expand: false`:
  <https://docs.gitlab.com/ci/variables/where_variables_can_be_used/>
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TEMPLATES = Path(__file__).parents[3] / "gitlab"

_BLOCK = re.compile(r"\$\[\[\s*inputs\.([\w-]+)\s*\]\]")
_VARIABLE = re.compile(r"\$(?:\$|(?P<plain>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})")
_TYPES: dict[str, type | tuple[type, ...]] = {"string": str, "number": (int, float), "boolean": bool, "array": list}


class InputError(Exception):
    """GitLab refuses an input: no pipeline is made."""


@dataclass(frozen=True)
class Template:
    """A file of two YAML documents: the header that declares the inputs, and the text that they are put into."""

    inputs: Mapping[str, dict[str, Any]]
    text: str


def read_template(path: Path) -> Template:
    header, _, text = path.read_text("utf-8").partition("\n---\n")
    return Template(yaml.safe_load(header)["spec"]["inputs"], text)


def required_inputs(template: Template) -> dict[str, object]:
    """Return some value for each input that has no default."""
    return {name: "some" for name, declared in template.inputs.items() if "default" not in declared}


def interpolate(template: Template, inputs: Mapping[str, object]) -> str:
    """Return the text with the inputs in it.

    Raises:
        InputError: one is unknown, missing, or not what the header wants.
    """
    if unknown := set(inputs) - set(template.inputs):
        raise InputError(f"unknown input: {', '.join(sorted(unknown))}")
    values = {name: _checked(name, declared, inputs) for name, declared in template.inputs.items()}
    return _BLOCK.sub(lambda block: _inserted(values[block[1]]), template.text)


def jobs(template: Template, inputs: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    """Return the jobs that a file makes of its inputs."""
    made: dict[str, dict[str, Any]] = yaml.safe_load(interpolate(template, inputs))
    return made


def expand_variables(job: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a job: what is known of the project and pipeline wins, as on GitLab."""
    environment: dict[str, str] = {}
    for name, said in job["variables"].items():
        value, is_raw = (said["value"], not said["expand"]) if isinstance(said, dict) else (said, False)
        environment[name] = value if is_raw else _expanded(str(value), known)
    return {**environment, **known}


def _checked(name: str, declared: Mapping[str, Any], inputs: Mapping[str, object]) -> object:
    value = inputs.get(name, declared.get("default"))
    if value is None:
        raise InputError(f"{name}: required value has not been provided")
    kind = declared.get("type", "string")
    if not isinstance(value, _TYPES[kind]) or (kind == "number" and isinstance(value, bool)):
        raise InputError(f"{name}: provided value is not a {kind}")
    if "options" in declared and value not in declared["options"]:
        raise InputError(f"{name}: `{value}` cannot be used because it is not in the list of allowed options")
    if "regex" in declared and not _matches(declared["regex"], str(value)):
        raise InputError(f"{name}: provided value does not match required RegEx pattern")
    return value


def _matches(pattern: str, text: str) -> bool:
    # RE2, which GitLab uses, has $ at the end only; Python's $ also stands before a last line break.
    return re.search(re.sub(r"\$$", r"\\Z", pattern), text) is not None


def _inserted(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)


def _expanded(text: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(
        lambda found: "$" if found[0] == "$$" else known.get(found["plain"] or found["braced"], ""), text
    )
