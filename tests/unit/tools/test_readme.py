from __future__ import annotations

from tools.readme import README, filled


def test_the_readme_says_what_the_code_says() -> None:
    text = README.read_text(encoding="utf-8")

    assert filled(text) == text, "run `make docs`"
