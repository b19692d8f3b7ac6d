from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.text import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("  two\r\n lines\t", "two lines"),
        ("\x1b[31mred\x1b[0m", "?[31mred?[0m"),
        ("evil\u202eexe.txt", "evil?exe.txt"),
        ("a\u2028b\x85c", "a b c"),
        ("nul\x00", "nul?"),
        ("::error::x", ": :error::x"),
        ("  ::error::x", ": :error::x"),
        ("see a::b", "see a::b"),
        ("x ##[error]y ##vso[task.complete]z", "x # #[error]y # #vso[task.complete]z"),
        ("###[", "## #["),
        ("## Title", "## Title"),
        ("Grüße, 世界", "Grüße, 世界"),
    ],
)
def test_foreign_text_becomes_one_harmless_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_a_long_text_is_cut_with_a_mark() -> None:
    assert one_line("x" * 11, limit=10) == "x" * 9 + "…"
    assert one_line("x" * 10, limit=10) == "x" * 10


@given(st.text(max_size=300) | st.text(alphabet="#:[] vso\n", max_size=300))
def test_whatever_comes_in_one_printable_line_comes_out(text: str) -> None:
    line = one_line(text, limit=200)

    assert len(line) <= 200
    assert len(line.splitlines()) <= 1
    assert line.isprintable()
    assert not line.startswith("::")
    assert "##[" not in line
