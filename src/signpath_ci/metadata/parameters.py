"""User-defined parameters of a signing request, `NAME=VALUE` or line by line as the official GitHub action takes them.

That form is `name: "JSON string"`, one a line: <https://docs.signpath.io/trusted-build-systems/github>
GitLab makes JSON of the documented component's list: <https://docs.signpath.io/trusted-build-systems/gitlab>
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from signpath_ci.errors import UsageError
from signpath_ci.metadata.templates import check_text, expand, placeholder_values
from signpath_ci.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from signpath_ci.model import Origin

_NAME = re.compile(r"[A-Za-z0-9._-]+")  # wire contract, "Fields of every submit"
_LINE = re.compile(r"(?P<name>[^:\s]+)\s*:\s*(?P<value>.+)")
_LIMIT = 10_000


def parse_parameters(pairs: Sequence[str]) -> dict[str, str]:
    """Return the parameters of repeated `NAME=VALUE`.

    Raises:
        UsageError: one is not of that form, has a name with other characters, or comes twice.
    """

    def parsed() -> Iterable[tuple[str, str, str]]:
        for number, pair in enumerate(pairs, 1):
            name, equals, value = pair.partition("=")
            if not equals:
                raise UsageError(
                    f"Parameter {number} is not of the form NAME=VALUE.",
                    hint='Example: Version="1.2.3"',
                    code="invalid-parameter",
                )
            yield name.strip(), value, f"Parameter {number}"

    return _collected(parsed())


def parse_parameter_lines(text: str) -> dict[str, str]:
    """Return the parameters of lines `name: "JSON string"`; blank lines are passed over.

    Or of a JSON array of objects, `[{"name": "value"}, ...]`, as GitLab passes a list.

    Raises:
        UsageError: a line (its number is named) is not of that form, has a name with other characters, or repeats one.
    """
    if text.lstrip().startswith("["):
        return _collected(_listed(text))

    def parsed() -> Iterable[tuple[str, str, str]]:
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip():
                continue
            where = f"Line {number} of the parameters"
            found = _LINE.fullmatch(line.strip())
            try:
                value = json.loads(found["value"]) if found else None
            except (ValueError, RecursionError):
                value = None
            if found is None or not isinstance(value, str):
                raise UsageError(
                    f'{where} is not of the form name: "value".',
                    hint='The value is a JSON string: in double quotes, with \\" and \\\\ inside.',
                    code="invalid-parameter",
                )
            yield found["name"], value, where

    return _collected(parsed())


def _listed(text: str) -> Iterable[tuple[str, str, str]]:
    try:
        # Numbers stay as they are written.
        entries = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise UsageError(
            "The list of parameters is not JSON.", hint='Example: [{"Version": "1.2.3"}]', code="invalid-parameter"
        ) from None
    for number, entry in enumerate(entries, 1):
        where = f"Entry {number} of the parameters"
        for name, value in entry.items() if isinstance(entry, dict) else ((None, None),):
            said = str(value).lower() if isinstance(value, bool) else value
            if name is None or not isinstance(said, str):
                raise UsageError(
                    f"{where} is not of the form name: value.",
                    hint="The value is a text or a number.",
                    code="invalid-parameter",
                )
            yield name, said, where


def expand_parameters(parameters: Mapping[str, str], origin: Origin) -> dict[str, str]:
    """Return the parameters with the placeholders of their values replaced.

    Raises:
        UsageError: a placeholder is unknown or has no value, or a value is too long or holds control characters.
    """
    values = placeholder_values(origin)
    expanded = {}
    for name, template in parameters.items():
        where = f"parameter {name}"
        expanded[name] = check_text(expand(template, values, where=where), limit=_LIMIT, where=where)
    return expanded


def _collected(parameters: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    collected: dict[str, str] = {}
    seen: set[str] = set()  # SignPath matches names of fields without regard to case
    for name, value, where in parameters:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f'{where} has the name "{one_line(name, limit=50)}".',
                hint="Names consist of letters, digits, dots, dashes and underscores.",
                code="invalid-parameter",
            )
        if name.lower() in seen:
            raise UsageError(
                f"{where} repeats {name}.",
                hint="Give each parameter once; case does not count.",
                code="invalid-parameter",
            )
        seen.add(name.lower())
        collected[name] = value
    return collected
