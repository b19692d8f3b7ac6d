"""A configuration resolved against a file: what happens to each file in it, and which rules do not hold.

`make_plan` gives a `Plan`: a tree with each nested file once. A file that no path names has no treatment: it is left as
it is. A file that two paths name has two, and is processed twice, in this order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from signpath_ci.artifact_configuration.language import DIRECTIVES
from signpath_ci.artifact_configuration.markup import Position
from signpath_ci.values import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A rule that does not hold for a file, or something that is probably not meant.

    Attributes:
        rule: which one, as a stable word: one of `rules.RULES`.
        message: what is wrong, without a full stop.
        hint: what to do about it, without a full stop; may be empty.
        position: where the configuration says so.
        file: the nested file that it is about, from the artifact's root; empty: the artifact itself, or none.
    """

    rule: str
    message: str
    position: Position
    hint: str = ""
    file: str = ""


@dataclass(frozen=True, kw_only=True)
class PlannedDirective:
    """A directive with its attributes' values, parameters replaced.

    Attributes:
        output: path of the file that it adds, in the same container; `None`: it adds none.
        children: of a provenance file: what is added about it.
    """

    name: str
    attributes: Mapping[str, str]
    position: Position
    output: str | None = None
    children: tuple[PlannedDirective, ...] = ()

    @property
    def effect(self) -> str:
        """What it does, as `language.Effect` says."""
        return DIRECTIVES[self.name].effect

    def outputs(self) -> Iterator[str]:
        """Yield the paths of all files that it adds."""
        if self.output is not None:
            yield self.output
        for child in self.children:
            yield from child.outputs()


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """What one element of the configuration does with a file.

    Attributes:
        kind: the name of the element.
        position: of the element or the include that chose the file.
        directives: in the configuration's order; none: the file is only required to be there.
        members: what is in the file, where elements stand inside the element; `None`: it is not opened.
    """

    kind: str
    position: Position
    directives: tuple[PlannedDirective, ...]
    members: tuple[PlannedFile, ...] | None = None

    @property
    def is_signed(self) -> bool:
        """Whether the file itself is replaced by a signed one."""
        return any(one.effect == "replace" for one in self.directives)

    @property
    def is_verified(self) -> bool:
        """Whether a signature that the file carries already is verified."""
        return any(one.effect == "verify" for one in self.directives)


@dataclass(frozen=True, kw_only=True)
class PlannedFile:
    """A file, or a directory with directives of its own.

    Attributes:
        path: in its container, with slashes; the artifact's own name for the artifact.
        treatments: in the configuration's order; none: it is left as it is.
        is_directory: it is a directory.
    """

    path: str
    treatments: tuple[Treatment, ...] = ()
    is_directory: bool = False

    @property
    def is_left(self) -> bool:
        """Whether nothing names it."""
        return not self.treatments

    @property
    def must_be_signed(self) -> bool:
        """Whether it comes back with a signature of its own."""
        return any(treatment.is_signed for treatment in self.treatments)

    @property
    def must_be_verified(self) -> bool:
        """Whether the signature that it was submitted with is verified, and it comes back unchanged."""
        return not self.must_be_signed and any(treatment.is_verified for treatment in self.treatments)

    @property
    def changes(self) -> bool:
        """Whether other bytes come back: it is signed, or something in it is, or is added in it."""
        return self.must_be_signed or any(
            member.changes or any(True for _ in member.outputs())
            for treatment in self.treatments
            for member in treatment.members or ()
        )

    def outputs(self) -> Iterator[str]:
        """Yield the paths of files that are added beside it, or for a directory in it."""
        for treatment in self.treatments:
            for directive in treatment.directives:
                yield from directive.outputs()

    def members(self) -> dict[str, PlannedFile]:
        """Return what is in it by path, the treatments of all elements that open it taken together."""
        found: dict[str, PlannedFile] = {}
        for treatment in self.treatments:
            for member in treatment.members or ():
                known = found.get(member.path)
                found[member.path] = (
                    member
                    if known is None
                    else PlannedFile(
                        path=member.path,
                        treatments=known.treatments + member.treatments,
                        is_directory=member.is_directory,
                    )
                )
        return found


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A configuration resolved against a file.

    Attributes:
        artifact: the file itself, with all that is in it.
        problems: rules that do not hold: SignPath would refuse the artifact.
        warnings: what is permitted, and probably not meant.
        parameters: the values that were used, by name.
        configuration_sha256: of the configuration, in lower-case hex.
    """

    artifact: PlannedFile
    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    parameters: Mapping[str, str]
    configuration_sha256: str = field(default="")

    def find(self, *path: str) -> PlannedFile | None:
        """Return a nested file: `find("inner.zip", "bin/app.exe")`; no path: the artifact. `None`: it is not there.

        A file inside a container that no element opens is not there either: the container is left as it is, or signed
        as a whole.
        """
        found: PlannedFile | None = self.artifact
        for name in path:
            if found is None:
                return None
            found = found.members().get(name)
        return found

    def walk(self) -> Iterator[tuple[tuple[str, ...], PlannedFile]]:
        """Yield each nested file with its path, a container before what is in it."""
        left: list[tuple[tuple[str, ...], PlannedFile]] = [((), self.artifact)]
        while left:
            path, file = left.pop()
            yield path, file
            left += reversed([((*path, name), member) for name, member in file.members().items()])
