"""The expander of templates is right about what the project's files use of Azure's language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.platforms.azure.commands import Command, commands
from tests.platforms.azure.expander import expand_pipeline
from tests.platforms.azure.expressions import TemplateError, evaluate

NAMES = {"parameters": {"a": "x", "flag": True, "none": "", "map": {"k": "v"}}, "variables": {"Build.Reason": "Manual"}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("parameters.a", "x"),
        ("parameters.map.k", "v"),
        ("parameters.missing", ""),
        ("variables['Build.Reason']", "Manual"),
        ("'it''s'", "it's"),
        ("eq(parameters.a, 'X')", True),
        ("eq(parameters.flag, 'true')", True),
        ("ne(parameters.none, '')", False),
        ("and(parameters.flag, not(parameters.none))", True),
        ("or(parameters.none, eq(1, 2))", False),
        ("startsWith('refs/tags/v1', 'refs/tags/')", True),
        ("endsWith('a.pyz', '.whl')", False),
    ],
)
def test_expressions(expression: str, value: object) -> None:
    assert evaluate(expression, NAMES) == value


@pytest.mark.parametrize("expression", ["", "parameters.a b", "unknown(1)", "nobody.a", "eq('a'", "a ~ b"])
def test_wrong_expressions(expression: str) -> None:
    with pytest.raises(TemplateError):
        evaluate(expression, NAMES)


def expanded(tmp_path: Path, text: str, **parameters: object) -> dict[str, Any]:
    (tmp_path / "included.yml").write_text(
        "parameters: [{name: n, type: number}]\nsteps: [{bash: 'echo ${{ parameters.n }}'}]\n", "utf-8"
    )
    (tmp_path / "pipeline.yml").write_text(text, "utf-8")
    return expand_pipeline(tmp_path / "pipeline.yml", variables={}, repositories={"other": tmp_path}, **parameters)


@pytest.mark.parametrize(
    ("flag", "names"),
    [("one", ["first", "1", "last"]), ("two", ["first", "2a", "2b", "last"]), ("", ["first", "3", "last"])],
)
def test_if_elseif_else_in_lists(tmp_path: Path, flag: str, names: list[str]) -> None:
    text = """
parameters: [{name: flag}]
steps:
  - bash: first
  - ${{ if eq(parameters.flag, 'one') }}:
      - bash: '1'
  - ${{ elseif eq(parameters.flag, 'two') }}:
      - bash: 2a
      - bash: 2b
  - ${{ else }}:
      - bash: '3'
  - bash: last
"""
    assert [step["bash"] for step in expanded(tmp_path, text, flag=flag)["steps"]] == names


def test_mappings(tmp_path: Path) -> None:
    text = """
parameters: [{name: flag, type: boolean}, {name: more, type: object}]
variables:
  kept: 'is ${{ parameters.flag }}'
  ${{ if parameters.flag }}:
    chosen: yes it is
  ${{ else }}:
    other: no
  ${{ insert }}: ${{ parameters.more }}
  ${{ each pair in parameters.more }}:
    each_${{ pair.key }}: ${{ pair.value }}
"""
    made = expanded(tmp_path, text, flag=True, more={"k": "v"})
    assert made == {"variables": {"kept": "is True", "chosen": "yes it is", "k": "v", "each_k": "v"}}


def test_included_templates(tmp_path: Path) -> None:
    text = """
steps:
  - template: included.yml
    parameters: {n: 1}
  - ${{ each n in parameters.list }}:
      - template: included.yml@other
        parameters: {n: '${{ n }}'}
parameters: [{name: list, type: object, default: [2, 3]}]
"""
    assert [step["bash"] for step in expanded(tmp_path, text)["steps"]] == ["echo 1", "echo 2", "echo 3"]


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("steps: [{template: included.yml}]", {}),
        ("steps: [{template: included.yml, parameters: {n: x}}]", {}),
        ("steps: [{template: included.yml, parameters: {n: 1, m: 2}}]", {}),
        ("parameters: [{name: p, values: [a, b]}]\nsteps: []", {"p": "c"}),
        ("parameters: [{name: p, type: boolean}]\nsteps: []", {"p": "true"}),
        ("steps: []", {"p": "c"}),
        ("steps: []\nsteps: []", {}),
        ("variables: {a: 1, '${{ insert }}': {a: 2}}", {}),
    ],
)
def test_what_azure_refuses(tmp_path: Path, text: str, given: dict[str, object]) -> None:
    with pytest.raises(TemplateError):
        expanded(tmp_path, text, **given)


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("##vso[task.debug]x", [Command("task.debug", {}, "x")]),
        ("in ##vso[a.b c=d;e=f%3B%5D]g%0Ah", [Command("a.b", {"c": "d", "e": "f;]"}, "g\nh")]),
        ("##vso[a.b ]%AZP250A", [Command("a.b", {}, "%0A")]),
        ("##vso[one]x\n##vso[a.b\n# #vso[a.b]", []),
    ],
)
def test_commands(output: str, found: list[Command]) -> None:
    assert commands(output) == found
