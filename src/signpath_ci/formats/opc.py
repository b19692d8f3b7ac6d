"""Packages of Open Packaging Conventions (VSIX, XPS, ...): parts, relationships, and where their signature is.

Source: ECMA-376 part 2 (4th edition), clauses 8 to 10 and 13; what VSIXSignTool and OpenOpcSignTool write. A package
has a relationship to the origin of its signatures, the origin one to each signature, which is a part with an XML
signature; that has a manifest with the digest of each part.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import NamedTuple

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.xml_elements import read_elements
from signpath_ci.formats.zip import Archive

ROOT_RELATIONSHIPS = "_rels/.rels"
DIRECTORY = "package/services/digital-signature/"
"""Where tools put the parts of signatures; the conventions leave it open."""
NAMESPACE = "http://schemas.openxmlformats.org/package/2006/relationships"
SIGNATURE_NAMESPACE = "http://schemas.openxmlformats.org/package/2006/digital-signature"
RELATIONSHIP_TRANSFORM = "http://schemas.openxmlformats.org/package/2006/RelationshipTransform"
ORIGIN = f"{NAMESPACE}/digital-signature/origin"
SIGNATURE = f"{NAMESPACE}/digital-signature/signature"
RELATIONSHIPS_TYPE = "application/vnd.openxmlformats-package.relationships+xml"
ORIGIN_TYPE = "application/vnd.openxmlformats-package.digital-signature-origin"
SIGNATURE_TYPE = "application/vnd.openxmlformats-package.digital-signature-xmlsignature+xml"
MAX_SIZE = 16 << 20
"""The biggest part with relationships or a signature that is read, in bytes."""


class Relationship(NamedTuple):
    """A relationship from a part, or the package, to something."""

    identifier: str
    type: str
    target: str
    mode: str


def relationships_of(part: str) -> str:
    """Return the name of the entry with the relationships of a part."""
    directory, name = posixpath.split(part)
    return posixpath.join(directory, "_rels", f"{name}.rels")


def read_relationships(data: bytes, what: str) -> dict[str, Relationship]:
    """Read a part with relationships; returns them by their identifiers.

    Raises:
        FormatError: it is malformed, or has an identifier twice.
        UncoveredError: it has more in it than relationships, which the relationship transform leaves out.
    """
    found: dict[str, Relationship] = {}

    def start(namespace: str, name: str, attributes: Mapping[str, str]) -> None:
        if (namespace, name) == (NAMESPACE, "Relationships") and not attributes:
            return
        if (namespace, name) != (NAMESPACE, "Relationship") or not {"Id", "Type", "Target"} <= attributes.keys():
            raise FormatError(f"{what} has an element that is not known there ({name})", code="xml-malformed")
        if attributes.keys() - {"Id", "Type", "Target", "TargetMode"} or attributes["Id"] in found:
            raise FormatError(f"{what} has a relationship twice, or with unknown attributes", code="xml-malformed")
        identifier = attributes["Id"]
        mode = attributes.get("TargetMode", "Internal")
        found[identifier] = Relationship(identifier, attributes["Type"], attributes["Target"], mode)

    read_elements(data, start, what=what, is_bare=True)
    return found


def signature_parts(archive: Archive) -> tuple[str, str] | None:
    """Return the names of the entries with the origin and the signature; `None`: the package is not signed.

    Raises:
        FormatError: there is only a part of a signature.
        UnsupportedError: there are several signatures.
    """
    origin = _target(archive, "", ROOT_RELATIONSHIPS, ORIGIN)
    if origin is None:
        return None
    signature = _target(archive, origin, relationships_of(origin), SIGNATURE)
    return None if signature is None else (origin, signature)


def is_signature_related(name: str) -> bool:
    """Tell the entries that signing adds."""
    return name.startswith(DIRECTORY)


def _target(archive: Archive, source: str, relationships: str, kind: str) -> str | None:
    entry = archive.by_name.get(relationships)
    if entry is None:
        return None
    read = read_relationships(archive.read(entry, limit=MAX_SIZE), relationships)
    targets = [relationship for relationship in read.values() if relationship.type == kind]
    if len(targets) > 1:
        raise UnsupportedError(f"it has {len(targets)} signatures instead of one")
    if not targets:
        return None
    name = posixpath.normpath(posixpath.join("/", posixpath.dirname(source), targets[0].target)).lstrip("/")
    if targets[0].mode != "Internal" or name not in archive.by_name:
        raise FormatError(f"{relationships} leads to a signature that is not there", code="package-structure")
    return name
