"""What was done to each nested file of a request: data for the request's page, for tests, and for its description."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import quoteattr

Result = Literal["signed", "verified", "added", "recorded", "required", "failed"]

DESCRIPTION_NAMESPACE = "http://signpath.io/artifact-description/v1"
"""Of `ArtifactDescriptionXml`. SignPath's own form is not public: this one is the sandbox's, and stands only here."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One directive, carried out on one file; or a file that only had to be there.

    Attributes:
        path: of the file, from the artifact down: names in one container each; nothing: the artifact itself.
        element: that chose it.
        directive: that was carried out; empty: none.
        line: of the element or include in the artifact configuration.
        column: likewise.
        result: what came of it.
        detail: the path of the file that was added, or why it failed.
    """

    path: tuple[str, ...]
    element: str
    directive: str
    line: int
    column: int
    result: Result
    detail: str = ""


def write_steps(path: Path, steps: Iterable[Step]) -> None:
    """Keep the steps of a request."""
    path.write_text(json.dumps([asdict(step) for step in steps]), "utf-8")


def read_steps(path: Path) -> tuple[Step, ...]:
    """Return the steps that were kept; none where nothing was processed."""
    try:
        said = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return ()
    return tuple(Step(**{**step, "path": tuple(step["path"])}) for step in said)


def description_xml(file_name: str, steps: Iterable[Step]) -> str:
    """Return the resolved tree of a request as XML: each file once, with what was done to it."""
    done: dict[tuple[str, ...], list[Step]] = {}
    inside: dict[tuple[str, ...], dict[tuple[str, ...], None]] = {}
    for step in steps:
        done.setdefault(step.path, []).append(step)
        for depth in range(len(step.path)):
            inside.setdefault(step.path[:depth], {})[step.path[: depth + 1]] = None

    def lines(path: tuple[str, ...], name: str, indent: str) -> Iterator[str]:
        here = done.get(path, [])
        element = here[0].element if here else "zip-file"
        yield f"{indent}<{element} path={quoteattr(_printable(name))}>"
        for inner in inside.get(path, ()):
            yield from lines(inner, inner[-1], f"{indent}  ")
        for step in here:
            if step.directive:
                detail = f" detail={quoteattr(_printable(step.detail))}" if step.detail else ""
                yield f'{indent}  <{step.directive} result="{step.result}" line="{step.line}"{detail}/>'
        yield f"{indent}</{element}>"

    head = f"<artifact-description xmlns={quoteattr(DESCRIPTION_NAMESPACE)}>"
    content = lines((), file_name, "  ")
    return "\n".join(['<?xml version="1.0" encoding="utf-8"?>', head, *content, "</artifact-description>", ""])


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
