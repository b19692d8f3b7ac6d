"""Expands Azure's YAML templates as the service does before a run: parameters, `if`, `else`, `each`, `insert`.

<https://learn.microsoft.com/azure/devops/pipelines/process/template-expressions>
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.platforms.azure.expressions import TemplateError, evaluate, is_true, text_of

_EXPRESSION = re.compile(r"\$\{\{(?P<inner>(?:[^}']|'[^']*')*)\}\}")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "object": (dict, list, str),
}
_SCALARS = ("string", "number", "boolean")


def expand_pipeline(
    path: Path, *, variables: Mapping[str, str], repositories: Mapping[str, Path], **parameters: Any
) -> dict[str, Any]:
    """Return a pipeline without any expression of templates.

    Args:
        path: its file.
        variables: those that are known before the run, e.g. `Build.SourceBranch`.
        repositories: where the repositories lie that templates come from, by their alias.
        parameters: as the user gives them.

    Raises:
        TemplateError: Azure would refuse it.
    """
    expanded = _Expander(variables, repositories).file(path, parameters)
    left = _EXPRESSION.search(yaml.safe_dump(expanded))
    if left:
        raise TemplateError(f"Not expanded: {left[0]}")
    return expanded


class _Expander:
    def __init__(self, variables: Mapping[str, str], repositories: Mapping[str, Path]) -> None:
        self._variables = variables
        self._repositories = repositories

    def file(self, path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
        content = _load(path)
        names = {"parameters": _parameters(path, content.pop("parameters", []), given), "variables": self._variables}
        return self._mapping(content, names, path)

    def _any(self, node: Any, names: Mapping[str, Any], path: Path) -> Any:
        if isinstance(node, dict):
            return self._mapping(node, names, path)
        if isinstance(node, list):
            return list(self._items(node, names, path))
        return _scalar(node, names) if isinstance(node, str) else node

    def _mapping(self, node: Mapping[str, Any], names: Mapping[str, Any], path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for value, its_names, key in _chosen(node, names):
            if key is None:
                inserted = self._any(value, its_names, path)
                if not isinstance(inserted, dict):
                    raise TemplateError(f"{path.name}: what is inserted into a mapping is none.")
            else:
                inserted = {_scalar(str(key), its_names): self._any(value, its_names, path)}
            if twice := made.keys() & inserted.keys():
                raise TemplateError(f"{path.name}: {', '.join(twice)} comes twice.")
            made |= inserted
        return made

    def _items(self, nodes: list[Any], names: Mapping[str, Any], path: Path) -> Iterator[Any]:
        before: list[Any] = []
        for node in nodes:
            directive = _directive(node)
            if directive is None:
                before = []
                if isinstance(node, dict) and "template" in node:
                    yield from self._included(node, names, path)
                else:
                    made = self._any(node, names, path)
                    # An expression that is a list is put into the list around it.
                    yield from made if isinstance(node, str) and isinstance(made, list) else [made]
                continue
            # `else` belongs to the items just before it.
            before = [*before, node] if directive in {"else", "elseif"} else [node]
            chain = {f"{number}\0{key}": value for number, item in enumerate(before) for key, value in item.items()}
            already = {f"{number}\0{key}" for number, item in enumerate(before[:-1]) for key in item}
            for value, its_names, key in _chosen(chain, names, silent=already):
                if key is not None or not isinstance(value, list):
                    raise TemplateError(f"{path.name}: a list can take items only, not {value!r}.")
                yield from self._items(value, its_names, path)

    def _included(self, node: Mapping[str, Any], names: Mapping[str, Any], path: Path) -> Iterator[Any]:
        if unknown := node.keys() - {"template", "parameters"}:
            raise TemplateError(f"{path.name}: {', '.join(unknown)} beside template.")
        name, _, repository = _scalar(node["template"], names).partition("@")
        target = self._repositories[repository] / name if repository else path.parent / name
        expanded = self.file(target, self._any(node.get("parameters", {}), names, path))
        [kind] = expanded
        if kind not in {"steps", "jobs", "stages", "variables"}:
            raise TemplateError(f"{target.name}: {kind} is no kind of template.")
        yield from expanded[kind]


def _directive(node: Any) -> str | None:
    if not isinstance(node, dict) or len(node) != 1:
        return None
    return _word(next(iter(node)))[0]


def _word(key: Any) -> tuple[str | None, str]:
    found = _EXPRESSION.fullmatch(str(key).rpartition("\0")[2].strip())
    word, _, rest = found["inner"].strip().partition(" ") if found else ("", "", "")
    return (word, rest.strip()) if word in {"if", "elseif", "else", "each", "insert"} else (None, "")


def _chosen(
    node: Mapping[str, Any], names: Mapping[str, Any], silent: frozenset[str] | set[str] = frozenset()
) -> Iterator[tuple[Any, Mapping[str, Any], str | None]]:
    """Give each entry that applies, with the names that it sees; the key is `None` where its value takes its place."""
    done = True
    for key, value in node.items():
        word, rest = _word(key)
        if word == "each":
            variable, _, collection = rest.partition(" in ")
            for item in _each(evaluate(collection, names)):
                yield value, {**names, variable.strip(): item}, None
        elif word == "insert":
            yield value, names, None
        elif word is None:
            yield value, names, key
        else:
            if word == "if":
                done = False
            applies = not done and (word == "else" or is_true(evaluate(rest, names)))
            done = done or applies
            if applies and key not in silent:
                yield value, names, None


def _each(collection: Any) -> list[Any]:
    if isinstance(collection, Mapping):
        return [{"key": key, "value": value} for key, value in collection.items()]
    if not isinstance(collection, list):
        raise TemplateError(f"each needs a list or a mapping, not {collection!r}.")
    return collection


def _scalar(text: str, names: Mapping[str, Any]) -> Any:
    whole = _EXPRESSION.fullmatch(text.strip())
    if whole:
        return evaluate(whole["inner"], names)
    return _EXPRESSION.sub(lambda found: text_of(evaluate(found["inner"], names)), text)


def _parameters(path: Path, declared: list[dict[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := given.keys() - {row["name"] for row in declared}:
        raise TemplateError(f"{path.name} has no parameter {', '.join(sorted(unknown))}.")
    values = {}
    for row in declared:
        name, kind = row["name"], row.get("type", "string")
        if name not in given and "default" not in row:
            raise TemplateError(f"{path.name}: a value for {name} must be given.")
        value = given.get(name, row.get("default"))
        if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, _TYPES[kind]) or (kind == "number" and isinstance(value, bool)):
            raise TemplateError(f"{path.name}: {name} is {value!r}, which is no {kind}.")
        if kind in _SCALARS and "values" in row and value not in row["values"]:
            raise TemplateError(f"{path.name}: {name} is {value!r}, which is none of {row['values']}.")
        values[name] = value
    return values


def _load(path: Path) -> dict[str, Any]:
    content = yaml.load(path.read_text("utf-8"), Loader=_Loader)
    if not isinstance(content, dict):
        raise TemplateError(f"{path.name} is no mapping.")
    return content


class _Loader(yaml.SafeLoader):
    """YAML 1.2's booleans: `off` and `on` are texts, as they are to Azure. A key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(set(keys)) < len(keys):
            raise TemplateError(f"A key stands twice:{node.start_mark}")
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|false|True|False|TRUE|FALSE)$"), list("tTfF")
)
