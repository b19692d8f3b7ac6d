"""Which files SignPath states that it signed. **Inferred**: the form of the resolved tree is not public.

Read is a tree of XML elements: one with a `path` is a file in the file around it, or, where it is a `directory`, a part
of the path; one whose name ends in `-sign` says that the file around it is signed, unless a `result` says otherwise.
All else is passed over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING
from xml.parsers import expat

from signpath_ci.errors import UnexpectedAnswerError

if TYPE_CHECKING:
    from signpath_ci.artifact_configuration.plan import PlannedFile

_MOST_DEPTH = 100
_MOST_FILES = 200_000
_LONGEST_PATH = 4096
_SIGNED = "-sign"
_MOST_NAMED = 5

Steps = tuple[str, ...]
"""The path of a file in each container, from the outermost; nothing: the artifact itself."""


def stated_signed_files(document: bytes) -> frozenset[Steps]:
    """Return the files that a resolved tree says were signed.

    Raises:
        UnexpectedAnswerError: it is not well-formed XML, has a document type, or exceeds a bound.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator="\x1f")
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise _refused("not well-formed XML") from error
    return frozenset(reader.signed)


class _Reader:
    def __init__(self) -> None:
        self.signed: set[Steps] = set()
        self._files: list[Steps | None] = []
        self._directories: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._files) >= _MOST_DEPTH or len(self.signed) > _MOST_FILES:
            raise _refused("deeper or larger than any such tree")
        local = name.rpartition("\x1f")[2]
        around = self._files[-1] if self._files else None
        directory = self._directories[-1] if self._directories else ""
        path = attributes.get("path")
        if path is None:
            is_signed = local.endswith(_SIGNED) and attributes.get("result", "signed") == "signed"
            if is_signed and around is not None and not directory:  # in a directory, it is not said of which file
                self.signed.add(around)
            self._files.append(around)
            self._directories.append(directory)
            return
        whole = f"{directory}/{path}".strip("/").replace("\\", "/")
        if len(whole) > _LONGEST_PATH:
            raise _refused("one with a path that is too long")
        if local == "directory":
            self._files.append(around)
            self._directories.append(whole)
        else:  # the outermost file is the artifact, whose name does not count
            self._files.append(() if around is None else (*around, whole))
            self._directories.append("")

    def end(self, _: str) -> None:
        self._files.pop()
        self._directories.pop()

    def doctype(self, *_: object) -> None:
        raise _refused("a document with a document type")


def differences(stated: frozenset[Steps] | None, planned: PlannedFile | None, seen: Collection[Steps]) -> Iterator[str]:
    """Give what the resolved tree says otherwise than the plan, or than the delivery, as sentences.

    Args:
        stated: the files that SignPath states to have signed; `None`: it states nothing.
        planned: the delivery in the plan of the checkout's artifact configuration; `None`: there is no plan.
        seen: the files that the delivery holds.
    """
    if stated is None:
        return
    if missing := stated - set(seen):
        yield f"SignPath states that it signed what is not in the delivery: {_names(missing)}."
    if planned is None:
        return
    signed = set(_signed(planned, ()))
    if more := stated - signed - missing:
        yield f"The artifact configuration of the checkout does not sign what SignPath states to have: {_names(more)}."
    if less := signed - stated:
        yield f"The artifact configuration of the checkout signs what SignPath does not state: {_names(less)}."


def _signed(planned: PlannedFile, steps: Steps) -> Iterator[Steps]:
    if planned.must_be_signed:
        yield steps
    for path, member in planned.members().items():
        yield from _signed(member, (*steps, path))


def _names(files: Collection[Steps]) -> str:
    shown = sorted("/".join(steps) or "the artifact itself" for steps in files)
    return ", ".join(shown[:_MOST_NAMED]) + (
        f" and {len(shown) - _MOST_NAMED} more" if len(shown) > _MOST_NAMED else ""
    )


def _refused(what: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(f"SignPath's resolved tree is {what}.", code="unexpected-answer")
