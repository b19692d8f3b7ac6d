"""XML as a tree whose nodes know where they stand, read within bounds.

A document type declaration is refused where it begins, so that no entity is ever declared, expanded or fetched.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from xml.parsers import expat

from signpath_ci.artifact_configuration import inferred

_SEPARATOR = "\x1f"
_ATTRIBUTE = re.compile(rb"""\s+([^\s=/>"'<]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
_TAG = re.compile(rb"<[^\s/>]+")
_ENCODINGS = {"utf-8", "utf8", "utf-16", "us-ascii", "ascii"}


@dataclass(frozen=True, order=True)
class Position:
    """A place in a document: line and column of a character, both from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        """As editors and compilers write it."""
        return f"{self.line}:{self.column}"


START = Position(1, 1)


@dataclass(frozen=True, order=True)
class Problem:
    """Something that is wrong in a document.

    Attributes:
        position: where.
        message: what, and what to do about it, without a full stop.
        rule: which one, as a stable word: one of `rules.RULES`.
    """

    position: Position
    message: str
    rule: str


class MarkupError(Exception):
    """A document can't be read as XML of the permitted kind.

    Args:
        problem: why, and where.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


@dataclass
class Node:
    """An element.

    Attributes:
        namespace: its namespace's name; empty: none.
        name: its local name.
        attributes: by local name; those of another namespace than the element's are in `foreign`.
        places: where each attribute stands.
        foreign: attributes of a namespace, with that namespace.
        children: the elements in it.
        text: the first characters in it that are not white space, and where they stand.
    """

    namespace: str
    name: str
    position: Position
    attributes: dict[str, str] = field(default_factory=dict)
    places: dict[str, Position] = field(default_factory=dict)
    foreign: list[tuple[str, str]] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    text: tuple[str, Position] | None = None

    def place(self, attribute: str) -> Position:
        """Return where an attribute stands; the element itself where it is not there."""
        return self.places.get(attribute, self.position)


def read_markup(data: bytes) -> Node:
    """Read a document.

    Returns:
        Its root.

    Raises:
        MarkupError: it is not well-formed, has a document type, or exceeds a bound of `inferred`.
    """
    if len(data) > inferred.MAX_DOCUMENT:
        raise _error(START, f"the file has more than {inferred.MAX_DOCUMENT} bytes", "too-large")
    return _Reader(_utf8(data)).read()


def _utf8(data: bytes) -> bytes:
    """Return a document as UTF-8, so that one byte has one place whatever it was."""
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return data.decode(encoding).encode("utf-8")
    except UnicodeError:
        raise _error(START, "the file is neither UTF-8 nor UTF-16 text: save it as UTF-8", "encoding") from None


def _error(position: Position, message: str, rule: str) -> MarkupError:
    return MarkupError(Problem(position, message, rule))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._lines = [0, *(match.end() for match in re.finditer(b"\n", data))]
        self._root: Node | None = None
        self._open: list[Node] = []
        self._count = 0
        self._last = (0, 1)  # the offset whose column was counted last, and that column
        parser = self._parser = expat.ParserCreate("utf-8", _SEPARATOR)
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._document_type
        parser.EntityDeclHandler = self._document_type
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def read(self) -> Node:
        try:
            self._parser.Parse(self._data, True)
        except expat.ExpatError as error:
            position = Position(error.lineno, error.offset + 1)
            raise _error(position, f"this is not well-formed XML: {expat.ErrorString(error.code)}", "xml") from None
        assert self._root is not None  # noqa: S101 - a document without an element is not well-formed
        return self._root

    def _here(self) -> Position:
        return self._at(self._parser.CurrentByteIndex)

    def _at(self, offset: int) -> Position:
        line = bisect_right(self._lines, offset)
        start, column = self._lines[line - 1], 1
        if start <= self._last[0] <= offset:  # places come in order: a long line is counted once
            start, column = self._last
        column += len(self._data[start:offset].decode("utf-8", "replace"))
        self._last = offset, column
        return Position(line, column)

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.lower() not in _ENCODINGS and not self._data.isascii():
            raise _error(START, f"the encoding {encoding} is not supported: save the file as UTF-8", "encoding")

    def _document_type(self, *_: object) -> None:
        raise _error(
            self._here(), "a document type (DOCTYPE) and entities are not allowed: remove them", "document-type"
        )

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        position = self._here()
        self._count += 1
        if self._count > inferred.MAX_NODES:
            raise _error(position, f"the file has more than {inferred.MAX_NODES} elements", "too-large")
        if len(self._open) >= inferred.MAX_DEPTH:
            raise _error(position, f"elements are nested more than {inferred.MAX_DEPTH} deep", "too-deep")
        namespace, _, local = name.rpartition(_SEPARATOR)
        node = Node(namespace=namespace, name=local, position=position)
        for key, value in attributes.items():
            space, _, short = key.rpartition(_SEPARATOR)
            if space:
                node.foreign.append((space, short))
            else:
                node.attributes[short] = value
        if attributes:
            node.places = self._places()
        if self._open:
            self._open[-1].children.append(node)
        else:
            self._root = node
        self._open.append(node)

    def _places(self) -> dict[str, Position]:
        """Return where each attribute of the tag at hand stands; the parser knows that only of tags."""
        found = {}
        tag = _TAG.match(self._data, self._parser.CurrentByteIndex)
        end = tag.end() if tag else self._parser.CurrentByteIndex
        while match := _ATTRIBUTE.match(self._data, end):
            found[match[1].decode("utf-8", "replace")] = self._at(match.start(1))
            end = match.end()
        return found

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        if text.strip() and self._open[-1].text is None:
            self._open[-1].text = (text.strip(), self._here())
