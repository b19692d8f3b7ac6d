"""Every rule that is used stands in the tables, and the other way round."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import signpath_ci.artifact_configuration
from signpath_ci.artifact_configuration.rules import DOCUMENT, PROBLEMS, WARNINGS

ROOT = Path(signpath_ci.artifact_configuration.__file__).parent
_CALLS = {"_wrong", "_error", "Problem", "Finding"}


def _used() -> Iterator[str]:
    """Yield the text constants in calls that make problems and findings, as far as they may be rules."""
    for path in ROOT.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in _CALLS:
                    values = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "rule")]
                    texts = [str(value.value) for value in values if isinstance(value, ast.Constant)]
                    yield from (text for text in texts if re.fullmatch(r"[a-z]+(-[a-z]+)*", text))


def test_tables_and_used_rules_are_the_same() -> None:
    assert set(_used()) == {*DOCUMENT, *PROBLEMS, *WARNINGS}
