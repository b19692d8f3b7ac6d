from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.errors import SignPathError, UsageError
from signpath_ci.metadata import expand_parameters, parse_parameter_lines, parse_parameters
from signpath_ci.model import Origin

ORIGIN = Origin(platform="gitlab", version="1.2.3", branch="main")


def test_pairs() -> None:
    pairs = ["Version=1.2.3", "empty=", "with.dots-and_underscores= a=b ", "text={version}"]
    assert parse_parameters(pairs) == {
        "Version": "1.2.3",
        "empty": "",
        "with.dots-and_underscores": " a=b ",
        "text": "{version}",
    }


def test_lines() -> None:
    lines = [
        'version: "1.2.3"\r',
        "",
        '  productName : "A \\"quoted\\" name"  ',
        'url:"https://host/a:b#c"',
        'empty: ""',
        'two: "a\\nb"',
        "",
    ]
    assert parse_parameter_lines("\n".join(lines)) == {
        "version": "1.2.3",
        "productName": 'A "quoted" name',
        "url": "https://host/a:b#c",
        "empty": "",
        "two": "a\nb",
    }


def test_a_json_list() -> None:
    text = '[{"a": "x: \\"y\\"\\n", "b": 1.50}, {"c": true}, {}, {"d": ""}]\n'

    assert parse_parameter_lines(text) == {"a": 'x: "y"\n', "b": "1.50", "c": "true", "d": ""}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "The list of parameters is not JSON."),
        ('[{"a": "b"}] x', "The list of parameters is not JSON."),
        ("[" * 100_000, "The list of parameters is not JSON."),
        ('["a"]', "Entry 1 of the parameters is not of the form name: value."),
        ('[{"a": "b"}, {"c": null}]', "Entry 2 of the parameters is not of the form name: value."),
        ('[{"a": ["b"]}]', "Entry 1 of the parameters is not of the form name: value."),
        ('[{"a b": "c"}]', 'Entry 1 of the parameters has the name "a b".'),
        ('[{"a": "b"}, {"A": "c"}]', "Entry 2 of the parameters repeats A."),
    ],
)
def test_bad_json_lists(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_parameter_lines(text)

    assert caught.value.message == message


def test_nothing() -> None:
    assert parse_parameters([]) == parse_parameter_lines("") == parse_parameter_lines(" \n\n") == {}


NAMES = "Names consist of letters, digits, dots, dashes and underscores."
FORM = 'is not of the form name: "value".'


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["a=1", "b"], "Parameter 2 is not of the form NAME=VALUE."),
        (["=1"], 'Parameter 1 has the name "".'),
        (["a b=1"], 'Parameter 1 has the name "a b".'),
        (["a[b]=SECRET"], 'Parameter 1 has the name "a[b]".'),
        (["ä=1"], 'Parameter 1 has the name "ä".'),
        (["a=1", "b=1", "A=2"], "Parameter 3 repeats A."),
    ],
)
def test_bad_pairs(pairs: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_parameters(pairs)
    assert caught.value.message == message
    assert caught.value.hint
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1.2.3", f"Line 1 of the parameters {FORM}"),
        ('a: "1"\n\nb: SECRET', f"Line 3 of the parameters {FORM}"),
        ("version", f"Line 1 of the parameters {FORM}"),
        ("version: 'x'", f"Line 1 of the parameters {FORM}"),
        ('version: "x', f"Line 1 of the parameters {FORM}"),
        ('version: "x" # comment', f"Line 1 of the parameters {FORM}"),
        ('version: "\\x"', f"Line 1 of the parameters {FORM}"),
        ("version: [" + "[" * 100_000, f"Line 1 of the parameters {FORM}"),
        ("version: 5", f"Line 1 of the parameters {FORM}"),
        ("version: null", f"Line 1 of the parameters {FORM}"),
        ('ver$ion: "1"', 'Line 1 of the parameters has the name "ver$ion".'),
        ('a: "1"\nA: "2"', "Line 2 of the parameters repeats A."),
    ],
)
def test_bad_lines(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_parameter_lines(text)
    assert caught.value.message == message
    assert caught.value.hint
    assert "SECRET" not in str(caught.value)


def test_placeholders_in_values() -> None:
    parameters = {"version": "{version}", "from": "{branch}/{tag:-none}", "json": '{{"a": 1}}'}
    assert expand_parameters(parameters, ORIGIN) == {"version": "1.2.3", "from": "main/none", "json": '{"a": 1}'}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{tag}", "The placeholder {tag} in the parameter p has no value in this build."),
        ("{oops}", "In the parameter p, {oops} is no placeholder."),
        ("x" * 10_001, "The parameter p has 10001 characters; at most 10000 are sent."),
        ("\ud800", "The parameter p holds control characters or bytes that are no text."),
    ],
)
def test_values_that_can_not_be_sent(value: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        expand_parameters({"p": value}, ORIGIN)
    assert caught.value.message == message


@given(text=st.text(alphabet=st.sampled_from('ab:" \\{}[],\nü\ud800'), max_size=60))
def test_any_text_gives_parameters_or_a_clear_error(text: str) -> None:
    try:
        parameters = expand_parameters(parse_parameter_lines(text), ORIGIN)
    except SignPathError:
        return
    assert all(name and value.encode() is not None for name, value in parameters.items())
