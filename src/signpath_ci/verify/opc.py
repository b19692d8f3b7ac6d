"""Packages of Open Packaging Conventions: is every part signed, by whom, and is it what was submitted?

1. The package has one signature, whose XML is as the conventions require (`verify.xml_signature`).
2. The signature covers an object with a manifest, and the manifest covers each part of the package but the signature
   itself: its content, and its content type, as `[Content_Types].xml` is no part and not signed.
3. Of relationships all are covered, but those that lead to the signature.
4. The signer is as required (`signer_requirements`).
5. The package has the parts that were submitted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import BinaryIO
from urllib.parse import unquote

from lxml import etree

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UncoveredError, UnsupportedError
from signpath_ci.formats.content_types import NAME as CONTENT_TYPES
from signpath_ci.formats.content_types import ContentTypes, read_content_types
from signpath_ci.formats.opc import (
    MAX_SIZE,
    NAMESPACE,
    ORIGIN,
    RELATIONSHIP_TRANSFORM,
    ROOT_RELATIONSHIPS,
    SIGNATURE,
    SIGNATURE_NAMESPACE,
    Relationship,
    is_signature_related,
    read_relationships,
    relationships_of,
    signature_parts,
)
from signpath_ci.formats.xml_signature import C14N, DIGESTS
from signpath_ci.formats.xml_signature import NAMESPACE as DS
from signpath_ci.formats.zip import Archive
from signpath_ci.verify.identity import listed
from signpath_ci.verify.package_content import check_entries
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements
from signpath_ci.verify.xml_signature import Element, Rules, children, parse, verify_signature

_RULES = Rules(uri="#idPackageObject", transforms=(C14N,), objects=True)
_IDENTIFIERS = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")
_CHUNK = 1 << 18
_MAX_COMMENT = 100  # characters, in a timestamp's object, which no signature covers


def verify_opc(
    signed: tuple[BinaryIO, Archive],
    submitted: tuple[BinaryIO, Archive] | None,
    requirements: SignerRequirements,
    *,
    format_name: str,
) -> tuple[Signature, ...]:
    """Check the signature of a package.

    Args:
        signed: the package, and the same opened.
        submitted: the package that was submitted, likewise; `None`: its content is not compared.
        requirements: what is required of the signature.
        format_name: as in `Verdict.format`.

    Raises:
        VerificationError: it is not signed, a check failed, or the content is not that of `submitted`.
        FormatError: the package is damaged, or signed in a way that is not supported.
    """
    archive = signed[1]
    found = signature_parts(archive)
    if found is None:
        raise VerificationError("the file is not signed.", code="not-signed")
    origin, name = found
    signature = parse(archive.read(archive.by_name[name], limit=MAX_SIZE), "the signature")
    if signature.tag != f"{{{DS}}}Signature":
        raise FormatError("its signature is not an XML signature", code="xml-signature-structure")
    around = (signature.getprevious(), signature.getnext())
    if any(node is not None for node in around) or not all(isinstance(e.tag, str) for e in signature.iter()):
        raise UncoveredError("its signature has comments or instructions in it, which no signature covers")
    package_object, timestamp = _objects(signature)
    verified, algorithm, digest = verify_signature(signature, signature, _RULES, timestamp=timestamp)
    _check_manifest(archive, package_object, name)
    if archive.by_name[origin].size:
        raise UncoveredError(f"{origin} has data in it, which has no meaning")
    checked = requirements.signature(verified, format_name=format_name, algorithm=algorithm, digest=digest)
    if submitted is not None:
        special = {CONTENT_TYPES: _types_differ, ROOT_RELATIONSHIPS: _relationships_differ}
        related = _related(archive) | _related(submitted[1])
        check_entries(archive, submitted[1], ignored=related.__contains__, special=special)
    return (checked,)


def _related(archive: Archive) -> set[str]:
    """Return the names of the entries that a signature consists of."""
    found = signature_parts(archive)
    return set() if found is None else {*found, relationships_of(found[0])}


def _objects(signature: Element) -> tuple[Element, bytes | None]:
    """Return the object that is signed, and the timestamp."""
    objects = [child for child in signature if child.tag == f"{{{DS}}}Object"]
    named = [e for e in signature.iter() if "idPackageObject" in [e.get(attribute) for attribute in _IDENTIFIERS]]
    if len(named) != 1 or named[0] not in objects or named[0].get("Id") != "idPackageObject":
        raise FormatError("its signature does not have exactly one package object", code="xml-signature-structure")
    others = [child for child in objects if child is not named[0]]
    if len(others) > 1:
        raise UncoveredError("its signature has objects that are not known")
    return named[0], _timestamp(others[0]) if others else None


def _timestamp(element: Element) -> bytes:
    """Return the token in a timestamp's object, in which little else may stand, as no signature covers it."""
    prefix = f"{{{SIGNATURE_NAMESPACE}}}"
    stamps = list(element)
    if set(element.attrib) - {"Id"} or [child.tag for child in stamps] != [f"{prefix}TimeStamp"]:
        raise UncoveredError("its signature has an object that is not a timestamp")
    parts = {child.tag: child for child in stamps[0]}
    texts = [element.text, stamps[0].tail, stamps[0].text, *(child.tail for child in stamps[0])]
    comment = parts.pop(f"{prefix}Comment", None)
    if (
        parts.keys() != {f"{prefix}EncodedTime"}
        or len(stamps[0]) != 1 + (comment is not None)
        or any(text and text.strip() for text in texts)
        or set(stamps[0].attrib) - {"Id"}
        or any(len(child) or child.attrib for child in stamps[0])
        or len((comment.text or "") if comment is not None else "") > _MAX_COMMENT
    ):
        raise UncoveredError("its timestamp has something in it that no signature covers")
    try:
        return base64.b64decode("".join((parts[f"{prefix}EncodedTime"].text or "").split()), validate=True)
    except binascii.Error as error:
        raise FormatError("its timestamp is not Base64", code="timestamp-invalid") from error


def _check_manifest(archive: Archive, package_object: Element, signature: str) -> None:
    manifests = [child for child in package_object if child.tag == f"{{{DS}}}Manifest"]
    if len(manifests) != 1:
        raise FormatError("its signature does not have exactly one manifest", code="xml-signature-structure")
    content_types = archive.by_name.get(CONTENT_TYPES)
    if content_types is None:
        raise FormatError(f"it has no {CONTENT_TYPES}")
    types = read_content_types(archive.read(content_types, limit=MAX_SIZE), is_bare=True)
    entries = {e.name: e for e in archive.entries if not e.is_directory and e.name not in {CONTENT_TYPES, signature}}
    types.check((*entries, signature))
    parts = {unquote(name).lower(): name for name in entries}
    covered = set()
    for reference in children(manifests[0], "Reference"):
        path, _, query = str(reference.get("URI")).partition("?")
        name = parts.get(unquote(path).lstrip("/").lower())
        if name is None or name in covered:
            raise VerificationError(f"signed, but missing or listed twice: {path}.", code="content-missing")
        covered.add(name)
        _check_part(archive, name, reference, query, types)
    if unsigned := sorted(entries.keys() - covered):
        raise UncoveredError(f"its signature does not cover {listed(unsigned)}")


def _check_part(archive: Archive, name: str, reference: Element, query: str, types: ContentTypes) -> None:
    if query != f"ContentType={types.of(name)}":
        raise VerificationError(
            f"{name} has the content type {types.of(name)}, which is not the signed one.", code="digest-mismatch"
        )
    *transforms, method, value = children(reference, "Transforms", "DigestMethod", "DigestValue")
    algorithm = DIGESTS.get(str(method.get("Algorithm")))
    if algorithm is None:
        raise VerificationError(f"the digest of {name} may not be relied on.", code="weak-digest")
    hashed = hashlib.new(algorithm)
    if transforms:
        hashed.update(_transformed(archive, name, children(transforms[0], "Transform")))
    else:
        stream = archive.open(archive.by_name[name])
        while piece := stream.read(_CHUNK):
            hashed.update(piece)
    try:
        expected = base64.b64decode((value.text or "").strip(), validate=True)
    except binascii.Error as error:
        raise FormatError(f"the digest of {name} is not Base64", code="xml-signature-structure") from error
    if not hmac.compare_digest(hashed.digest(), expected):
        raise VerificationError(f"{name} was changed after it was signed.", code="digest-mismatch")


def _transformed(archive: Archive, name: str, transforms: list[Element]) -> bytes:
    """Apply the relationship transform (clause 13.2.4.24), and require that it leaves nothing out but the signature."""
    if [t.get("Algorithm") for t in transforms] != [RELATIONSHIP_TRANSFORM, C14N] or not name.endswith(".rels"):
        raise UnsupportedError(f"its signature transforms {name} in a way that is not supported")
    identifiers = {child.get("SourceId") for child in transforms[0]}
    kinds = {child.get("SourceType") for child in transforms[0]}
    found = read_relationships(archive.read(archive.by_name[name], limit=MAX_SIZE), name)
    selected = [r for r in found.values() if r.identifier in identifiers or r.type in kinds]
    left_out = [r.identifier for r in found.values() if r not in selected and r.type not in {ORIGIN, SIGNATURE}]
    if left_out:
        raise UncoveredError(f"its signature does not cover these relationships in {name}: {listed(sorted(left_out))}")
    return canonical(selected)


def canonical(relationships: list[Relationship]) -> bytes:
    """Return relationships as the transform leaves them."""
    root = etree.Element(f"{{{NAMESPACE}}}Relationships", nsmap={None: NAMESPACE})
    for r in sorted(relationships):
        attributes = {"Id": r.identifier, "Type": r.type, "Target": r.target, "TargetMode": r.mode}
        etree.SubElement(root, f"{{{NAMESPACE}}}Relationship", attributes)
    encoded: bytes = etree.tostring(root, method="c14n")
    return encoded


def _types_differ(signed: bytes | None, submitted: bytes | None) -> bool:
    added = {"psdor", "psdsor", "psdsxs", "rels", "cer"}
    found = []
    for data in (signed, submitted):
        types = read_content_types(data or b"")
        extensions = {e: t for e, t in types.by_extension.items() if e not in added}
        found.append((extensions, {p: t for p, t in types.by_part.items() if not is_signature_related(p[1:])}))
    return found[0] != found[1]


def _relationships_differ(signed: bytes | None, submitted: bytes | None) -> bool:
    found = []
    for data in (signed, submitted):
        read = read_relationships(data, ROOT_RELATIONSHIPS) if data is not None else {}
        found.append({r for r in read.values() if r.type != ORIGIN})
    return found[0] != found[1]
