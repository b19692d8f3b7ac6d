"""What comes from the code in GitLab's templates and their documentation; `python -m tools.gitlab_templates` writes it.

GitLab puts an input's text into the file before it reads the YAML. In a literal block any single line is safe, but for
blanks at its start; `regex` sees to that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from signpath_ci import __version__
from tools.actions import MADE, filled
from tools.manifests import PROMOTE, Input, inputs

ROOT = Path(__file__).parents[1]
DOCUMENTATION = ROOT / "docs" / "gitlab.md"

# All line breaks that YAML knows; it is also YAML that makes the characters of the escapes.
_BREAKS = r"\r\n\u0085\u2028\u2029"
_LINE = rf'"^([^ \t{_BREAKS}][^{_BREAKS}]*)?$"'
_SOME_LINE = rf'"^[^ \t{_BREAKS}][^{_BREAKS}]*$"'
_VARIABLE = '"^[A-Za-z_][A-Za-z0-9_]*$"'
# A key in double quotes; with a dot at its start a job would be hidden.
_JOB = rf'"^[^. \t\"\\\\{_BREAKS}][^\"\\\\{_BREAKS}]{{0,254}}$"'


@dataclass(frozen=True, kw_only=True)
class TemplateInput:
    """One input of a template.

    Attributes:
        name: its name.
        description: one sentence.
        default: as YAML; `None` where it must be given.
        type: GitLab's name of the type.
        options: the allowed texts, or nothing.
        regex: which texts are allowed, as YAML, or nothing.
        variable: the variable of the job that holds it, or nothing.
        in_manifest: the manifest may say it instead: its default counts as not given.
    """

    name: str
    description: str
    default: str | None = None
    type: str = "string"
    options: tuple[str, ...] = ()
    regex: str = ""
    variable: str = ""
    in_manifest: bool = False


def _line(
    name: str, description: str, default: str | None, *, variable: str = "", regex: str | None = None
) -> TemplateInput:
    """Return an input of one line; without a regex of its own, one that may be empty only where its default is."""
    return TemplateInput(
        name=name,
        description=description,
        default=None if default is None else json.dumps(default),
        regex=regex or (_LINE if default == "" else _SOME_LINE),
        variable=variable,
    )


def _general(job: str) -> list[TemplateInput]:
    return [
        _line("stage", "The stage that the job belongs to.", "sign"),
        _line(
            "job_name",
            "The job's name; in capitals it is the prefix of the variables in the dotenv report.",
            job,
            regex=_JOB,
        ),
        _line("image", "The container image, where the runner uses one; it needs Python 3.10 or later.", "python:3"),
        _line(
            "package",
            "What pip installs, or the path of a zipapp (.pyz) that is run as it is.",
            f"signpath-ci[verify]=={__version__}",
            variable="SIGNPATH_CI_PACKAGE",
        ),
    ]


def _template_input(said: Input) -> TemplateInput:
    description = said.description.removesuffix(" One a line.")
    if said.is_secret:
        holds = description[:1].lower() + description[1:]
        return _line(
            f"{said.name}_var_name",
            f"The name of the masked variable that holds {holds}",
            said.variable,
            regex=_VARIABLE,
            variable=f"{said.variable}_VAR_NAME",
        )
    # What has to be said may also be said by a variable of the project.
    line = _line(said.name, description, said.default or "", variable=said.variable)
    made = replace(line, in_manifest=said.in_manifest)
    if said.is_flag:
        return replace(made, type="boolean", default=said.default, regex="")
    if said.name.endswith("_in_seconds"):
        return replace(made, type="number", default=said.default, regex="")
    return replace(made, options=said.choices, regex="") if said.choices else made


def _of_command(command: str, **changes: TemplateInput) -> list[TemplateInput]:
    # GitLab's connector sends one file, which goes where `output` says.
    foreign = ("output_artifact_directory", "skip_decompress") if command == "sign" else ()
    known = inputs(command, "gitlab", without=foreign)
    return [changes.get(said.option) or _template_input(said) for said in known.values()]


_PARAMETERS = TemplateInput(
    name="parameters",
    description="User-defined parameters, a list of `name: value`.",
    default="[]",
    type="array",
    variable="SIGNPATH_PARAMETERS",
    in_manifest=True,
)

_EARLIER = {
    "signing_request_id": _line(
        "signing_request_id",
        inputs("download", "gitlab")["signing_request_id"].description,
        None,
        variable="SIGNPATH_SIGNING_REQUEST_ID",
    ),
    "output": _line("output_artifact_path", "Where the signed file goes.", None, variable="SIGNPATH_OUTPUT"),
}

# `output` always counts as given: GitLab collects it as the job's artifact, and knows nothing of the manifest.
TEMPLATES: Mapping[str, list[TemplateInput]] = {
    "sign": _general("submit-signing-request")
    + _of_command(
        "sign",
        output=_line(
            "output_artifact_path",
            "Where the signed file goes; a directory, ending in a slash, takes it under its own name.",
            "signed/",
            variable="SIGNPATH_OUTPUT",
        ),
        parameters=_PARAMETERS,
    ),
    "check": _general("check-artifact-configuration") + _of_command("check", parameters=_PARAMETERS),
    "get-signed-artifact": _general("get-signed-artifact") + _of_command("download", **_EARLIER),
    "resubmit": [
        *_general("resubmit-signing-request"),
        replace(_template_input(PROMOTE), variable="SIGNPATH_CI_PROMOTE"),
        *_of_command("promote", **_EARLIER),
    ],
}
"""The inputs of each template, by the name of its file."""


def input_lines(template: list[TemplateInput]) -> str:
    """Return a template's `spec: inputs`."""
    lines = []
    for said in template:
        lines += [f"    {said.name}:", f"      description: {json.dumps(said.description)}"]
        lines += [f"      type: {said.type}"] if said.type != "string" else []
        lines += [f"      options: {json.dumps(said.options)}"] if said.options else []
        lines += [f"      regex: {said.regex}"] if said.regex else []
        lines += [f"      default: {said.default}"] if said.default is not None else []
    return "\n".join(lines)


def variable_lines(template: list[TemplateInput]) -> str:
    """Return the `variables` of a template's job: the only place where inputs go."""
    pairs = [f"{said.variable}={_value(said)}" for said in template if said.in_manifest and _value(said)]
    lines = ["    SIGNPATH_DEFAULTS: >-", *(f"      {pair}" for pair in pairs)]
    for said in template:
        block = f"$[[ inputs.{said.name} ]]"
        if said.type == "array":  # JSON, which a variable's value could break
            lines += [f"    {said.variable}:", "      expand: false", "      value: |", f"        {block}"]
        elif said.variable and said.regex in {_LINE, _SOME_LINE}:
            lines += [f"    {said.variable}: |-", f"      {block}"]
        elif said.variable:
            lines.append(f'    {said.variable}: "{block}"')
    return "\n".join(lines)


def _value(said: TemplateInput) -> str:
    """Return what an input's default becomes as the value of a variable."""
    default = said.default or ""
    return str(json.loads(default)) if default.startswith('"') else default


def input_table(template: list[TemplateInput]) -> str:
    """Return the table of a template's inputs, as Markdown."""
    rows = [["input", "default", "meaning"], ["---"] * 3]
    for said in template:
        choices = f" One of {', '.join(f'`{choice}`' for choice in said.options)}." if said.options else ""
        default = "required" if said.default is None else said.default.strip('"')
        shown = f"`{default}`" if default not in {"required", ""} else default
        rows.append([f"`{said.name}`", shown, (said.description + choices).replace("|", "\\|")])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def made_files() -> dict[Path, str]:
    """Return the files with their marked parts made anew."""
    made = {}
    documentation = DOCUMENTATION.read_text("utf-8")
    for name, template in TEMPLATES.items():
        path = ROOT / "gitlab" / f"{name}.yml"
        text = filled(
            path.read_text("utf-8"), f"    # inputs: begin, {MADE}\n", "\n    # inputs: end", input_lines(template)
        )
        made[path] = filled(
            text, f"    # variables: begin, {MADE}\n", "\n    # variables: end", variable_lines(template)
        )
        begin, end = f"<!-- inputs of {name}: begin, {MADE} -->\n", f"<!-- inputs of {name}: end -->"
        documentation = filled(documentation, begin, end, f"\n{input_table(template)}\n\n")
    return {**made, DOCUMENTATION: documentation}


if __name__ == "__main__":
    for path, text in made_files().items():
        path.write_text(text, encoding="utf-8")
