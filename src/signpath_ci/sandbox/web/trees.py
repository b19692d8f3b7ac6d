"""A tree of nested files, as the pages draw it: made from a plan, or from what was done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from signpath_ci.artifact_configuration.plan import Plan, PlannedFile, Treatment
from signpath_ci.sandbox.outcome import Result, Step

_MAX_NODES = 2000
"""Drawn at most; a browser is slow with more."""

_MAX_DEPTH = 40
"""Of directories in one container; what lies deeper is drawn with the rest of its path as its name."""


@dataclass(kw_only=True)
class Node:
    """A file or directory.

    Attributes:
        name: the last part of its path.
        result: one of `signed`, `verified`, `added`, `unchanged`, `failed`; empty: only its files matter.
        label: the result in words.
        notes: what was done, in the configuration's order.
        children: what is in it, by name.
        left_out: how many of them are not drawn.
    """

    name: str
    result: str = ""
    label: str = ""
    notes: list[str] = field(default_factory=list)
    children: dict[str, Node] = field(default_factory=dict)
    left_out: int = 0

    @property
    def is_only_opened(self) -> bool:
        """Whether nothing happens to it but what happens to the files in it."""
        return bool(self.children) and self.result == "unchanged"

    def at(self, path: str) -> Node:
        """Return the node of a path below this one, with slashes; made where it is not there."""
        node = self
        for name in path.split("/", _MAX_DEPTH):
            node = node.children.setdefault(name, Node(name=name))
        return node


def tree_of_plan(plan: Plan) -> Node:
    """Return what a plan says will happen to each file."""
    budget = [_MAX_NODES]
    return _file(plan.artifact, Node(name=plan.artifact.path), budget)


def _file(file: PlannedFile, node: Node, budget: list[int]) -> Node:
    node.result, node.label = _result(file)
    node.notes = [_note(treatment) for treatment in file.treatments if treatment.directives]
    for path, member in file.members().items():
        if budget[0] <= 0:
            node.left_out += 1
            continue
        budget[0] -= 1
        _file(member, node.at(path), budget)
        parent = node.at(path.rpartition("/")[0]) if "/" in path else node
        for output in child_outputs(member):
            added = parent.children.setdefault(output, Node(name=output))
            added.result, added.label = "added", "Added"
    return node


_LABELS: dict[Result, tuple[str, str]] = {
    "signed": ("signed", "Signed"),
    "verified": ("verified", "Verified"),
    "added": ("unchanged", "Signature added"),
    "recorded": ("unchanged", "Recorded"),
    "required": ("unchanged", "Required, unchanged"),
    "failed": ("failed", "Failed"),
}


def tree_of_steps(file_name: str, steps: Iterable[Step]) -> Node | None:
    """Return what was done to each file; `None` where nothing was done yet.

    Args:
        file_name: of the artifact.
        steps: in the order in which they were done.
    """
    root: Node | None = None
    drawn: set[tuple[str, ...]] = set()
    for step in steps:
        root = root or Node(name=file_name)
        if step.path not in drawn:
            if len(drawn) >= _MAX_NODES:
                root.left_out += 1
                continue
            drawn.add(step.path)
        node = root
        for path in step.path[:_MAX_DEPTH]:
            node = node.at(path)
        node.result, node.label = _LABELS[step.result]
        node.notes += [f"{step.directive}, line {step.line}"] if step.directive else []
        if step.result == "failed" and step.detail:
            node.notes.append(step.detail)
        if step.result == "added" and step.detail:
            *containers, added_path = step.path or (file_name,)
            parent = root
            for path in containers:
                parent = parent.at(path)
            added = parent.at(step.detail)
            added.result, added.label = "added", f"Added for {added_path.rpartition('/')[2]}"
    return root


def child_outputs(file: PlannedFile) -> Iterable[str]:
    """Return the names of the files that are added beside a file."""
    return [output.rpartition("/")[2] for output in file.outputs()]


def _result(file: PlannedFile) -> tuple[str, str]:
    if file.must_be_signed:
        return "signed", "Signed"
    if file.must_be_verified:
        return "verified", "Verified"
    if any(directive.effect == "add" for treatment in file.treatments for directive in treatment.directives):
        return "unchanged", "Signature added"
    if file.is_left:
        return "unchanged", "Unchanged"
    return ("", "") if file.changes or file.is_directory else ("unchanged", "Required, unchanged")


def _note(treatment: Treatment) -> str:
    return ", ".join(directive.name for directive in treatment.directives)
