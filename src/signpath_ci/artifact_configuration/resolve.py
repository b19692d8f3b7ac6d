"""Makes the plan: walks through a configuration and a file side by side.

Bounds: `Budget` of the ZIP reader for all nested containers together, `index.MAX_COMPARISONS` for paths, and
`MAX_FINDINGS` for what is reported. Nested containers are copied to temporary files, one at a time at each depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from signpath_ci.artifact_configuration import advice, content, inferred, near
from signpath_ci.artifact_configuration.content import LAYOUTS
from signpath_ci.artifact_configuration.document import Configuration, FileElement, Include
from signpath_ci.artifact_configuration.evaluation import EnoughError, Evaluation, Place
from signpath_ci.artifact_configuration.index import Index, TooMuchWorkError
from signpath_ci.artifact_configuration.language import ELEMENTS
from signpath_ci.artifact_configuration.local_files import ZIP_START, LocalFiles, Source
from signpath_ci.artifact_configuration.markup import Position
from signpath_ci.artifact_configuration.paths import Path
from signpath_ci.artifact_configuration.plan import Finding, Plan, PlannedFile, Treatment
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.containers import HEAD, Member, open_container
from signpath_ci.formats.zip import Budget
from signpath_ci.values import replace

_Opened = Callable[[], AbstractContextManager[Source]]


def make_plan(configuration: Configuration, file: Source, *, name: str, values: Mapping[str, str]) -> Plan:
    """Resolve a configuration against a file.

    Args:
        configuration: a valid one.
        file: the artifact; a file is seekable, and only read.
        name: its name, without a directory.
        values: the request's parameters by name.

    Raises:
        OSError: the file, or a temporary one, can't be read or written.
    """
    resolver = _Resolver(configuration, values)
    artifact = PlannedFile(path=name)
    try:
        artifact = resolver.artifact(file, name)
    except EnoughError:
        pass
    except TooMuchWorkError:
        message = "its patterns and the artifact's files are too many to be compared"
        resolver.problems.append(
            Finding(rule="too-many", message=message, hint="use fewer '**'", position=configuration.root.position)
        )
    plan = Plan(
        artifact=artifact,
        problems=tuple(resolver.problems),
        warnings=(),
        parameters=resolver.values,
        configuration_sha256=configuration.sha256,
    )
    return replace(plan, warnings=(*advice.about(configuration, plan), *resolver.unsigned(), *resolver.warnings))


class _Resolver(Evaluation):
    def __init__(self, configuration: Configuration, values: Mapping[str, str]) -> None:
        self._configuration = configuration
        super().__init__(configuration, values)
        self._budget = Budget(depth=inferred.MAX_DEPTH)
        self._unsigned: list[tuple[str, Position]] = []

    def artifact(self, file: Source, name: str) -> PlannedFile:
        root = self._configuration.root
        (include,) = root.includes
        if include.path is not None:
            path = self._path(include.path, include.position)
            if path is not None and not path.matches([inferred.fold(name)]):
                self._wrong(
                    "root-name",
                    include.position,
                    f"the root's path {path.text} does not match the artifact's name {name}",
                    hint="rename the artifact, or change or remove the path",
                )
        if isinstance(file, LocalFiles):
            head = ZIP_START
        else:
            file.seek(0)
            head = file.read(HEAD)
        found = content.mismatch(root.kind, head)
        if found is not None:
            what, element = found
            self._wrong(
                "wrong-format",
                root.position,
                f"the root is <{root.kind}>, but {name} is {what}",
                hint=near.root_remedy(root.kind, element),
            )
            return PlannedFile(path=name)

        @contextmanager
        def opened() -> Iterator[Source]:
            yield file

        treatment = self._treatment(root, include, path=name, prefix="", opened=opened)
        return PlannedFile(path=name, treatments=(treatment,))

    def _treatment(
        self, element: FileElement, include: Include, *, path: str, prefix: str, opened: _Opened
    ) -> Treatment:
        """Check one file, resolve the elements inside it, and return what happens to it."""
        name = path.rpartition("/")[2]
        values = {**self.values, inferred.FILE_NAME_PARAMETER: name}
        full = "" if element is self._configuration.root else prefix + path
        members: tuple[PlannedFile, ...] | None = None
        if include.restrictions or element.children:
            try:
                with opened() as file:
                    self._check_restrictions(element, include, values, file, full)
                    if element.children:
                        members = self._members(element, file, full)
            except FormatError as error:
                self._unreadable(element, include, full, error)
        return Treatment(
            kind=element.kind,
            position=include.position,
            directives=tuple(self._directive(one, path, values, full) for one in element.directives),
            members=members,
        )

    def _unreadable(self, element: FileElement, include: Include, full: str, error: FormatError) -> None:
        if isinstance(error, UnsupportedError):
            self._unknown(element, include.position, full, str(error))
            return
        title = ELEMENTS[element.kind].title
        self._wrong("damaged", include.position, f"the {title} can't be read: {error}", file=full)

    def _unknown(self, element: FileElement, position: Position, full: str, why: str) -> None:
        self.warnings.append(
            Finding(
                rule="not-resolved",
                message=f"what is inside this {ELEMENTS[element.kind].title} was not compared: {why}",
                position=position,
                file=full,
            )
        )

    def _members(self, element: FileElement, file: Source, full: str) -> tuple[PlannedFile, ...] | None:
        layout = LAYOUTS.get(element.kind)
        if layout is None:
            self._unknown(element, element.position, full, "its inner files are not known to this program")
            return None
        opened = nullcontext(file) if isinstance(file, LocalFiles) else open_container(layout, file, self._budget)
        with opened as container:
            index = Index(container.members, container.directories)
            place = Place(container, index, f"{full}/" if full else "", index.root)
            for child in element.children:
                self._choose(child, place)
            files = tuple(
                PlannedFile(path=member.path, treatments=tuple(place.files.get(member.path, ())))
                for member in container.members
            )
            self._find_unsigned(files, place, element.position)
            signed_directories = tuple(
                PlannedFile(path=path, treatments=tuple(treatments), is_directory=True)
                for path, treatments in place.directories.items()
            )
        planned = files + signed_directories
        self._check_outputs(planned, place.prefix)
        return planned

    def _find_unsigned(self, files: tuple[PlannedFile, ...], place: Place, position: Position) -> None:
        """Note the PE files that carry no signature, and that nothing signs: those of others usually carry one."""
        members = {member.path: member for member in place.container.members}
        for file in advice.unsigned_programs(files):
            member = members[file.path]
            if member.unreadable:
                continue
            try:
                if content.is_unsigned_pe(place.container.head(member)):
                    self._unsigned.append((place.prefix + file.path, position))
            except FormatError as error:
                self._wrong("damaged", position, f"it can't be read: {error}", file=place.prefix + file.path)

    def unsigned(self) -> Iterator[Finding]:
        """Yield a warning about PE files that are unsigned, and stay so."""
        if self._unsigned:
            yield Finding(
                rule="unsigned-program",
                message=f"{advice.listed([path for path, _ in self._unsigned])}: unsigned, and nothing signs it",
                hint="add a path for your own programs; what others made may stay as it is",
                position=self._unsigned[0][1],
            )

    def _choose(self, element: FileElement, place: Place) -> None:
        """Find what an element names below a directory, and what happens to it."""
        for include in element.includes:
            path = self._path(include.path, include.position) if include.path is not None else None
            if path is None:
                continue
            if element.kind == "directory":
                self._choose_directories(element, include, path, place)
                continue
            members = place.index.files(place.base, path)
            self._check_count(element, include, path, [one.path for one in members], place)
            for member in members:
                place.files.setdefault(member.path, []).append(self._member(element, include, member, place))

    def _choose_directories(self, element: FileElement, include: Include, path: Path, place: Place) -> None:
        found = place.index.directories(place.base, path)
        self._check_count(element, include, path, [one.path for one in found], place)
        for directory in found:
            if element.directives:
                values = {**self.values, inferred.FILE_NAME_PARAMETER: directory.name}
                full = place.prefix + directory.path
                directives = tuple(self._directive(one, directory.path, values, full) for one in element.directives)
                treatment = Treatment(kind=element.kind, position=include.position, directives=directives)
                place.directories.setdefault(directory.path, []).append(treatment)
            for child in element.children:
                self._choose(child, replace(place, base=directory))

    def _member(self, element: FileElement, include: Include, member: Member, place: Place) -> Treatment:
        full = place.prefix + member.path
        limit = ELEMENTS[element.kind].max_size
        if limit is not None and member.size > limit:
            self._wrong(
                "too-large",
                include.position,
                f"it has {member.size} bytes; SignPath takes a {ELEMENTS[element.kind].title} of at most {limit}",
                file=full,
            )
        if member.unreadable:
            self._unknown(element, include.position, full, member.unreadable)
            values = {**self.values, inferred.FILE_NAME_PARAMETER: member.path.rpartition("/")[2]}
            directives = tuple(self._directive(one, member.path, values, full) for one in element.directives)
            return Treatment(kind=element.kind, position=include.position, directives=directives)
        try:
            head = place.container.head(member)
        except FormatError as error:
            head = None
            self._unreadable(element, include, full, error)
        found = content.mismatch(element.kind, head) if head is not None else None
        if found is not None:
            what, other = found
            self._wrong(
                "wrong-format",
                include.position,
                f"it is chosen as <{element.kind}>, but is {what}",
                hint=f"choose it with <{other}>",
                file=full,
            )
        if found is None and head is not None and _is_verified_first(element) and content.is_unsigned_pe(head):
            self._wrong(
                "unsigned",
                include.position,
                "it carries no signature, and authenticode-verify requires one",
                hint="sign it with authenticode-sign where it is your own, or leave it out",
                file=full,
            )
        if found is not None or head is None:
            return Treatment(kind=element.kind, position=include.position, directives=())
        return self._treatment(
            element,
            include,
            path=member.path,
            prefix=place.prefix,
            opened=lambda: place.container.extracted(member),
        )


def _is_verified_first(element: FileElement) -> bool:
    return any(directive.name == "authenticode-verify" for directive in element.directives)
