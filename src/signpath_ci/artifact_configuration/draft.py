"""A first artifact configuration, from a sample: every nested file that can be signed, with its own name.

It is to be edited: versions in names become parameters or wildcards, and restrictions are added. PE files that carry a
signature already are usually others', so theirs is verified.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO
from xml.sax.saxutils import quoteattr

from signpath_ci.artifact_configuration import content, inferred
from signpath_ci.artifact_configuration.content import LAYOUTS
from signpath_ci.artifact_configuration.language import NAMESPACE
from signpath_ci.formats import FormatError
from signpath_ci.formats.containers import HEAD, Container, Member, open_container
from signpath_ci.formats.registry import FORMATS, Kind, by_name, detect
from signpath_ci.formats.zip import Budget

_ELEMENTS: dict[Kind, str] = {
    "pe": "pe-file",
    "msi": "msi-file",
    "cab": "cab-file",
    "powershell": "powershell-file",
    "powershell-xml": "powershell-file",
    "vbscript": "windows-script-file",
    "jscript": "windows-script-file",
    "wsf": "windows-script-file",
    "catalog": "catalog-file",
    "msix": "msix-file",
    "nuget": "nupkg-file",
    "vsix": "opc-file",
    "opc": "opc-file",
    "apk": "apk-file",
    "jar": "jar-file",
    "zip": "zip-file",
}
_OPENED = ("zip-file", "msi-file", "cab-file", "nupkg-file", "msix-file")
"""Containers whose files are listed too; a JAR file is ordinarily signed as a whole."""


class NothingToSignError(Exception):
    """A sample is of no kind that SignPath signs, nor is a file in it."""


class UnreadableSampleError(Exception):
    """A sample is damaged."""


def draft(file: BinaryIO, name: str) -> str:
    """Return a configuration for a file, as XML.

    Args:
        file: the sample, seekable.
        name: its name.

    Raises:
        NothingToSignError: there is nothing that SignPath signs.
        UnreadableSampleError: it is damaged.
    """
    file.seek(0)
    try:
        lines = list(_Draft().lines(file, file.read(HEAD), name, "  ", is_root=True))
    except FormatError as error:
        raise UnreadableSampleError(str(error)) from error
    if not lines:
        raise NothingToSignError
    return "\n".join([f'<artifact-configuration xmlns="{NAMESPACE}">', *lines, "</artifact-configuration>", ""])


class _Draft:
    def __init__(self) -> None:
        self._budget = Budget(depth=inferred.MAX_DEPTH)

    def lines(self, file: BinaryIO, head: bytes, name: str, indent: str, *, is_root: bool) -> Iterator[str]:
        """Yield the element of a file; nothing where nothing in it is signed."""
        kind = _kind(head, name)
        element = _ELEMENTS.get(kind or "")
        if kind is None or element is None:
            return
        inside = list(self._inside(file, element, indent + "  ")) if element in _OPENED else []
        directive = FORMATS[kind].directive
        if element == "pe-file" and not content.is_unsigned_pe(head):
            directive = "authenticode-verify"
        if element != "zip-file":
            inside.append(f"{indent}  <{directive}/>")
        if inside:
            path = "" if is_root else f" path={quoteattr(inferred.escape(name))}"
            yield from [f"{indent}<{element}{path}>", *inside, f"{indent}</{element}>"]

    def _inside(self, file: BinaryIO, element: str, indent: str) -> Iterator[str]:
        with open_container(LAYOUTS[element], file, self._budget) as container:
            for member in container.members:
                yield from self._member(container, member, indent)

    def _member(self, container: Container, member: Member, indent: str) -> Iterator[str]:
        if member.unreadable or "${" in member.path or not member.path.isprintable():
            return  # the second would be a parameter; XML has no place for the third
        head = container.head(member)
        element = _ELEMENTS.get(_kind(head, member.path) or "")
        if element in _OPENED:
            try:
                with container.extracted(member) as inner:
                    yield from self.lines(inner, head, member.path, indent, is_root=False)
            except FormatError as error:
                yield f"{indent}<!-- {_comment(member.path)} can't be read: {_comment(str(error))} -->"
        else:
            yield from self.lines(io.BytesIO(head), head, member.path, indent, is_root=False)


def _kind(head: bytes, name: str) -> Kind | None:
    """Return the format of a file: by its first bytes; of archives, and of scripts, by its name."""
    kind = detect(io.BytesIO(head), name, is_end_read=False)
    if kind == "zip":
        promised = by_name(name)
        return promised if promised is not None and FORMATS[promised].entries else "zip"
    return kind


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text).replace("--", "- -")
