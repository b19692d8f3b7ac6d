"""The rules that files are held to, one by one: counts, restrictions, directives and the files that these add."""

from __future__ import annotations

from collections.abc import Mapping

from signpath_ci.artifact_configuration import content, inferred, near
from signpath_ci.artifact_configuration.document import Configuration, Directive, FileElement, Include, count_of
from signpath_ci.artifact_configuration.index import Directory, Index
from signpath_ci.artifact_configuration.language import DIRECTIVES
from signpath_ci.artifact_configuration.local_files import LocalFiles, Source
from signpath_ci.artifact_configuration.markup import Position
from signpath_ci.artifact_configuration.parameters import parameter_findings, parameter_values
from signpath_ci.artifact_configuration.paths import Path, PathError, compile_path
from signpath_ci.artifact_configuration.plan import Finding, PlannedDirective, PlannedFile, Treatment
from signpath_ci.artifact_configuration.template import Template
from signpath_ci.formats.containers import Container
from signpath_ci.values import dataclass, field

MAX_FINDINGS = 100
"""More problems than these are not looked for."""


class EnoughError(Exception):
    """So much is wrong that the rest need not be looked at."""


@dataclass(frozen=True)
class Place:
    """A directory in a container at hand.

    Attributes:
        container: it.
        index: its files.
        prefix: its path from the artifact's root, with a slash at the end, for messages.
        base: the directory that paths start at.
        files: what was found to happen to the container's files, by path.
        directories: what happens to its directories.
    """

    container: Container
    index: Index
    prefix: str
    base: Directory
    files: dict[str, list[Treatment]] = field(default_factory=dict)
    directories: dict[str, list[Treatment]] = field(default_factory=dict)


class Evaluation:
    """One evaluation of a configuration: the parameters' values, and what does not hold."""

    def __init__(self, configuration: Configuration, values: Mapping[str, str]) -> None:
        self.values = parameter_values(configuration, values)
        self.problems: list[Finding] = list(parameter_findings(configuration, values))
        self.warnings: list[Finding] = []

    def _wrong(self, rule: str, position: Position, message: str, *, hint: str = "", file: str = "") -> None:
        self.problems.append(Finding(rule=rule, message=message, hint=hint, position=position, file=file))
        if len(self.problems) >= MAX_FINDINGS:
            raise EnoughError

    def _path(self, template: Template, position: Position) -> Path | None:
        try:
            return compile_path(template.pieces(self.values))
        except PathError as error:
            self._wrong("wrong-path", position, f"the path {template} {error}", hint="check the parameters' values")
        except KeyError:
            pass  # a required parameter has no value, which is a problem already
        return None

    def _check_count(self, element: FileElement, include: Include, path: Path, found: list[str], place: Place) -> None:
        low, high = self._counts(include)
        if low <= len(found) and (high is None or len(found) <= high):
            return
        around = f"{place.prefix}{place.base.path}".rstrip("/")
        message = (
            f"Expected path to match {near.expectation(low, high)}, but found {len(found)}: {path.text}"
            f"{f' in {around}' if around else ''}"
        )
        if len(found) < low:
            hint = near.remedy(element, path, place.container, place.base, place.prefix)
            self._wrong("too-few-matches", include.position, message, hint=hint)
        else:
            self._wrong(
                "too-many-matches", include.position, message, hint=near.too_many([place.prefix + f for f in found])
            )

    def _counts(self, include: Include) -> tuple[int, int | None]:
        try:
            return (
                count_of(include.min_matches.resolved(self.values)) or 0,
                count_of(include.max_matches.resolved(self.values)),
            )
        except KeyError:  # as in `_path`
            return 0, None
        except ValueError as error:
            self._wrong("wrong-value", include.position, f"min-matches or max-matches: {error}")
            return 0, None

    def _check_restrictions(
        self, element: FileElement, include: Include, values: Mapping[str, str], file: Source, full: str
    ) -> None:
        if not include.restrictions or isinstance(file, LocalFiles):
            return
        found = content.metadata(element.kind, file)
        for name, template in include.restrictions.items():
            if not all(parameter in values for parameter in template.parameters):
                continue  # as in `_path`
            expected = template.resolved(values)
            actual = found.get(name)
            if actual is None:
                self._wrong(
                    "metadata",
                    include.position,
                    f"{name} must be {expected!r}, but the file has none",
                    hint=near.METADATA_REMEDIES.get(element.kind, ""),
                    file=full,
                )
            elif not inferred.same_metadata(expected, actual):
                self._wrong(
                    "metadata",
                    include.position,
                    f"{name} must be {expected!r}, but is {actual.rstrip()!r}",
                    hint=near.metadata_remedy(expected, actual),
                    file=full,
                )

    def _directive(self, directive: Directive, path: str, values: Mapping[str, str], full: str) -> PlannedDirective:
        rules = DIRECTIVES[directive.name].attributes
        attributes = {name: rule.default for name, rule in rules.items() if rule.default is not None}
        for name, template in directive.attributes.items():
            if not all(parameter in values for parameter in template.parameters):
                continue  # as in `_path`
            value = template.resolved(values)
            rule = rules.get(name)
            if rule and rule.choices:
                value = inferred.known_hash(value)
                if value not in rule.choices:
                    self._wrong(
                        "wrong-value",
                        directive.position,
                        f"{name} is {value!r}, which is none of {', '.join(rule.choices)}",
                        file=full,
                    )
            attributes[name] = value
        output = None
        if "output-file-name" in attributes:
            name = attributes["output-file-name"]
            if not name or name in {".", ".."} or "/" in name or "\\" in name:
                self._wrong(
                    "output-name",
                    directive.position,
                    f"output-file-name is {name!r}, which is not a file's name",
                    file=full,
                )
            is_inside = directive.name == "create-provenance-file"
            output = name if is_inside else inferred.output_directory(path) + name
        children = tuple(self._directive(child, "", values, full) for child in directive.children)
        return PlannedDirective(
            name=directive.name,
            attributes=attributes,
            position=directive.position,
            output=output,
            children=children,
        )

    def _check_outputs(self, planned: tuple[PlannedFile, ...], prefix: str) -> None:
        """Check that no file that a directive adds has the name of another one."""
        taken: set[str] | None = None
        for file in planned:
            for treatment in file.treatments:
                for directive in treatment.directives:
                    for output in directive.outputs():
                        if taken is None:
                            taken = {inferred.fold(one.path) for one in planned}
                        folded = inferred.fold(output)
                        if folded in taken:
                            self._wrong(
                                "output-name",
                                directive.position,
                                f"output-file-name: there is already a file {output}",
                                hint='use ${file.name}, such as output-file-name="${file.name}.p7s"',
                                file=prefix + file.path,
                            )
                        taken.add(folded)
