"""The part of Azure Pipelines' compile-time expressions that the project's files use.

<https://learn.microsoft.com/azure/devops/pipelines/process/expressions>
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+)|(?P<name>\w+)|(?P<sign>[(),.\[\]]))")


class TemplateError(Exception):
    """Azure Pipelines would refuse the pipeline, or the expression is none that these tests know."""


def evaluate(expression: str, names: Mapping[str, Any]) -> Any:
    """Return the value of an expression.

    Args:
        expression: what stands between `${{` and `}}`.
        names: `parameters`, `variables`, and the variables of the `each` around it; further functions.

    Raises:
        TemplateError: it is wrong.
    """
    return _Parser(expression, names).whole()


def text_of(value: Any) -> str:
    """Return a value as it is put into a text."""
    if isinstance(value, bool):
        return str(value)  # True, False: so does Azure
    if value is None:
        return ""
    if isinstance(value, dict | list):
        raise TemplateError(f"{value!r} can't be put into a text.")
    return str(value)


def is_true(value: Any) -> bool:
    """Return a value as a condition sees it; an empty object is true."""
    return isinstance(value, dict | list) or bool(value)


class _Parser:
    def __init__(self, expression: str, names: Mapping[str, Any]) -> None:
        self._names = names
        self._expression = expression
        self._tokens: list[str] = []
        position = 0
        while expression[position:].strip():
            found = _TOKEN.match(expression, position)
            if found is None:
                raise TemplateError(f"Not understood: {expression}")
            self._tokens.append(found[0].strip())
            position = found.end()

    def whole(self) -> Any:
        value = self._value()
        if self._tokens:
            raise TemplateError(f"{self._tokens[0]!r} is too much in: {self._expression}")
        return value

    def _next(self, *expected: str) -> str:
        if not self._tokens or (expected and self._tokens[0] not in expected):
            raise TemplateError(f"Expected {' or '.join(expected) or 'a value'} in: {self._expression}")
        return self._tokens.pop(0)

    def _value(self) -> Any:
        token = self._next()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.isdigit():
            return int(token)
        if token.lower() in {"true", "false"}:
            return token.lower() == "true"
        if self._tokens[:1] == ["("]:
            return self._call(token)
        if token not in self._names:
            raise TemplateError(f"{token} is not known in: {self._expression}")
        return self._members(self._names[token])

    def _members(self, value: Any) -> Any:
        while self._tokens[:1] in (["."], ["["]):
            if self._next() == ".":
                key = self._next()
            else:
                key = self._value()
                self._next("]")
            value = value.get(key, "") if isinstance(value, Mapping) else ""
        return value

    def _call(self, name: str) -> Any:
        arguments = []
        self._next("(")
        while self._tokens[:1] != [")"]:
            arguments.append(self._value())
            if self._tokens[:1] != [")"]:
                self._next(",")
        self._next(")")
        function = _FUNCTIONS.get(name, self._names.get(name))
        if not callable(function):
            raise TemplateError(f"The function {name} is not known in: {self._expression}")
        return function(*arguments)


def _equal(left: Any, right: Any) -> bool:
    # The right one becomes what the left one is; texts are compared without regard to case.
    if isinstance(left, bool):
        return left == is_true(right)
    return text_of(left).lower() == text_of(right).lower()


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": lambda *values: all(map(is_true, values)),
    "or": lambda *values: any(map(is_true, values)),
    "not": lambda value: not is_true(value),
    "eq": _equal,
    "ne": lambda left, right: not _equal(left, right),
    "startsWith": lambda text, start: text_of(text).lower().startswith(text_of(start).lower()),
    "endsWith": lambda text, end: text_of(text).lower().endswith(text_of(end).lower()),
}
