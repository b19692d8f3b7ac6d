"""JSON Schema (draft 2020-12, the part that the schemas beside this file use), without native code.

`jsonschema` needs `rpds-py`, which is native; the zipapp is one pure-Python file. So the keywords that are used here
are checked by this module, and the tests compare its verdict with `jsonschema`'s on arbitrary values. A keyword that it
does not know is an error, never ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from signpath_ci.values import dataclass

_ANNOTATIONS = {"$schema", "$id", "$defs", "title", "description", "default", "examples"} | {
    "x-option",
    "x-path",
    "x-relative",
    "x-loopback",
    "x-loosens",
}


@dataclass(frozen=True, kw_only=True)
class Violation:
    """Something that is not as the schema says.

    Attributes:
        path: the keys and indices that lead to it from the top.
        expected: what is wrong with it: "is 7, and must be a text".
    """

    path: tuple[str | int, ...]
    expected: str

    @property
    def place(self) -> str:
        """The path as people write it: `artifacts[0].path`; empty at the top."""
        shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return shown.removeprefix(".")


def load_schema(name: str) -> dict[str, Any]:
    """Return a schema that is shipped with the package, e.g. `receipt`."""
    from importlib.resources import files

    text = files("signpath_ci.schema").joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def violations(value: object, schema: Mapping[str, Any]) -> tuple[Violation, ...]:
    """Return everything in a value that is not as its schema says, in the order of the value.

    Args:
        value: of JSON's types.
        schema: of the keywords that are known here.

    Raises:
        LookupError: the schema uses another keyword.
    """
    return tuple(_check(value, schema, (), schema))


def _check(
    value: object, schema: Mapping[str, Any], path: tuple[str | int, ...], root: Mapping[str, Any]
) -> Iterator[Violation]:
    if "$ref" in schema:
        yield from _check(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], path, root)
    if "anyOf" in schema:
        yield from _any_of(value, schema["anyOf"], path, root)
    if "type" in schema and not _is_of(value, schema["type"]):
        yield Violation(path=path, expected=f"is {_shown(value)}, and must be {_types(schema['type'])}")
        return
    for keyword, limit in schema.items():
        if keyword in _ANNOTATIONS or keyword in {"$ref", "anyOf", "type"}:
            continue
        if keyword in _CONTAINERS:
            yield from _CONTAINERS[keyword](value, schema, path, root)
        elif problem := _SIMPLE[keyword](value, limit):
            yield Violation(path=path, expected=problem)


def _any_of(
    value: object, schemas: list[Mapping[str, Any]], path: tuple[str | int, ...], root: Mapping[str, Any]
) -> Iterator[Violation]:
    found = [list(_check(value, schema, path, root)) for schema in schemas]
    if any(not problems for problems in found):
        return
    # Whichever fits the value's own type says best what is missing.
    nearest = [problems for problems, schema in zip(found, schemas, strict=True) if _may_be(value, schema)]
    if nearest:
        yield from min(nearest, key=len)
    else:
        kinds = " or ".join(_types(schema["type"]) for schema in schemas if "type" in schema)
        yield Violation(path=path, expected=f"is {_shown(value)}, and must be {kinds}")


def _may_be(value: object, schema: Mapping[str, Any]) -> bool:
    return "type" not in schema or _is_of(value, schema["type"])


def _properties(
    value: object, schema: Mapping[str, Any], path: tuple[str | int, ...], root: Mapping[str, Any]
) -> Iterator[Violation]:
    if not isinstance(value, dict):
        return
    known = schema.get("properties", {})
    for name, inner in value.items():
        if name in known:
            yield from _check(inner, known[name], (*path, name), root)


def _additional(
    value: object, schema: Mapping[str, Any], path: tuple[str | int, ...], root: Mapping[str, Any]
) -> Iterator[Violation]:
    if not isinstance(value, dict):
        return
    known, other = schema.get("properties", {}), schema["additionalProperties"]
    for name, inner in value.items():
        if name in known:
            continue
        if other is False:
            names = ", ".join(known)
            yield Violation(path=(*path, name), expected=f"is not known: there is {names}")
        elif other is not True:
            yield from _check(inner, other, (*path, name), root)


def _items(
    value: object, schema: Mapping[str, Any], path: tuple[str | int, ...], root: Mapping[str, Any]
) -> Iterator[Violation]:
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _check(inner, schema["items"], (*path, index), root)


def _required(
    value: object, schema: Mapping[str, Any], path: tuple[str | int, ...], _root: Mapping[str, Any]
) -> Iterator[Violation]:
    if isinstance(value, dict):
        for name in schema["required"]:
            if name not in value:
                yield Violation(path=path, expected=f"has no {name}, which is required")


def _enum(value: object, allowed: list[Any]) -> str:
    fits = any(_same(value, one) for one in allowed)
    return "" if fits else f"is {_shown(value)}, and must be one of {', '.join(map(_shown, allowed))}"


def _const(value: object, only: object) -> str:
    return "" if _same(value, only) else f"is {_shown(value)}, and must be {_shown(only)}"


def _pattern(value: object, pattern: str) -> str:
    if not isinstance(value, str) or re.search(pattern, value):
        return ""
    return f"is {_shown(value)}, and must match {pattern}"


def _min_length(value: object, least: int) -> str:
    too_short = isinstance(value, str) and len(value) < least
    return f"is {_shown(value)}, and must have at least {least} characters" if too_short else ""


def _min_items(value: object, least: int) -> str:
    return f"must have at least {least} entries" if isinstance(value, list) and len(value) < least else ""


def _minimum(value: object, least: float) -> str:
    too_small = _is_number(value) and value < least  # type: ignore[operator] # a number, as just checked
    return f"is {_shown(value)}, and must be at least {least}" if too_small else ""


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_CONTAINERS: dict[
    str,
    Callable[[object, Mapping[str, Any], tuple[str | int, ...], Mapping[str, Any]], Iterator[Violation]],
] = {"properties": _properties, "additionalProperties": _additional, "items": _items, "required": _required}
_SIMPLE: dict[str, Callable[[object, Any], str]] = {
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minLength": _min_length,
    "minItems": _min_items,
    "minimum": _minimum,
}
_TYPES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "object": ("a mapping", lambda value: isinstance(value, dict)),
    "array": ("a list", lambda value: isinstance(value, list)),
    "string": ("a text", lambda value: isinstance(value, str)),
    "integer": ("a whole number", lambda value: _is_number(value) and float(value).is_integer()),  # type: ignore[arg-type] # a number
    "number": ("a number", _is_number),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "null": ("nothing", lambda value: value is None),
}


def _is_of(value: object, types: str | list[str]) -> bool:
    return any(_TYPES[one][1](value) for one in ([types] if isinstance(types, str) else types))


def _types(types: str | list[str]) -> str:
    return " or ".join(_TYPES[one][0] for one in ([types] if isinstance(types, str) else types))


def _same(one: object, other: object) -> bool:
    """Compare as JSON does: `true` is not `1`."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _shown(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return json.dumps(value)
