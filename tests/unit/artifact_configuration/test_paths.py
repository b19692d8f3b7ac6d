"""Patterns of paths: what they match, and that no pattern takes long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.artifact_configuration import inferred
from signpath_ci.artifact_configuration.paths import PathError, compile_path


def matches(pattern: str, path: str, *, is_literal: bool = False) -> bool:
    names = inferred.fold(path).split("/")
    return compile_path([(pattern, is_literal)]).matches(names)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("App.exe", "aPP.EXE"),
        ("bin\\App.exe", "bin/app.exe"),
        ("./bin//app.exe", "bin/app.exe"),
        ("*", "a"),
        ("a*", "a"),
        ("*.exe", ".exe"),
        ("a?c", "abc"),
        ("[abc]x", "Bx"),
        ("[A-C]x", "bx"),
        ("[!a-c]x", "dx"),
        ("[[]x].txt", "[x].txt"),
        ("[]a]", "]"),
        ("a-[!x]*z", "a-bcz"),
        ("a*b*c", "a1b2b3c"),
        ("**/*.exe", "a.exe"),
        ("**/*.exe", "x/y/a.exe"),
        ("**", "x/y"),
        ("lib/**/x.dll", "lib/x.dll"),
        ("lib/**/x.dll", "lib/a/b/x.dll"),
        ("**/lib/**/x", "a/lib/b/lib/x"),
        ("*/x", "a/x"),
        ("Straße*", "STRAßE.exe"),
        ("Größe.exe", "GRÖßE.exe"),
    ],
)
def test_pattern_matches(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("App.exe", "bin/app.exe"),
        ("*.exe", "bin/app.exe"),
        ("a?c", "ac"),
        ("a?c", "abbc"),
        ("[!a-c]x", "Bx"),
        ("a*a", "a"),
        ("a*b*c", "acb"),
        ("ab*bc", "abc"),
        ("*/x", "x"),
        ("lib/**/x", "x"),
        ("**/lib/x", "libx"),
        ("a.exe", "axexe"),
    ],
)
def test_pattern_does_not_match(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


@pytest.mark.parametrize("value", ["*", "a*", "?", "[ab]", "**"])
def test_parameter_value_is_literal(value: str) -> None:
    assert matches(value, value, is_literal=True)
    assert not matches(value, "a", is_literal=True)
    assert not matches(value, "ab", is_literal=True)


@pytest.mark.parametrize("pattern", ["", "[ab", "a/[!", "x/**y", "**.exe", "../x", "a/../b", "x" * 1025, "[z-a]"])
def test_impossible_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PathError):
        compile_path([(pattern, False)])


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 500 + "b", "a" * 50_000),
        ("*[ab]?" * 160 + "c", "a" * 50_000),
        ("**/a/" * 200 + "b", "a/" * 20_000 + "c"),
        ("**/*a*/" * 140 + "b", "aaaa/" * 20_000 + "c"),
    ],
)
def test_hostile_pattern_takes_linear_time(pattern: str, path: str) -> None:
    start = time.process_time()

    assert not matches(pattern, path)

    assert time.process_time() - start < 2


@given(st.text("ab*?", min_size=1, max_size=8), st.text("ab", max_size=10))
def test_segment_agrees_with_a_regular_expression(pattern: str, name: str) -> None:
    pattern = re.sub(r"\*+", "*", pattern)
    expression = "".join({"*": ".*", "?": "."}.get(one, one) for one in pattern)

    (segment,) = compile_path([(pattern, False)]).segments

    assert segment is not None
    assert segment.matches(name) == (re.fullmatch(expression, name) is not None)


@given(st.lists(st.sampled_from(["a", "b", "*", "**"]), min_size=1, max_size=6), st.text("ab", min_size=1, max_size=7))
def test_path_agrees_with_a_regular_expression(segments: list[str], names: str) -> None:
    expression = "".join({"**": "(?:[^/]+/)*", "*": "[^/]+/"}.get(one, f"{one}/") for one in segments)

    found = compile_path([("/".join(segments), False)]).matches(list(names))

    assert found == (re.fullmatch(expression, "".join(f"{name}/" for name in names)) is not None)


def test_name_is_escaped() -> None:
    assert matches(inferred.escape("a[1]*?.exe"), "a[1]*?.exe")
