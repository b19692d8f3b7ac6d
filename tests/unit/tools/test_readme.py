from __future__ import annotations

from pathlib import Path

import pytest
from tools.readme import PARTS, filled


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.name)
def test_the_documentation_says_what_the_code_says(path: Path) -> None:
    assert filled(path) == path.read_text(encoding="utf-8"), "run `make docs`"


def test_every_page_is_in_the_index() -> None:
    docs = Path(__file__).parents[3] / "docs"
    index = (docs / "README.md").read_text(encoding="utf-8")

    assert [page.name for page in docs.glob("*.md") if page.name != "README.md" and f"({page.name})" not in index] == []


def test_the_readme_is_short() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")

    assert len(readme.splitlines()) <= 150
