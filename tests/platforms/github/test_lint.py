"""What independent linters say of everything that GitHub reads: actions, workflows, examples."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.needs import ROOT, find, needs

ACTIONS = [*sorted(ROOT.glob("actions/*/action.yml")), *sorted(ROOT.glob(".github/actions/*/action.yml"))]
EXAMPLES = sorted(ROOT.glob("examples/github/*.yml"))
WORKFLOWS = [*sorted(ROOT.glob(".github/workflows/*.yml")), *EXAMPLES]


def _accepts(name: str, *arguments: str | Path) -> None:
    program = find(name)
    assert program is not None
    done = subprocess.run([program, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs("check-jsonschema")
@pytest.mark.parametrize(("schema", "files"), [("github-actions", ACTIONS), ("github-workflows", WORKFLOWS)])
def test_all_of_it_follows_the_schema(schema: str, files: list[Path]) -> None:
    assert files
    _accepts("check-jsonschema", "--builtin-schema", schema, *files)


@needs("jactionlint")
def test_expressions_contexts_and_types_are_right() -> None:
    _accepts("jactionlint", "--profile", "correctness", "--oneline", "--shellcheck=", *ACTIONS, *WORKFLOWS)


@needs("zizmor")
def test_nothing_is_insecure() -> None:
    # Exceptions stand, each with its reason, in the configuration.
    _accepts("zizmor", "--offline", "--config", ROOT / ".github" / "zizmor.yml", *ACTIONS, *WORKFLOWS)


def test_no_expression_is_part_of_a_script() -> None:
    for file in [*ACTIONS, *WORKFLOWS]:
        lines = file.read_text("utf-8").splitlines()
        inside = -1
        for number, line in enumerate(lines, 1):
            indent = len(line) - len(line.lstrip())
            if line.lstrip(" -").startswith("run:"):
                inside = indent
            elif line.strip() and indent <= inside:
                inside = -1
            assert inside < 0 or "${{" not in line, f"{file}:{number}"
