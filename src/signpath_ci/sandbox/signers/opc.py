"""Signatures of packages of Open Packaging Conventions (VSIX, ...), as VSIXSignTool writes them."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any, BinaryIO
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from signpath_ci.formats import FormatError
from signpath_ci.formats.content_types import NAME as CONTENT_TYPES
from signpath_ci.formats.content_types import read_content_types
from signpath_ci.formats.opc import (
    DIRECTORY,
    MAX_SIZE,
    ORIGIN,
    ORIGIN_TYPE,
    RELATIONSHIPS_TYPE,
    ROOT_RELATIONSHIPS,
    SIGNATURE,
    SIGNATURE_NAMESPACE,
    SIGNATURE_TYPE,
    is_signature_related,
    read_relationships,
    relationships_of,
)
from signpath_ci.formats.opc import NAMESPACE as RELATIONSHIPS
from signpath_ci.formats.xml_signature import C14N
from signpath_ci.formats.xml_signature import NAMESPACE as DS
from signpath_ci.formats.zip import DEFLATED, Archive, ArchiveWriter, open_archive
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers.errors import CannotSignError

_ORIGIN_PART = f"{DIRECTORY}origin.psdor"
_SIGNATURE_PART = f"{DIRECTORY}xml-signature/signpath.psdsxs"
_SHA_256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_ECDSA_SHA_256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
_NUMBER_SIZE = 32  # bytes of each number in a signature by P-256
_TYPES_END = re.compile(rb"</([A-Za-z0-9_.-]+:)?Types\s*>\s*\Z")
_CHUNK = 1 << 18
_ADDED_TYPES = {"rels": RELATIONSHIPS_TYPE, "psdor": ORIGIN_TYPE, "psdsxs": SIGNATURE_TYPE}


def sign(source: BinaryIO, target: BinaryIO, *, signer: Signer, timestamp: Callable[[bytes], bytes]) -> None:
    """Write a copy of a package with one signature of all its parts, whatever signature it had before.

    Args:
        source: the package, seekable.
        target: an empty file.
        signer: whose signature it gets.
        timestamp: returns an RFC 3161 token for a signature's value.

    Raises:
        CannotSignError: the package is damaged.
    """
    try:
        with open_archive(source) as archive:
            _sign(archive, target, signer, timestamp)
    except FormatError as error:
        raise CannotSignError(f"The package can not be signed: {error}.") from error


def _sign(archive: Archive, target: BinaryIO, signer: Signer, timestamp: Callable[[bytes], bytes]) -> None:
    if CONTENT_TYPES not in archive.by_name:
        raise FormatError(f"it has no {CONTENT_TYPES}")
    types = _with_types(archive.read(archive.by_name[CONTENT_TYPES], limit=MAX_SIZE))
    added = {
        CONTENT_TYPES: types,
        ROOT_RELATIONSHIPS: _root_relationships(archive),
        _ORIGIN_PART: b"",
        relationships_of(_ORIGIN_PART): _relationships({"R1": (SIGNATURE, f"/{_SIGNATURE_PART}")}),
    }
    kept = [e for e in archive.entries if e.name not in added and not is_signature_related(e.name)]
    known = read_content_types(types)
    known.check([entry.name for entry in kept if not entry.is_directory])
    digests = {name: hashlib.sha256(data).digest() for name, data in added.items() if name != CONTENT_TYPES}
    for entry in kept:
        if not entry.is_directory:
            hashed, stream = hashlib.sha256(), archive.open(entry)
            while piece := stream.read(_CHUNK):
                hashed.update(piece)
            digests[entry.name] = hashed.digest()
    references = {f"/{name}?ContentType={known.of(name)}": digest for name, digest in digests.items()}
    added[_SIGNATURE_PART] = _signature(references, signer, timestamp)
    copy = ArchiveWriter(target)
    for entry in kept:
        copy.copy(archive, entry)
    for name, data in added.items():
        copy.add(name, [data], size=len(data), method=DEFLATED)
    copy.finish(archive.comment)


def _with_types(types: bytes) -> bytes:
    """Return a `[Content_Types].xml` with the types of a signature's parts."""
    known, end = read_content_types(types), _TYPES_END.search(types)
    if end is None:
        raise FormatError(f"{CONTENT_TYPES} has no end, or is not UTF-8")
    prefix = (end[1] or b"").decode("ascii")
    lines = "".join(
        f'<{prefix}Default Extension="{extension}" ContentType="{kind}"/>'
        for extension, kind in _ADDED_TYPES.items()
        if extension not in known.by_extension
    )
    return types[: end.start()] + lines.encode("ascii") + types[end.start() :]


def _root_relationships(archive: Archive) -> bytes:
    entry = archive.by_name.get(ROOT_RELATIONSHIPS)
    data = _relationships({}) if entry is None else archive.read(entry, limit=MAX_SIZE)
    known = read_relationships(data, ROOT_RELATIONSHIPS)
    kept = {r.identifier: (r.type, r.target) for r in known.values() if r.type != ORIGIN}
    identifier = next(f"R{number}" for number in range(len(kept) + 1) if f"R{number}" not in kept)
    modes = {r.identifier: r.mode for r in known.values()}
    return _relationships({**kept, identifier: (ORIGIN, f"/{_ORIGIN_PART}")}, modes)


def _relationships(relationships: dict[str, tuple[str, str]], modes: dict[str, str] | None = None) -> bytes:
    from lxml import etree

    root = etree.Element(f"{{{RELATIONSHIPS}}}Relationships", nsmap={None: RELATIONSHIPS})
    for identifier, (kind, path) in relationships.items():
        attributes = {"Type": kind, "Target": path, "Id": identifier}
        if (modes or {}).get(identifier, "Internal") != "Internal":
            attributes["TargetMode"] = (modes or {})[identifier]
        etree.SubElement(root, f"{{{RELATIONSHIPS}}}Relationship", attributes)
    encoded: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return encoded


def _signature(references: dict[str, bytes], signer: Signer, timestamp: Callable[[bytes], bytes]) -> bytes:
    from lxml import etree

    def element(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
        made = etree.SubElement(parent, f"{{{DS}}}{name}", attributes)
        made.text = text
        return made

    def canonical(part: Any) -> bytes:
        # By itself: inside its document, lxml 6 gives a wrong form.
        alone = etree.fromstring(etree.tostring(part, with_tail=False))
        encoded: bytes = etree.tostring(alone, method="c14n")
        return encoded

    root = etree.Element(f"{{{DS}}}Signature", {"Id": "SignPathSignature"}, nsmap={None: DS})
    signed_info = element(root, "SignedInfo")
    element(signed_info, "CanonicalizationMethod", Algorithm=C14N)
    element(signed_info, "SignatureMethod", Algorithm=_ECDSA_SHA_256)
    reference = element(signed_info, "Reference", URI="#idPackageObject", Type=f"{DS}Object")
    element(element(reference, "Transforms"), "Transform", Algorithm=C14N)
    element(reference, "DigestMethod", Algorithm=_SHA_256)
    digest = element(reference, "DigestValue")
    value = element(root, "SignatureValue")
    data = element(element(root, "KeyInfo"), "X509Data")
    for certificate in (signer.certificate, *(c for c in signer.chain if c.issuer != c.subject)):
        element(data, "X509Certificate", _base64(certificate.public_bytes(Encoding.DER)))
    package_object = element(root, "Object", Id="idPackageObject")
    manifest = element(package_object, "Manifest")
    for uri, hashed in references.items():
        part = element(manifest, "Reference", URI=quote(uri, safe="/?=+.-_~%;"))
        element(part, "DigestMethod", Algorithm=_SHA_256)
        element(part, "DigestValue", _base64(hashed))
    digest.text = _base64(hashlib.sha256(canonical(package_object)).digest())
    numbers = decode_dss_signature(signer.key.sign(canonical(signed_info), ec.ECDSA(hashes.SHA256())))
    raw = b"".join(number.to_bytes(_NUMBER_SIZE, "big") for number in numbers)
    value.text = _base64(raw)
    stamp = etree.SubElement(
        element(root, "Object"), f"{{{SIGNATURE_NAMESPACE}}}TimeStamp", nsmap={None: SIGNATURE_NAMESPACE}
    )
    etree.SubElement(stamp, f"{{{SIGNATURE_NAMESPACE}}}EncodedTime").text = _base64(timestamp(raw))
    encoded: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return encoded


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
