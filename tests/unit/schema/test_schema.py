"""The small validator against `jsonschema`, on arbitrary values and on schemas of the keywords that it knows."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.schema import Violation, load_schema, violations

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["a"],
    "additionalProperties": False,
    "properties": {
        "a": {"type": "string", "minLength": 2, "pattern": "^x"},
        "b": {"type": ["integer", "null"], "minimum": 3},
        "c": {"type": "array", "minItems": 1, "items": {"enum": ["on", "off", 1]}},
        "d": {"anyOf": [{"type": "boolean"}, {"$ref": "#/$defs/pair"}]},
        "e": {"const": 1},
        "f": {"type": "object", "additionalProperties": {"type": "number"}},
    },
    "$defs": {"pair": {"type": "object", "required": ["left"], "properties": {"left": {"type": "string"}}}},
}
GOOD_RECEIPT: dict[str, Any] = {
    "version": 1,
    "api_url": "https://x/Api",
    "organization_id": "o",
    "signing_request_id": "1-2",
    "web_link": None,
    "signed_artifact_url": None,
    "original_signing_request_id": None,
    "input": {"name": "a", "size": 1, "sha256": "ab" * 32},
    "build_artifact": None,
    "project_slug": "p",
    "signing_policy_slug": "s",
    "artifact_configuration_slug": None,
    "parameters": {"k": "v"},
    "description": None,
    "origin": {
        "platform": "local", "repository_url": None, "branch": None, "tag": None, "commit": None, "build_url": None
    },
    "created": "2026-01-01T00:00:00Z",
    "submitted": None,
}  # fmt: skip

_leaves = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.sampled_from(["", "x", "xy", "on", "off"])
_values = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e", "f", "left", "z"]), inner, max_size=6)
    ),
    max_leaves=8,
)
_shaped = st.fixed_dictionaries(
    {"a": st.sampled_from(["xy", "x", "yy"])},
    optional={
        "b": _leaves,
        "c": st.lists(_leaves, max_size=2),
        "d": _values,
        "e": st.sampled_from([1, True, 1.0, 2]),
        "f": st.dictionaries(st.sampled_from(["k"]), _leaves),
    },
)


_texts = st.sampled_from(["x", "", "8h", "soon", "signed"]) | _leaves | st.lists(st.sampled_from(["", "a"]), max_size=2)
_manifests = st.dictionaries(
    st.sampled_from(["version", "project", "policy", "parameters", "wait", "verify", "output", "origin", "other"]),
    _texts
    | st.just(1)
    | st.dictionaries(
        st.sampled_from(
            ["timeout", "cancel-after", "for-completion", "level", "trust-roots", "path", "verify", "other"]
        ),
        _texts,
        max_size=3,
    ),
).map(lambda manifest: {"version": 1, **manifest})


@given(_values | _shaped)
def test_it_accepts_exactly_what_jsonschema_accepts(value: object) -> None:
    oracle = jsonschema.Draft202012Validator(SCHEMA)
    assert (violations(value, SCHEMA) == ()) == oracle.is_valid(value)


@given(st.sampled_from(sorted(GOOD_RECEIPT)), _values)
def test_receipts_are_judged_as_jsonschema_does(name: str, value: object) -> None:
    receipt = {**copy.deepcopy(GOOD_RECEIPT), name: value}
    schema = load_schema("receipt")
    assert (violations(receipt, schema) == ()) == jsonschema.Draft202012Validator(schema).is_valid(receipt)


@given(_manifests)
def test_manifests_are_judged_as_jsonschema_does(manifest: object) -> None:
    schema = load_schema("signing")
    assert (violations(manifest, schema) == ()) == jsonschema.Draft202012Validator(schema).is_valid(manifest)


@pytest.mark.parametrize("name", ["receipt", "signing"])
def test_the_shipped_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(load_schema(name))


def test_everything_wrong_is_told_at_once_with_its_place() -> None:
    value = {"b": 2, "c": ["on", "maybe"], "d": {"left": 1}, "g": 0}

    assert violations(value, SCHEMA) == (
        Violation(path=(), expected="has no a, which is required"),
        Violation(path=("g",), expected="is not known: there is a, b, c, d, e, f"),
        Violation(path=("b",), expected="is 2, and must be at least 3"),
        Violation(path=("c", 1), expected='is "maybe", and must be one of "on", "off", 1'),
        Violation(path=("d", "left"), expected="is 1, and must be a text"),
    )
    assert violations(value, SCHEMA)[3].place == "c[1]"


def test_a_keyword_that_is_not_known_is_never_ignored() -> None:
    with pytest.raises(LookupError):
        violations("x", {"maxLength": 3})
