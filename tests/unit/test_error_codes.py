"""Every code that is raised stands in the table, and the other way round."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import signpath_ci
from signpath_ci import errors
from signpath_ci.error_codes import CODES

ROOT = Path(signpath_ci.__file__).parent
PROJECT = ROOT.parents[1]
WRITTEN_OUT = [
    ROOT / "__main__.py",
    PROJECT / "tools" / "dist.py",
    PROJECT / "bootstrap" / "run",
    PROJECT / "bootstrap" / "install.py",
    PROJECT / "azure" / "handler" / "run.js",
    *sorted((PROJECT / "azure" / "templates").glob("*.yml")),
    *sorted((PROJECT / "gitlab").glob("*.yml")),
]
"""Files that print errors without the error classes, each with its code at the end of the line."""


def _trees() -> Iterator[tuple[Path, ast.AST]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"))


def _texts(node: ast.AST | None) -> Iterator[str]:
    """Give the text constants of an expression such as `"a" if b else "c"`."""
    if isinstance(node, ast.IfExp):
        yield from [*_texts(node.body), *_texts(node.orelse)]
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from _texts(value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _raised() -> set[str]:
    found: set[str] = set()
    for path in WRITTEN_OUT:
        found |= set(re.findall(r"[.}] \[([a-z]+(?:-[a-z]+)+)\]", path.read_text("utf-8")))
    for _, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "code":
                found |= set(_texts(node.value))
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "code":
                found |= set(_texts(node.value))
            if isinstance(node, ast.FunctionDef):
                defaults = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                found |= {text for argument, value in defaults if argument.arg == "code" for text in _texts(value)}
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and (target.id == "code" or target.id.endswith("_CODES"))
                for target in node.targets
            ):
                found |= set(_texts(node.value))
    return found


def test_table_and_raised_codes_are_the_same() -> None:
    assert _raised() - {""} == set(CODES)  # a file that did not fail has no code


@pytest.mark.parametrize("code", CODES)
def test_codes_are_kebab_case_and_explained(code: str) -> None:
    cause, remedy = CODES[code]

    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
    assert cause.endswith(".")
    assert remedy.endswith(".")


def test_codes_stand_in_alphabetical_order() -> None:
    assert list(CODES) == sorted(CODES)


def test_line_ends_with_the_code() -> None:
    error = errors.LocalFileError("a.exe exists already.", hint="Give --force.", code="output-exists")

    assert error.line == "a.exe exists already. Give --force. [output-exists]"


@pytest.mark.parametrize(("status", "code"), [(401, "token-refused"), (403, "permission-denied"), (418, "refused")])
def test_refusals_have_a_code_by_their_status(status: int, code: str) -> None:
    assert errors.RefusedError("No.", status=status).code == code


def test_missing_token_has_a_code_of_its_own() -> None:
    assert errors.NotGivenError("Not given.", names=frozenset({"api_token", "project_slug"})).code == "no-api-token"
    assert errors.NotGivenError("Not given.", names=frozenset({"project_slug"})).code == "not-given"
