"""XML of packages (manifests, block maps, content types), read strictly: elements only, and no document types.

A document type can define entities that unpack to anything (CVE-2003-1564), and defaults for attributes that one reader
sees and another does not; so it is refused. A file is read whole, up to `MAX_SIZE`, and its elements are given out one
after the other, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.parsers import expat

from signpath_ci.formats import FormatError, UncoveredError

MAX_SIZE = 64 << 20
_SEPARATOR = "\x1f"
_MAX_DEPTH = 100

Start = Callable[[str, str, Mapping[str, str]], None]
"""Gets an element's namespace, its local name, and its attributes; one of a namespace as `namespace\\x1fname`."""


def read_elements(data: bytes, start: Start, *, what: str, is_bare: bool = False) -> None:
    """Call `start` for each element, in their order.

    Args:
        data: the XML file.
        start: may raise `FormatError`.
        what: how messages call the file.
        is_bare: whether there may be nothing but elements and white space.

    Raises:
        FormatError: it is not well-formed, or has a document type.
        UncoveredError: it has a comment, a processing instruction or text, and must be bare.
    """
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    depth = 0

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise FormatError(f"{what} has elements that are nested too deeply", code="xml-malformed")
        namespace, _, local = name.rpartition(_SEPARATOR)
        start(namespace, local, attributes)

    def on_end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def on_document_type(*_: object) -> None:
        raise FormatError(f"{what} has a document type, which is not allowed", code="xml-document-type")

    def on_more(*texts: str) -> None:
        if any(text.strip() for text in texts):
            raise UncoveredError(f"{what} has something else than elements in it")

    parser.StartElementHandler = on_start
    if is_bare:
        parser.CommentHandler = lambda text: on_more("comment", text)
        parser.ProcessingInstructionHandler = on_more
        parser.CharacterDataHandler = on_more
    parser.EndElementHandler = on_end
    parser.StartDoctypeDeclHandler = on_document_type
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise FormatError(
            f"{what} is not well-formed XML ({expat.ErrorString(error.code)})", code="xml-malformed"
        ) from error
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        raise FormatError(f"{what} is in an encoding that is not supported", code="xml-malformed") from error
