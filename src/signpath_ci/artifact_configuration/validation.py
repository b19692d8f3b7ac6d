"""What makes an XML document a valid artifact configuration: the tables of `language`, applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from signpath_ci.artifact_configuration import inferred, language
from signpath_ci.artifact_configuration.checks import STRUCTURE, Checks
from signpath_ci.artifact_configuration.document import (
    Directive,
    FileElement,
    Include,
    Parameter,
    count_of,
)
from signpath_ci.artifact_configuration.language import DIRECTIVES, ELEMENTS, NAMESPACE, SETS, Attribute, element_of
from signpath_ci.artifact_configuration.markup import Node, Problem
from signpath_ci.artifact_configuration.paths import PathError, compile_path
from signpath_ci.artifact_configuration.template import Template

_APPEND = ("pe-file", "cab-file", "catalog-file")
_NO_SHA1 = ("appx-file", "msix-file")


class Validation(Checks):
    """One validation; `errors` and `warnings` are what it has found."""

    def document(self, node: Node) -> tuple[tuple[Parameter, ...], FileElement | None]:
        """Validate the root element; return what it holds as far as it is valid."""
        if node.name != language.ROOT:
            remedy = language.REMEDIES.get(node.name.lower(), "")
            self._wrong(
                node.position,
                f"<{node.name}> is not SignPath's language: the root must be "
                f'<{language.ROOT} xmlns="{NAMESPACE}">' + (f". {remedy}" if remedy else ""),
                "unknown-root",
            )
            return (), None
        if node.namespace != NAMESPACE:
            found = f"is {node.namespace}" if node.namespace else "is missing"
            self._wrong(node.position, f'the namespace {found}: write xmlns="{NAMESPACE}"', "wrong-namespace")
        self._check_attributes(node, {})
        self._no_text(node)
        parameters: tuple[Parameter, ...] = ()
        root = None
        roots = 0
        for index, child in enumerate(node.children):
            if child.name == "parameters":
                if index:
                    self._wrong(child.position, "<parameters> stands once, before the file element", "wrong-place")
                parameters = (*parameters, *self._parameters(child))
                continue
            roots += 1
            if roots == 2:  # noqa: PLR2004 - the second one
                self._wrong(
                    child.position,
                    f"<{child.name}> is a second root file element: there is exactly one; put both into a <zip-file>",
                    "second-root",
                )
            element = self._root(child)
            root = root or element
        if not roots:
            self._wrong(node.position, "there is no root file element, such as <zip-file> or <pe-file>", "no-root")
        return parameters, root

    def _parameters(self, node: Node) -> Iterable[Parameter]:
        self._check_attributes(node, {})
        self._no_text(node)
        for child in node.children:
            if child.name != "parameter":
                self._unknown(child, ("parameter",), "parameters")
                continue
            self._check_attributes(child, language.PARAMETER_ATTRIBUTES)
            self._leaf(child)
            name = child.attributes.get("name", "")
            if "name" in child.attributes and not inferred.PARAMETER_NAME.fullmatch(name):
                self._wrong(
                    child.place("name"),
                    f"{name!r} is not a parameter's name: use letters, digits, '.', '-' and '_'",
                    "parameter-name",
                )
            elif name == inferred.FILE_NAME_PARAMETER or name in self._declared:
                why = "always known" if name == inferred.FILE_NAME_PARAMETER else "declared already"
                self._wrong(child.place("name"), f"the parameter {name} is {why}", "parameter-name")
            self._declared.add(name)
            yield Parameter(
                name=name,
                default=child.attributes.get("default-value"),
                is_required=child.attributes.get("required") == "true",
                position=child.position,
            )

    def _root(self, node: Node) -> FileElement | None:
        kind = node.name if node.name in ELEMENTS else None
        if node.name in SETS or kind == "directory":
            self._wrong(
                node.position, f"<{node.name}> can't be the root: it is one file, such as <zip-file>", "wrong-place"
            )
            return None
        if kind == "file":
            self._wrong(
                node.position,
                "<file> can't be the root: what signs it adds a file beside it, so put it into a <zip-file>",
                "wrong-place",
            )
            return None
        for name in ("min-matches", "max-matches"):
            if name in node.attributes:
                self.warnings.append(
                    Problem(node.place(name), f"{name} has no meaning at the root element", "root-count")
                )
        return self._element(node, is_root=True, allowed=())

    def _element(self, node: Node, *, is_root: bool, allowed: tuple[str, ...]) -> FileElement | None:
        """Validate a file element or a set; `allowed` are the directives that may stand in its place."""
        kind = element_of(node.name)
        if kind is None:
            self._unknown(node, (*ELEMENTS, *SETS, *allowed), "")
            return None
        if node.name in SETS:
            return self._set(node, kind)
        attributes = dict(self._file_attributes(kind))
        if is_root and kind == "zip-file":
            attributes["ui-multifile-upload"] = Attribute(choices=("on",))
        if not is_root:
            attributes["path"] = Attribute(is_required=True)
        self._check_attributes(node, attributes)
        include = self._include(node, kind, inherited={}, is_root=is_root)
        directives, children = self._content(node, kind, is_root=is_root)
        return FileElement(
            kind=kind,
            is_set=False,
            includes=(include,),
            directives=directives,
            children=children,
            position=node.position,
        )

    def _file_attributes(self, kind: str) -> Mapping[str, Attribute]:
        restrictions: dict[str, Attribute] = dict.fromkeys(ELEMENTS[kind].restrictions, Attribute())
        if kind == "pe-file":
            restrictions |= {old: Attribute(replaced_by=new) for old, new in language.OLD_RESTRICTIONS.items()}
        return {**language.PATH_ATTRIBUTES, **restrictions}

    def _set(self, node: Node, kind: str) -> FileElement | None:
        known = self._file_attributes(kind)
        self._check_attributes(
            node,
            {name: rule for name, rule in known.items() if name not in language.PATH_ATTRIBUTES},
            dict.fromkeys(language.PATH_ATTRIBUTES, f"it stands at each <include> of <{node.name}>"),
        )
        self._no_text(node)
        inherited = self._restrictions(node, kind)
        includes: list[Include] = []
        loop: Node | None = None
        for child in node.children:
            if child.name == "include":
                if loop is not None:
                    self._wrong(child.position, "<include> stands before <for-each>", "wrong-place")
                self._check_attributes(child, {**known, "path": Attribute(is_required=True)})
                self._leaf(child)
                includes.append(self._include(child, kind, inherited=inherited, is_root=False))
            elif child.name == "for-each":
                if loop is not None:
                    self._wrong(child.position, f"<{node.name}> has a second <for-each>", "wrong-place")
                loop = loop or child
            elif child.name in DIRECTIVES or element_of(child.name):
                self._wrong(
                    child.position,
                    f"<{child.name}> can't stand directly in <{node.name}>: put it into <for-each>, "
                    f"behind the last <include>",
                    "set-without-for-each",
                )
            else:
                self._unknown(child, ("include", "for-each"), node.name)
        if not includes:
            self._wrong(node.position, f"<{node.name}> has no <include>", "no-include")
        directives: tuple[Directive, ...] = ()
        children: tuple[FileElement, ...] = ()
        if loop is not None:
            self._check_attributes(loop, {})
            directives, children = self._content(loop, kind, is_root=False)
        return FileElement(
            kind=kind,
            is_set=True,
            includes=tuple(includes),
            directives=directives,
            children=children,
            position=node.position,
        )

    def _include(self, node: Node, kind: str, *, inherited: Mapping[str, Template], is_root: bool) -> Include:
        path = node.attributes.get("path")
        old = node.attributes.get("max-occurences")
        low, high = node.attributes.get("min-matches", "1"), node.attributes.get("max-matches", old or "1")
        counts = []
        for name, text in (("min-matches", low), ("max-matches", high)):
            template = Template.of(text)
            counts.append(template)
            if not template.parameters:
                try:
                    if count_of(text) is None and name == "min-matches":
                        raise ValueError("'unbounded' is only for max-matches")  # noqa: TRY301 - one message for both
                except ValueError as error:
                    self._wrong(node.place(name), f"{name}: {error}", "wrong-value")
        if low.isdigit() and high.isdigit() and int(low) > int(high) and not is_root:
            self._wrong(
                node.place("min-matches" if "min-matches" in node.attributes else "max-matches"),
                f"min-matches ({low}) is greater than max-matches ({high}); both are 1 where they are not given",
                "wrong-value",
            )
        pattern = None if path is None else Template.of(path)
        if pattern is not None:
            self._check_path(node, pattern)
        return Include(
            path=pattern,
            min_matches=counts[0],
            max_matches=counts[1],
            has_max="max-matches" in node.attributes or old is not None,
            restrictions={**inherited, **self._restrictions(node, kind)},
            position=node.position,
        )

    def _check_path(self, node: Node, path: Template) -> None:
        try:  # a parameter's value is one character here: what is checked is what the document says itself
            compile_path(path.pieces(dict.fromkeys(path.parameters, "x")))
        except PathError as error:
            self._wrong(node.place("path"), f"the path {str(path)!r} {error}", "wrong-path")

    def _restrictions(self, node: Node, kind: str) -> dict[str, Template]:
        names = {name: name for name in ELEMENTS[kind].restrictions}
        if kind == "pe-file":
            names |= language.OLD_RESTRICTIONS
        return {new: Template.of(node.attributes[name]) for name, new in names.items() if name in node.attributes}

    def _content(
        self, node: Node, kind: str, *, is_root: bool
    ) -> tuple[tuple[Directive, ...], tuple[FileElement, ...]]:
        """Validate what stands in an element, or in the `for-each` of a set."""
        self._no_text(node)
        rule = ELEMENTS[kind]
        known = language.directives_of(kind)
        directives: list[Directive] = []
        children: list[FileElement] = []
        for child in node.children:
            if child.name in known:
                if child.name == "create-provenance-file" and not is_root:
                    self._wrong(
                        child.position, f"<{child.name}> can stand only in the <zip-file> at the root", "wrong-place"
                    )
                directives.append(self._directive(child, kind))
            elif child.name in DIRECTIVES:
                self._misplaced(child, kind, known)
            elif child.name in STRUCTURE:
                inside = "a set, such as <pe-file-set>" if child.name in {"include", "for-each"} else "the root element"
                self._wrong(child.position, f"<{child.name}> can stand only in {inside}", "wrong-place")
            elif element_of(child.name) and not rule.is_container:
                self._wrong(
                    child.position,
                    f"<{child.name}> can't stand in <{kind}>: a {rule.title} holds no files that can be signed",
                    "wrong-place",
                )
            else:
                element = self._element(child, is_root=False, allowed=known)
                children += [element] if element else []
        self._check_order(directives, kind)
        return tuple(directives), tuple(children)

    def _misplaced(self, node: Node, kind: str, known: tuple[str, ...]) -> None:
        homes = [name for name, rule in ELEMENTS.items() if node.name in rule.directives]
        inside = (
            f"it belongs into {', '.join(f'<{home}>' for home in homes[:4])}" if homes else "it is nested elsewhere"
        )
        has = f"; <{kind}> takes {', '.join(f'<{name}>' for name in known)}" if known else ""
        self._wrong(node.position, f"<{node.name}> can't stand in <{kind}>: {inside}{has}", "wrong-place")

    def _check_order(self, directives: list[Directive], kind: str) -> None:
        seen: set[str] = set()
        is_signed = False
        for one in directives:
            rule = DIRECTIVES[one.name]
            if one.name in seen and not rule.is_repeatable:
                self._wrong(one.position, f"<{one.name}> stands in <{kind}> twice", "wrong-place")
            if rule.effect == "verify" and is_signed:
                self._wrong(
                    one.position,
                    f"<{one.name}> must stand before what signs: it verifies the given file",
                    "wrong-place",
                )
            if one.name == "authenticode-sign":
                self._check_authenticode(one, kind, is_second="authenticode-sign" in seen)
            is_signed = is_signed or rule.effect == "replace"
            seen.add(one.name)

    def _check_authenticode(self, one: Directive, kind: str, *, is_second: bool) -> None:
        appends = str(one.attributes.get("append", "")) == "true"
        if appends and kind not in _APPEND:
            named = ", ".join(f"<{name}>" for name in _APPEND)
            self._wrong(one.position, f'append="true" is possible only in {named}', "wrong-value")
        if is_second and not appends:
            self.warnings.append(
                Problem(
                    one.position,
                    'the second <authenticode-sign> replaces the first signature: give it append="true" to keep both',
                    "replaced-signature",
                )
            )
        if kind in _NO_SHA1 and str(one.attributes.get("hash-algorithm", "")) == "sha1":
            self._wrong(one.position, f"hash-algorithm can't be sha1 in <{kind}>", "wrong-value")

    def _directive(self, node: Node, kind: str) -> Directive:
        rule = DIRECTIVES[node.name]
        self._check_attributes(node, rule.attributes, takes_any=rule.takes_any_attribute, is_directive=True)
        self._no_text(node)
        children = []
        for child in node.children:
            if child.name in rule.children:
                children.append(self._directive(child, kind))
            else:
                self._unknown(child, rule.children, node.name)
        attributes = {name: Template.of(value) for name, value in node.attributes.items()}
        return Directive(name=node.name, attributes=attributes, position=node.position, children=tuple(children))
