"""Carries out an artifact configuration: nested files first, then the container that they lie in.

A container in which nothing changes stays byte for byte; so do the files in it that nothing changes, and their order.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from signpath_ci.artifact_configuration import inferred
from signpath_ci.artifact_configuration.content import LAYOUTS
from signpath_ci.artifact_configuration.document import DocumentError, read_document
from signpath_ci.artifact_configuration.markup import Position
from signpath_ci.artifact_configuration.plan import Plan, PlannedDirective, PlannedFile, Treatment
from signpath_ci.artifact_configuration.resolve import make_plan
from signpath_ci.formats import FormatError
from signpath_ci.formats.zip import DEFLATED, ArchiveWriter, Budget, Entry, open_archive
from signpath_ci.sandbox.outcome import Result, Step
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import directives, repack
from signpath_ci.sandbox.signers.errors import CannotSignError

_CHUNK = 1 << 20


def execute(
    source: Path,
    target: Path,
    *,
    configuration: bytes,
    parameters: Mapping[str, str],
    name: str,
    signer: Signer,
    timestamp: Callable[[bytes], bytes],
    steps: list[Step],
) -> None:
    """Write what SignPath would make of a file under a configuration.

    Args:
        source: the unsigned artifact.
        target: a temporary name: after a crash or an error an incomplete file may lie there.
        configuration: a valid one.
        parameters: the request's.
        name: the artifact's own.
        signer: whose signature the files get.
        timestamp: returns an RFC 3161 token (DER) for a signature's value.
        steps: gets what was done, also where it fails.

    Raises:
        CannotSignError: the configuration is not valid, the artifact does not fit it, or a directive can't be carried
            out.
        OSError: a file can't be read or written.
    """
    try:
        document = read_document(configuration)
    except DocumentError as error:
        raise CannotSignError(f"The artifact configuration is not valid: {error}.") from error
    with source.open("rb") as file:
        plan = make_plan(document, file, name=name, values=parameters)
        _require_no_problems(plan, name)
        with ExitStack() as stack:
            execution = _Execution(signer, timestamp, target.parent, steps)
            result, _ = execution.file(plan.artifact, (), file, stack)
            with target.open("wb") as copy:
                result.seek(0)
                shutil.copyfileobj(result, copy, _CHUNK)


def _require_no_problems(plan: Plan, name: str) -> None:
    if plan.problems:
        first = plan.problems[0]
        raise CannotSignError(_failure(first.file or name, first.position, first.message))


def _failure(file: str, position: Position, reason: str) -> str:
    """Return why processing failed, in the form of SignPath's messages."""
    line, place = inferred.signpath_position(position.line, position.column)
    return (
        f"An error occurred while processing {file} as specified in line {line}, position {place} of your artifact "
        f"configuration. Processing error: {reason.rstrip('.')}. (error reference ID: {uuid.uuid4()})"
    )


@dataclass
class _Execution:
    """One run.

    Attributes:
        directory: where temporary files lie; they need as much room as the artifact.
        steps: gets what was done.
        budget: what is left for all nested containers.
    """

    signer: Signer
    timestamp: Callable[[bytes], bytes]
    directory: Path
    steps: list[Step]
    budget: Budget = field(default_factory=lambda: Budget(depth=inferred.MAX_DEPTH))

    def file(
        self, planned: PlannedFile, path: tuple[str, ...], source: BinaryIO, stack: ExitStack
    ) -> tuple[BinaryIO, dict[str, bytes]]:
        """Carry out all that a plan says about a file.

        Args:
            planned: what the plan says.
            path: of the file, from the artifact down.
            source: its content.
            stack: closes what is returned.

        Returns:
            Its new content, `source` itself where nothing changed; and the files that are added beside it, by path.
        """
        current = source
        added: dict[str, bytes] = {}
        for treatment in planned.treatments:
            if any(not member.is_left for member in treatment.members or ()):
                current = self._container(treatment, path, current, stack)
            if not treatment.directives:
                self._note(path, treatment, "", "required")
            for directive in treatment.directives:
                with self._explained(path, treatment, directive, planned.path):
                    if directive.effect == "replace":
                        current = self._replaced(directive, planned.path, current, stack)
                        self._note(path, treatment, directive.name, "signed")
                    elif directive.effect == "verify":
                        directives.verify(current, planned.path, self.directory)
                        self._note(path, treatment, directive.name, "verified")
                    elif directive.effect == "add":
                        data = directives.detached(directive, current, signer=self.signer, timestamp=self.timestamp)
                        added[str(directive.output)] = data
                        self._note(path, treatment, directive.name, "added", str(directive.output))
                    else:
                        self._note(path, treatment, directive.name, "recorded")
        return current, added

    def _replaced(self, directive: PlannedDirective, name: str, source: BinaryIO, stack: ExitStack) -> BinaryIO:
        target = self._scratch(stack)
        directives.replace(directive, source, target, name=name, signer=self.signer, timestamp=self.timestamp)
        return target

    def _container(self, treatment: Treatment, path: tuple[str, ...], source: BinaryIO, stack: ExitStack) -> BinaryIO:
        """Return a container in which all that is planned of its files was done."""
        members = {member.path: member for member in treatment.members or ()}
        name = path[-1] if path else "the artifact"
        target = self._scratch(stack)
        try:
            if LAYOUTS.get(treatment.kind) == "zip":
                changed = self._zip(members, path, source, target)
            else:
                changed = self._unpacked(treatment.kind, members, path, source, target)
        except FormatError as error:
            raise CannotSignError(_failure(name, treatment.position, str(error))) from error
        return target if changed else source

    def _zip(
        self, members: Mapping[str, PlannedFile], path: tuple[str, ...], source: BinaryIO, target: BinaryIO
    ) -> bool:
        """Write a ZIP archive anew; tell whether it differs."""
        changed, copy = False, ArchiveWriter(target)
        with open_archive(source, self.budget) as archive:
            for directory in members.values():
                if directory.is_directory:
                    self._refuse_directory(directory)
            for entry in archive.entries:
                planned = members.get(entry.name)
                if planned is None or planned.is_left:
                    copy.copy(archive, entry)
                    continue
                with ExitStack() as stack:
                    content = stack.enter_context(archive.extracted(entry, self.directory))
                    result, added = self.file(planned, (*path, entry.name), content, stack)
                    if result is content:
                        copy.copy(archive, entry)
                    else:
                        _add(copy, entry, result)
                    for name, data in added.items():
                        copy.add(name, [data], size=len(data), method=DEFLATED)
                    changed = changed or result is not content or bool(added)
            for entry in archive.unread():
                archive.check(entry)
            copy.finish(archive.comment)
        return changed

    def _unpacked(
        self, kind: str, members: Mapping[str, PlannedFile], path: tuple[str, ...], source: BinaryIO, target: BinaryIO
    ) -> bool:
        """Have a tool write a cabinet or an installer file anew; tell whether it differs."""
        with repack.unpacked(kind, source, self.budget) as container, ExitStack() as stack:
            changed: dict[str, BinaryIO] = {}
            for member in container.members:
                planned = members.get(member.path)
                if planned is None or planned.is_left:
                    continue
                content = stack.enter_context(container.extracted(member))
                result, added = self.file(planned, (*path, member.path), content, stack)
                if added:
                    reason = "the sandbox can't add a file to a cabinet or an installer file"
                    raise CannotSignError(_failure(member.path, planned.treatments[0].position, reason))
                if result is not content:
                    changed[member.path] = result
            if changed:
                repack.write(kind, source, container, changed, target)
        return bool(changed)

    def _refuse_directory(self, directory: PlannedFile) -> None:
        treatment = directory.treatments[0]
        reason = f"the sandbox can't carry out {treatment.directives[0].name}"
        raise CannotSignError(_failure(directory.path, treatment.directives[0].position, reason))

    @contextmanager
    def _explained(
        self, path: tuple[str, ...], treatment: Treatment, directive: PlannedDirective, name: str
    ) -> Iterator[None]:
        """Say where in the configuration it stands what can't be done."""
        try:
            yield
        except (CannotSignError, FormatError) as error:
            self._note(path, treatment, directive.name, "failed", str(error))
            raise CannotSignError(_failure("/".join(path) or name, directive.position, str(error))) from error

    def _note(
        self, path: tuple[str, ...], treatment: Treatment, directive: str, result: Result, detail: str = ""
    ) -> None:
        self.steps.append(
            Step(
                path=path,
                element=treatment.kind,
                directive=directive,
                line=treatment.position.line,
                column=treatment.position.column,
                result=result,
                detail=detail,
            )
        )

    def _scratch(self, stack: ExitStack) -> BinaryIO:
        file = tempfile.TemporaryFile(dir=self.directory)  # noqa: SIM115 - the stack closes it
        return cast("BinaryIO", stack.enter_context(file))


def _add(copy: ArchiveWriter, entry: Entry, content: BinaryIO) -> None:
    size = content.seek(0, 2)
    content.seek(0)
    copy.add(entry.name, iter(lambda: content.read(_CHUNK), b""), size=size, like=entry)
