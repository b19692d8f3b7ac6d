"""The documentation's links lead somewhere: relative ones to files that exist, and to headings in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
_PAGES = sorted([*_ROOT.glob("*.md"), *(_ROOT / "docs").rglob("*.md"), *(_ROOT / "azure").glob("*.md")])
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _text(page: Path) -> str:
    return _FENCE.sub("", page.read_text("utf-8"))


def _anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    words = (re.sub(r"[^\w\- ]", "", heading.strip().lower()) for heading in _HEADING.findall(_text(page)))
    return {word.replace(" ", "-") for word in words}


def _is_broken(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists() or not target.is_relative_to(_ROOT):
        return True
    return bool(anchor) and (target.suffix != ".md" or anchor not in _anchors(target))


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_relative_links_and_anchors_lead_somewhere(page: Path) -> None:
    links = [link for link in _LINK.findall(_text(page)) if not re.match(r"[a-z]+:", link)]

    assert [link for link in links if _is_broken(page, link)] == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    assert [_is_broken(_ROOT / "README.md", link) for link in ("docs/options.md#options", "docs/gitlab.md")] == [
        False
    ] * 2
    wrong = (
        "docs/no.md",
        "#no-such-heading",
        "docs/options.md#nothing",
        "docs/#options",
        "../elsewhere.md",
        str(tmp_path),
    )
    assert [link for link in wrong if not _is_broken(_ROOT / "README.md", link)] == []
