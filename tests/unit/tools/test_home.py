"""The home of the project and its version are the same wherever they are mentioned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.home import HOME

from signpath_ci import __version__

_ROOT = Path(__file__).parents[3]
_PLACES = ("src", "docs", "actions", "gitlab", "azure", "examples", ".github")
_SUFFIXES = {".py", ".md", ".yml", ".json"}
_PLACEHOLDERS = {"YOUR-FORK/signpath-ci", "MY-GROUP/signpath-ci", "my-group/signpath-ci"}
_HOMES = re.compile(
    r"(?:github(?:usercontent)?\.com/|uses: |name: )([\w.-]+/signpath-ci)(?=[/@\s\"'#]|$)", re.MULTILINE
)
_VERSIONS = re.compile(r"(?:signpath-ci(?:/[a-z-]+)*@v|signpath-ci\[verify\]==|ref: v|refs/tags/v)(\d+\.\d+\.\d+)")


def _texts() -> Iterator[tuple[str, str]]:
    below = [path for place in _PLACES for path in (_ROOT / place).rglob("*") if path.suffix in _SUFFIXES]
    for path in [*below, *(path for path in _ROOT.glob("*.md") if path.name != "CHANGELOG.md")]:
        yield str(path.relative_to(_ROOT)), path.read_text("utf-8")


@pytest.mark.parametrize(
    ("pattern", "allowed"), [(_HOMES, {HOME} | _PLACEHOLDERS), (_VERSIONS, {__version__})], ids=["home", "version"]
)
def test_no_mention_strays(pattern: re.Pattern[str], allowed: set[str]) -> None:
    mentions = [(path, mention) for path, text in _texts() for mention in pattern.findall(text)]

    assert len(mentions) > 10
    assert [mention for mention in mentions if mention[1] not in allowed] == []


def test_strays_are_found() -> None:
    text = "uses: other/signpath-ci/actions/sign@v9.9.9\nhttps://github.com/else/signpath-ci\n    ref: v8.0.0"

    assert _HOMES.findall(text) == ["other/signpath-ci", "else/signpath-ci"]
    assert _VERSIONS.findall(text) == ["9.9.9", "8.0.0"]
