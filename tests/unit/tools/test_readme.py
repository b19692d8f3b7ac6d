from __future__ import annotations

from pathlib import Path

import pytest
from tools.readme import PARTS, filled


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.name)
def test_the_documentation_says_what_the_code_says(path: Path) -> None:
    assert filled(path) == path.read_text(encoding="utf-8"), "run `make docs`"
