"""CONTRIBUTING.md lists the targets that exist, and names files that exist."""

from __future__ import annotations

import re
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_PAGE = (_ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_it_lists_every_target() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (_ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    assert set(re.findall(r"^\| `make ([a-z-]+)", _PAGE, re.MULTILINE)) == targets - {"help"}


def test_the_paths_that_it_names_exist() -> None:
    named = re.findall(r"`((?:tests|src|docs|requirements|bootstrap|tools|\.ci)/[\w./-]*)`", _PAGE)

    assert named
    assert [path for path in named if not (_ROOT / path).exists()] == []
