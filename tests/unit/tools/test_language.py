"""The words that the glossary retires occur nowhere: `docs/glossary.md`, "Words that are not used"."""

from __future__ import annotations

import re
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_PLACES = ("src", "docs", "actions", "gitlab", "azure", "examples", "tools", "bootstrap")
_SUFFIXES = {".py", ".md", ".yml", ".json", ".js", ".html", ".css", ".sh", ".txt"}
_GLOSSARY = _ROOT / "docs" / "glossary.md"


def _retired() -> list[str]:
    table = _GLOSSARY.read_text("utf-8").partition("## Words that are not used")[2]
    cells = re.findall(r"^\| ([^|(]+) \| [^|]+ \|$", table, re.MULTILINE)
    return [word.strip() for cell in cells for word in cell.split(",") if cell not in {"not", "---"}]


def _pattern(words: list[str]) -> re.Pattern[str]:
    """Return what finds whole words, also at the start of a sentence and over the end of a line."""
    forms = (f"[{word[0].upper()}{word[0]}]{re.escape(word[1:])}".replace(r"\ ", r"\s+(?:#\s+)?") for word in words)
    return re.compile(rf"\b(?:{'|'.join(forms)})\b")


def _files() -> list[Path]:
    below = [path for place in _PLACES for path in (_ROOT / place).rglob("*") if path.suffix in _SUFFIXES]
    return [*below, *(path for path in _ROOT.glob("*.md") if path.name != "CHANGELOG.md")]


def test_retired_words_occur_nowhere() -> None:
    pattern = _pattern(_retired())

    found = [
        f"{path.relative_to(_ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for path in _files()
        if path != _GLOSSARY
        for text in [path.read_text("utf-8")]
        for match in pattern.finditer(text)
    ]

    assert found == []


def test_retired_words_are_found() -> None:
    pattern = _pattern(_retired())

    assert len(_retired()) > 10
    for word in _retired():
        assert pattern.search(f"so {word}.") is not None, word
        assert pattern.search(word[0].upper() + word[1:]) is not None, word
    assert pattern.search("it goes\n    # on with") is not None
    assert pattern.search("a retold timestamp of the household") is None
