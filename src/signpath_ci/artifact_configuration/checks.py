"""Checks of single elements: their attributes, the parameters that these use, and names that are not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from signpath_ci.artifact_configuration import inferred, language
from signpath_ci.artifact_configuration.language import DIRECTIVES, ELEMENTS, NAMESPACE, SETS, Attribute
from signpath_ci.artifact_configuration.markup import Node, Position, Problem
from signpath_ci.artifact_configuration.template import Template

_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
STRUCTURE = ("parameters", "parameter", "include", "for-each")
"""Elements that are neither files nor directives."""
_MOST_SUGGESTIONS = 50


class Checks:
    """What the validation of a document has in common; `errors` and `warnings` are what it has found."""

    def __init__(self) -> None:
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self._declared: set[str] = set()

    def _wrong(self, position: Position, message: str, rule: str) -> None:
        self.errors.append(Problem(position, message, rule))

    @property
    def _is_foreign_document(self) -> bool:
        """Whether the root's namespace is wrong, so that every other one would be, too."""
        return any(problem.rule == "wrong-namespace" for problem in self.errors)

    def _check_attributes(
        self,
        node: Node,
        known: Mapping[str, Attribute],
        elsewhere: Mapping[str, str] | None = None,
        *,
        takes_any: bool = False,
        is_directive: bool = False,
    ) -> None:
        if node.namespace != NAMESPACE and not self._is_foreign_document:
            self._wrong(
                node.position,
                f"<{node.name}> is of the namespace {node.namespace or '(none)'}: leave out its own xmlns",
                "wrong-namespace",
            )
        for namespace, name in node.foreign:
            if namespace != _SCHEMA_INSTANCE:
                self._wrong(node.position, f"the attribute {name} of namespace {namespace} is not known", "attribute")
        for name, value in node.attributes.items():
            rule = known.get(name)
            if rule is None:
                if not takes_any:
                    self._unknown_attribute(node, name, known, elsewhere or {})
            else:
                if rule.replaced_by:
                    self.warnings.append(
                        Problem(node.place(name), f"{name} is an old name: write {rule.replaced_by}", "old-attribute")
                    )
                self._check_value(node, name, value, rule)
            self._check_references(node, name, value, is_directive=is_directive)
        for name, rule in known.items():
            if rule.is_required and name not in node.attributes:
                self._wrong(node.position, f"<{node.name}> has no {name}", "missing-attribute")

    def _check_value(self, node: Node, name: str, value: str, rule: Attribute) -> None:
        if rule.choices and not Template.of(value).parameters and inferred.known_hash(value) not in rule.choices:
            self._wrong(
                node.place(name), f"{name} is {value!r}, which is none of {', '.join(rule.choices)}", "wrong-value"
            )

    def _unknown_attribute(
        self, node: Node, name: str, known: Mapping[str, Attribute], elsewhere: Mapping[str, str]
    ) -> None:
        removed = language.REMOVED_ATTRIBUTES.get((node.name, name))
        near = self._nearest(name, [one for one, rule in known.items() if rule.replaced_by is None])
        if removed or name in elsewhere:
            remedy = f": {removed or elsewhere[name]}"
        elif near:
            remedy = f": did you mean {near}?"
        elif known:
            remedy = f"; it has {', '.join(one for one, rule in known.items() if rule.replaced_by is None)}"
        else:
            remedy = "; it has none"
        self._wrong(node.place(name), f"<{node.name}> has no attribute {name}{remedy}", "unknown-attribute")

    def _check_references(self, node: Node, name: str, value: str, *, is_directive: bool) -> None:
        template = Template.of(value)
        if template.has_open_reference:
            self._wrong(node.place(name), f"{name} is {value!r}: a ${{ has no end, or no name", "wrong-parameter")
        for reference in template.parameters:
            if reference == inferred.FILE_NAME_PARAMETER:
                is_restriction = any(name in rule.restrictions for rule in ELEMENTS.values())
                if not (is_restriction or (is_directive and name in inferred.FILE_NAME_ALLOWED)):
                    self._wrong(
                        node.place(name),
                        "${file.name} can stand only in output-file-name, in description and in restrictions",
                        "wrong-parameter",
                    )
            elif reference not in self._declared:
                near = self._nearest(reference, self._declared)
                remedy = (
                    f"did you mean ${{{near}}}?"
                    if near
                    else f'declare it first, <parameters><parameter name="{reference}" required="true"/></parameters>'
                )
                self._wrong(
                    node.place(name), f"{name} uses ${{{reference}}}, which is not declared: {remedy}", "parameter"
                )

    def _unknown(self, node: Node, known: Iterable[str], parent: str) -> None:
        names = tuple(known)
        everything = (*ELEMENTS, *SETS, *DIRECTIVES, *STRUCTURE)
        remedy = language.REMEDIES.get(node.name.lower())
        if remedy is None:
            near = self._nearest(node.name, names) or self._nearest(node.name, everything)
            allowed = f"<{parent}> takes {', '.join(f'<{name}>' for name in names)}" if parent and names else ""
            remedy = f"did you mean <{near}>?" if near else allowed or f"it is not an element of {NAMESPACE}"
        what = "is not possible here" if node.name in everything else "is not known"
        self._wrong(node.position, f"<{node.name}> {what}: {remedy}", "unknown-element")

    def _leaf(self, node: Node) -> None:
        self._no_text(node)
        for child in node.children:
            self._wrong(child.position, f"<{child.name}> can't stand in <{node.name}>, which is empty", "wrong-place")

    def _no_text(self, node: Node) -> None:
        if node.text is not None:
            text, position = node.text
            self._wrong(position, f"the text {text[:40]!r} can't stand in <{node.name}>", "text")

    def _nearest(self, name: str, known: Iterable[str]) -> str | None:
        """Return the known name that is most alike; `None`: none is, or too much is wrong already."""
        if len(self.errors) > _MOST_SUGGESTIONS:
            return None
        folded = {one.lower(): one for one in known}
        found = difflib.get_close_matches(name.lower()[:80], folded, n=1, cutoff=0.7)
        return folded[found[0]] if found else None
