"""The manifest `.signpath/signing.yml`: options of the command line, in a file that all CI systems share.

Its schema, `schema/signing.schema.json`, says with `x-option` which option each value is. Whatever is wrong with the
file is reported at once, with the lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signpath_ci.errors import UsageError
from signpath_ci.files import read_bounded
from signpath_ci.schema import load_schema, violations
from signpath_ci.settings.declaration import Given
from signpath_ci.values import dataclass

if TYPE_CHECKING:
    import yaml

_LARGEST = 256 * 1024
_MOST_SHOWN = 20
_DEEPEST = 20
_JSON_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "null")}

Steps = tuple[str | int, ...]
Problem = tuple[int, str]
"""A line, and what is wrong there."""


@dataclass(frozen=True)
class _Document:
    """The values of a YAML file, the line of each, and what can't be a value."""

    value: object
    lines: Mapping[Steps, int]
    problems: tuple[Problem, ...]

    def line(self, path: Steps) -> int:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_manifest(path: Path, check: Callable[[str, str], str | None]) -> dict[str, Given]:
    """Read a manifest.

    Args:
        path: of the file.
        check: is given an option's name and a text; tells what is wrong with it, if anything.

    Returns:
        The options that it gives, by name, with the place of each.

    Raises:
        UsageError: it can't be read, or something in it is wrong: all of it is reported.
    """
    document = _load(path)
    schema = load_schema("signing")
    wrong = violations(document.value, schema)
    problems = [
        *document.problems,
        *((document.line(one.path), f"{one.place or 'the file'} {one.expected}") for one in wrong),
    ]
    given: dict[str, Given] = {}
    for steps, option, value in _options(document.value, schema, ()):
        if any(one.path[: len(steps)] == steps for one in wrong):
            continue
        line, texts = document.line(steps), _texts(value)
        given[option] = Given(texts=texts, source=f"{path}:{line}")
        name = ".".join(str(step) for step in steps)
        objections = ((text, check(option, text)) for text in texts)
        problems += [(line, f"{name} is {text!r}, which {why.rstrip('.')}") for text, why in objections if why]
    if problems:
        shown = [f"{path}:{line}: {words}" for line, words in sorted(problems)]
        more = [f"and {len(shown) - _MOST_SHOWN} more"] if len(shown) > _MOST_SHOWN else []
        raise UsageError(
            f"{'; '.join([*shown[:_MOST_SHOWN], *more]).rstrip('.')}.",
            hint="Correct the manifest.",
            code="invalid-manifest",
        )
    return given


def _options(value: object, schema: Mapping[str, Any], steps: Steps) -> Iterator[tuple[Steps, str, object]]:
    if "x-option" in schema:
        yield steps, schema["x-option"], value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _options(inner, schema.get("properties", {}).get(name, {}), (*steps, name))


def _texts(value: object) -> tuple[str, ...]:
    """Return a value as the command line would take it."""
    if isinstance(value, list):
        return tuple(json.dumps(one) if isinstance(one, dict) else str(one) for one in value)
    if isinstance(value, dict):
        return ("\n".join(f"{name}: {json.dumps(inner)}" for name, inner in value.items()),)
    return (str(value).lower() if isinstance(value, bool) else str(value),)


def _load(path: Path) -> _Document:
    import yaml

    try:
        data = read_bounded(path, most=_LARGEST)
        text = (data or b"").decode("utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"The manifest {path} can't be read: {error.strerror}.", hint="Check --manifest.", code="invalid-manifest"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(
            f"The manifest {path} is not UTF-8 text.", hint="Save it as UTF-8.", code="invalid-manifest"
        ) from None
    if data is None:
        raise UsageError(
            f"The manifest {path} has more than {_LARGEST} bytes.", hint="Check --manifest.", code="invalid-manifest"
        )
    try:
        # Looked for before anything is built: an alias may multiply itself without end, and deep nesting takes hours.
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.AliasEvent):
                raise _wrong(path, line, "an alias (*), which manifests do not have")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise _wrong(path, line, "nested far deeper than any manifest is")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise _wrong(path, line, f"no YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise _wrong(path, 1, f"no YAML: {error}") from None
    lines: dict[Steps, int] = {}
    problems: list[Problem] = []
    value = _value(node, (), lines, problems) if node else None
    return _Document(value, lines, tuple(problems))


def _value(node: yaml.Node, steps: Steps, lines: dict[Steps, int], problems: list[Problem]) -> object:
    import yaml

    lines.setdefault(steps, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(inner, (*steps, index), lines, problems) for index, inner in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, object] = {}
        for key, inner in node.value:
            name, line = str(key.value) if isinstance(key, yaml.ScalarNode) else "?", key.start_mark.line + 1
            if name in found:
                problems.append((line, f"{name} stands here a second time"))
            lines.setdefault((*steps, name), line)
            found[name] = _value(inner, (*steps, name), lines, problems)
        return found
    if node.tag not in _JSON_TAGS:
        return node.value
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (ValueError, yaml.YAMLError):
        return node.value


def _wrong(path: Path, line: int, what: str) -> UsageError:
    return UsageError(f"{path}:{line}: {what}.", hint="Correct the manifest.", code="invalid-manifest")
