"""What comes from the code in GitHub's actions and their documentation: `python -m tools.actions` writes it anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.manifests import PROMOTE, Input, defaults, inputs

ROOT = Path(__file__).parents[1]
DOCUMENTATION = ROOT / "docs" / "github.md"
MADE = "made by `make docs`"


@dataclass(frozen=True, kw_only=True)
class Action:
    """One action.

    Attributes:
        name: its folder.
        inputs: its inputs that become variables of the core, by name.
        own: its other inputs.
        expressions: by the option's name, what its variable holds where that is not just the input.
    """

    name: str
    inputs: Mapping[str, Input]
    own: Mapping[str, Input] = field(default_factory=dict)
    expressions: Mapping[str, str] = field(default_factory=dict)

    @property
    def manifest(self) -> Path:
        """The action's definition."""
        return ROOT / "actions" / self.name / "action.yml"


_REST_ONLY = (
    "in_place",
    "bundle",
    "skip_signed",
    "artifact_retrieval_url",
    "artifact_retrieval_name",
    "artifact_retrieval_sha256",
    "artifact_retrieval_headers",
    "api_url",
    "trusted_build_system_token",
    "origin_branch",
    "allow_untrusted_origin",
    "verify_origin",
    "receipt",
    "cancel_after",
    "keep_on_interrupt",
)
# SignPath's own action replaces what is there.
_REPLACING = {"default": "true", "description": "Replace files that exist."}
_WHERE_TO = "Where the signed file goes; without it beside the file of `unsigned`, with `.signed` before the extension."

_CHECKED = (
    "The file that would be submitted, or with `bundle` the files and directories that would be uploaded as one "
    "artifact. Patterns are possible. One a line."
)


def _own(name: str, description: str, *, required: bool = False, default: str | None = None) -> Input:
    return Input(
        name=name,
        option="",
        variable="",
        description=description,
        default=default,
        required=required,
        in_manifest=False,
        choices=(),
        is_flag=False,
        is_secret=False,
    )


_UPLOADED = (
    _own(
        "path",
        "The file to sign, or the directory with the files; a pattern needs `output-artifact-directory` too.",
        required=True,
    ),
    _own(
        "artifact-name",
        "The unsigned artifact's name on GitHub, which replaces one of that name; without it a name of its own.",
    ),
    _own("archive", "`false`: upload one file as it is; the artifact is named like the file.", default="true"),
    _own("unsigned-retention-days", "How many days GitHub keeps the unsigned artifact; without it the repository's."),
)

ACTIONS = (
    Action(
        name="submit-signing-request",
        inputs=inputs("sign", "github", changes={"force": _REPLACING}),
        # A file goes straight to SignPath; with an artifact's id too, the core says that it is one of both.
    ),
    Action(
        name="sign",
        own={said.name: said for said in _UPLOADED},
        inputs=inputs(
            "sign",
            "github",
            without=("artifact", "github_artifact_id", "output", "unsigned", "wait_for_completion", *_REST_ONLY),
            changes={
                "output_artifact_directory": {
                    "description": "Where the signed files go; without it they replace the unsigned ones."
                },
                "force": _REPLACING,
            },
        ),
    ),
    Action(
        name="get-signed-artifact", inputs=inputs("download", "github", changes={"output": {"description": _WHERE_TO}})
    ),
    Action(name="check", inputs=inputs("check", "github", changes={"artifact": {"description": _CHECKED}})),
    Action(
        name="resubmit-signing-request",
        own={PROMOTE.name: PROMOTE},
        inputs=inputs("promote", "github", changes={"output": {"description": _WHERE_TO}}),
    ),
)


def input_lines(action: Action) -> str:
    """Return the action's `inputs`, as they stand in its manifest."""
    lines = []
    for name, said in {**action.own, **action.inputs}.items():
        lines += [f"  {name}:", f"    description: {_quoted(_sentence(said))}"]
        if said.is_enforced:
            lines.append("    required: true")
        elif said.default is not None:
            lines.append(f"    default: {_quoted(said.default)}")
    return "\n".join(lines)


def variable_lines(action: Action) -> str:
    """Return the `env` of the step that runs the core: nothing of an input ever becomes part of a script."""
    lines = ["SIGNPATH_DEFAULTS: >-", *(f"  {pair}" for pair in defaults(action.inputs.values()))]
    for name, said in action.inputs.items():
        lines.append(f"{said.variable}: ${{{{ {action.expressions.get(said.option, f'inputs.{name}')} }}}}")
    return "\n".join(f"        {line}" for line in lines)


def input_table(action: Action) -> str:
    """Return the table of the action's inputs, as Markdown."""
    rows = [["input", "default", "meaning"], ["---"] * 3]
    for name, said in {**action.own, **action.inputs}.items():
        rows.append([f"`{name}`", said.shown_default, _sentence(said).replace("|", "\\|")])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def filled(text: str, begin: str, end: str, content: str) -> str:
    """Return the text with what stands between two marks replaced.

    Raises:
        SystemExit: it has no such marks.
    """
    before, begun, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not begun or not ended:
        raise SystemExit(f"There is no part {begin.strip()!r}.")
    return f"{before}{begin}{content}{end}{after}"


def filled_manifest(action: Action, text: str) -> str:
    """Return an action's manifest with its inputs and variables made anew."""
    text = filled(text, f"  # inputs: begin, {MADE}\n", "\n  # inputs: end", input_lines(action))
    return filled(text, f"        # variables: begin, {MADE}\n", "\n        # variables: end", variable_lines(action))


def filled_documentation(text: str) -> str:
    """Return the documentation with the tables of all actions made anew."""
    for action in ACTIONS:
        text = filled(
            text,
            f"<!-- inputs of {action.name}: begin, {MADE} -->\n",
            f"<!-- inputs of {action.name}: end -->",
            f"\n{input_table(action)}\n\n",
        )
    return text


def _sentence(said: Input) -> str:
    choices = f" One of {', '.join(f'`{choice}`' for choice in said.choices)}." if said.choices else ""
    return said.description + choices


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # JSON's strings are YAML's


def main() -> None:
    """Write all of it."""
    for action in ACTIONS:
        text = action.manifest.read_text(encoding="utf-8")
        action.manifest.write_text(filled_manifest(action, text), encoding="utf-8")
    DOCUMENTATION.write_text(filled_documentation(DOCUMENTATION.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
