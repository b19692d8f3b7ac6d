"""The promises of the documentation: each has tests that keep it, and they exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_PAGES = ("docs/promises.md", "SECURITY.md")


def _text(name: str) -> str:
    return (_ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", _PAGES)
def test_every_test_that_is_named_exists(page: str) -> None:
    named = _TEST.findall(_text(page))

    assert named
    assert [f"{path}::{name}" for path, name in named if not _defines(path, name)] == []


def _defines(path: str, name: str) -> bool:
    return (_ROOT / path).is_file() and f"def {name}(" in _text(path)


def test_every_row_names_a_test() -> None:
    rows = [line for line in _text("docs/promises.md").splitlines() if line.startswith("| **")]

    assert rows
    assert [row for row in rows if not _TEST.search(row)] == []


def test_every_promise_of_the_readme_has_a_row() -> None:
    section = _text("README.md").partition("### What is promised")[2].partition("\n##")[0]
    promises = re.findall(r"^- \*\*(.+?)\.?\*\*", section, re.MULTILINE)
    rows = [line for line in _text("docs/promises.md").splitlines() if line.startswith("| **")]

    assert len(promises) > 4
    assert [words for words in promises if not any(row.startswith(f"| **{words}") for row in rows)] == []
