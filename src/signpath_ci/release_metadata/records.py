"""Where one entry of a text begins and ends: a line, an object of JSON, a mapping of YAML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LARGEST = 256 * 1024
"""Characters of a text whose structure is read; update manifests are far smaller, and a reader of YAML is slow."""
# A string that does not end is one to the end of the text: to try again behind each quote in it would be quadratic.
_JSON = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[{}]', re.DOTALL)

Span = tuple[int, int]


class StructureError(ValueError):
    """A text has not the structure that its name or content promises."""


def lines(text: str) -> Iterator[Span]:
    """Return each line."""
    start = 0
    for line in text.splitlines(keepends=True):
        yield start, start + len(line)
        start += len(line)


def json_objects(text: str) -> Iterator[Span]:
    """Return each object.

    Raises:
        StructureError: one does not end.
    """
    stack: list[int] = []
    for found in _JSON.finditer(text):
        if found[0] == "{":
            stack.append(found.start())
        elif found[0] == "}":
            if not stack:
                raise StructureError("an object ends that did not begin")
            yield stack.pop(), found.end()
    if stack:
        raise StructureError("an object does not end")


def yaml_mappings(text: str) -> Iterator[Span]:
    """Return each mapping; what aliases stand for only once.

    Raises:
        StructureError: it is not YAML, or more of it than update manifests have.
    """
    import yaml  # here, as a run without such a file does not need it

    if len(text) > LARGEST:
        raise StructureError("it is too large")
    try:
        todo = [yaml.compose(text, yaml.SafeLoader)]
    except (yaml.YAMLError, RecursionError) as error:
        raise StructureError("it is not valid YAML") from error
    seen: set[int] = set()
    while todo:
        node = todo.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield node.start_mark.index, node.end_mark.index
            todo += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            todo += node.value


def innermost(spans: Iterable[Span], places: Iterable[int]) -> dict[int, Span]:
    """Return, for each place, the smallest span around it; nothing where there is none. Spans nest or are apart."""
    ordered = sorted(spans, key=lambda span: (span[0], -span[1]))
    found: dict[int, Span] = {}
    stack: list[Span] = []
    number = 0
    for place in sorted(places):
        while number < len(ordered) and ordered[number][0] <= place:
            stack.append(ordered[number])
            number += 1
        while stack and stack[-1][1] <= place:
            stack.pop()
        # A span that ended while an inner one was on top of it can't be: they nest.
        if stack:
            found[place] = stack[-1]
    return found
