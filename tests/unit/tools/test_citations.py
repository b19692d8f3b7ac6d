"""Citations in the code lead to headings of `docs/wire-contract.md`, and to decisions that exist."""

from __future__ import annotations

import re
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_SOURCES = sorted((_ROOT / "src").rglob("*.py"))
_CITATION = re.compile(r'wire\s+contract, "([^"]+)"')
_DECISION = re.compile(r"docs/decisions/(\d{4}[\w-]*\.md)")


def test_citations_of_the_wire_contract_lead_to_its_headings() -> None:
    page = (_ROOT / "docs" / "wire-contract.md").read_text("utf-8")
    headings = set(re.findall(r"^#{2,3} (.+)$", page, re.MULTILINE))

    cited = {name for path in _SOURCES for name in _CITATION.findall(path.read_text("utf-8"))}

    assert cited
    assert cited - headings == set()


def test_every_mention_of_the_wire_contract_in_parentheses_names_a_heading() -> None:
    mentions = [
        f"{path.relative_to(_ROOT)}: {mention}"
        for path in _SOURCES
        for mention in re.findall(r"\(wire\s+contract[^)]*\)", path.read_text("utf-8"))
        if not _CITATION.search(mention)
    ]

    assert mentions == []


def test_cited_decisions_exist() -> None:
    cited = {name for path in _SOURCES for name in _DECISION.findall(path.read_text("utf-8"))}

    assert {name for name in cited if not (_ROOT / "docs" / "decisions" / name).exists()} == set()


def test_every_decision_is_listed() -> None:
    index = (_ROOT / "docs" / "decisions" / "README.md").read_text("utf-8")
    pages = {path.name for path in (_ROOT / "docs" / "decisions").glob("[0-9]*.md")}

    assert pages == set(re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", index))
