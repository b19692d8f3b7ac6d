"""Whatever text an input has: GitLab refuses it, or the job gets exactly this value and nothing else changes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tests.platforms.gitlab.semantics import (
    TEMPLATES,
    InputError,
    Template,
    interpolate,
    jobs,
    read_template,
    required_inputs,
)

NAMES = ("sign", "get-signed-artifact", "resubmit")
TEMPLATE = {name: read_template(TEMPLATES / f"{name}.yml") for name in NAMES}
ATTACKS = (
    "a\nb",
    "a\r\nscript: [touch pwned]",
    "a\u2028script: x",
    "a\u0085x: y",
    "\n",
    "a\n",
    '"',
    "'",
    '": {script: [id]}, "x',
    "a # b",
    " a",
    "\ta",
    "a: b",
    "- a",
    "{a}",
    "[a",
    "&a *b !c |d >e %f @g",
    "$(id) `id` ; id | id && id",
    "---",
    "...",
    "\\",
    "$[[ inputs.package ]]",
    "null",
    "off",
    "1e3",
    "0x1f",
    "2026-01-01",
    "=",
    "<<",
    "~",
    "",
    "é\U0001f600",
    "a" * 5000,
)


def _inputs(name: str, **inputs: object) -> dict[str, object]:
    return required_inputs(TEMPLATE[name]) | inputs


def _places(value: object, marker: str, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Return where a text stands in a structure, also as a key."""
    if isinstance(value, dict):
        keys = [(*path, "key of", key) for key in value if key == marker]
        return keys + [place for key, one in value.items() for place in _places(one, marker, (*path, key))]
    if isinstance(value, list):
        return [place for index, one in enumerate(value) for place in _places(one, marker, (*path, index))]
    return [path] if value == marker else []


def _replaced(value: object, marker: str, text: str) -> object:
    if isinstance(value, dict):
        return {text if key == marker else key: _replaced(one, marker, text) for key, one in value.items()}
    if isinstance(value, list):
        return [_replaced(one, marker, text) for one in value]
    return text if value == marker else value


def _text_inputs() -> list[tuple[str, str]]:
    return [
        (name, key)
        for name, template in TEMPLATE.items()
        for key, declared in template.inputs.items()
        if declared.get("type", "string") == "string" and "options" not in declared
    ]


def _made(template: Template, inputs: Mapping[str, object]) -> Any:
    try:
        return jobs(template, inputs)
    except (InputError, yaml.reader.ReaderError):  # characters that YAML forbids: no pipeline either
        return None


@pytest.mark.parametrize(("name", "key"), _text_inputs())
def test_a_text_is_refused_or_arrives_as_it_is(name: str, key: str) -> None:
    marker = "marker_1f2e"
    expected = jobs(TEMPLATE[name], _inputs(name, **{key: marker}))
    assert _places(expected, marker)

    arrived = 0
    for text in ATTACKS:
        made = _made(TEMPLATE[name], _inputs(name, **{key: text}))
        assert made is None or made == _replaced(expected, marker, text), (key, text)
        arrived += made is not None
    assert arrived or key.endswith("_var_name")


@given(st.text())
@example("a\n    script: [x]")
def test_any_description(text: str) -> None:
    made = _made(TEMPLATE["sign"], {"description": text})

    assert made is None or made["submit-signing-request"]["variables"]["SIGNPATH_DESCRIPTION"] == text
    one_line = len(text.splitlines()) <= 1 and not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", text)
    if one_line and text[:1] != " " and text.isprintable():
        assert made is not None


@given(st.lists(st.dictionaries(st.text(), st.text())))
@example([{"a": "'\"\\ \n : # $X $(id) `id` $[[ inputs.package ]]"}, {}])
@example([])
def test_any_parameters(parameters: list[dict[str, str]]) -> None:
    if re.search(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]", json.dumps(parameters, ensure_ascii=False)):
        return  # GitLab escapes some of these and YAML forbids others; what the semantics here do not show
    made = jobs(TEMPLATE["sign"], {"parameters": parameters})

    said = made["submit-signing-request"]["variables"]["SIGNPATH_PARAMETERS"]
    assert (json.loads(said["value"]), said["expand"]) == (parameters, False)
    assert made == {
        "submit-signing-request": {
            **made["submit-signing-request"],
            "script": jobs(TEMPLATE["sign"], {})["submit-signing-request"]["script"],
        }
    }


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"wait_for_completion": "true"}, "wait_for_completion: provided value is not a boolean"),
        ({"wait_for_completion_timeout_in_seconds": "600"}, "provided value is not a number"),
        ({"verify": "perhaps"}, "verify: `perhaps` cannot be used"),
        ({"parameters": "a=b"}, "parameters: provided value is not a array"),
        ({"api_token_var_name": "A B"}, "api_token_var_name: provided value does not match"),
        ({"api_token_var_name": "$(id)"}, "api_token_var_name: provided value does not match"),
        ({"job_name": ".hidden"}, "job_name: provided value does not match"),
        ({"job_name": ""}, "job_name: provided value does not match"),
        ({"output_artifact_path": ""}, "output_artifact_path: provided value does not match"),
        ({"api_token": "secret"}, "unknown input: api_token"),
    ],
)
def test_what_gitlab_refuses(inputs: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        interpolate(TEMPLATE["sign"], inputs)
