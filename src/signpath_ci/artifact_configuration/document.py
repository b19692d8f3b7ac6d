"""An artifact configuration, from its XML: everything that is wrong in it is found at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

from signpath_ci.artifact_configuration.markup import MarkupError, Position, Problem, read_markup
from signpath_ci.artifact_configuration.template import Template
from signpath_ci.values import dataclass, field

UNBOUNDED = "unbounded"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A value that a signing request brings along.

    Attributes:
        default: its value where the request has none; `None`: it has no default.
        is_required: a request without a value is refused, unless there is a default.
    """

    name: str
    default: str | None
    is_required: bool
    position: Position


@dataclass(frozen=True, kw_only=True)
class Include:
    """Which files: an `include` of a set, or the attributes of an element that stands for itself.

    Attributes:
        path: from the container's own root, or the directory around it; `None`: of the root element, which needs none.
        min_matches: a number, perhaps from a parameter.
        max_matches: likewise, or `unbounded`.
        has_max: the document says it.
        restrictions: attributes of the file's content, by name, those of the set included.
    """

    path: Template | None
    min_matches: Template
    max_matches: Template
    has_max: bool
    restrictions: Mapping[str, Template]
    position: Position


@dataclass(frozen=True, kw_only=True)
class Directive:
    """What is done with a file; `children` are those of a provenance file."""

    name: str
    attributes: Mapping[str, Template]
    position: Position
    children: tuple[Directive, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FileElement:
    """A file, a directory or a set of them, and what is done with each.

    Attributes:
        kind: the element's name, for a set that of its files' element.
        includes: which files; one, but for a set.
        directives: in the document's order.
        children: elements inside it.
    """

    kind: str
    is_set: bool
    includes: tuple[Include, ...]
    directives: tuple[Directive, ...]
    children: tuple[FileElement, ...]
    position: Position

    def walk(self) -> Iterator[FileElement]:
        """Yield this element and all inside it, in the document's order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A valid artifact configuration.

    Attributes:
        sha256: of the bytes that it was read from, in lower-case hex.
        takes_several_files: whoever uploads chooses several files, which are packed into one ZIP.
        warnings: what is still accepted, and is not what one writes today.
    """

    parameters: tuple[Parameter, ...]
    root: FileElement
    sha256: str
    takes_several_files: bool = False
    warnings: tuple[Problem, ...] = field(default=())


class DocumentError(Exception):
    """A document is not a valid artifact configuration.

    Args:
        problems: all that is wrong with it, in the order of their positions; at least one.
        sha256: of the document.
    """

    def __init__(self, problems: tuple[Problem, ...], *, sha256: str) -> None:
        self.problems, self.sha256 = problems, sha256
        super().__init__("; ".join(f"{one.position}: {one.message}" for one in problems))


def read_document(data: bytes) -> Configuration:
    """Read and validate a configuration.

    Args:
        data: the whole file.

    Raises:
        DocumentError: it is not valid.
    """
    from signpath_ci.artifact_configuration.validation import Validation

    sha256 = hashlib.sha256(data).hexdigest()
    try:
        node = read_markup(data)
    except MarkupError as error:
        raise DocumentError((error.problem,), sha256=sha256) from None
    validation = Validation()
    parameters, root = validation.document(node)
    if validation.errors or root is None:
        raise DocumentError(tuple(sorted(validation.errors)), sha256=sha256)
    return Configuration(
        parameters=parameters,
        root=root,
        sha256=sha256,
        takes_several_files=any(child.attributes.get("ui-multifile-upload") == "on" for child in node.children),
        warnings=tuple(sorted(validation.warnings)),
    )


def count_of(text: str) -> int | None:
    """Return the number of an attribute such as `min-matches`; `None` where it is `unbounded`.

    Raises:
        ValueError: it is neither.
    """
    if text == UNBOUNDED:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError(f"{text!r} is not a number of 0 or more")
    return int(text)
