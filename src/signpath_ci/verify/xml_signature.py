"""XML signatures: is this what the signer signed?

What the standard leaves open is refused, so that canonical forms are all that a library (lxml) is needed for.

1. The document has no document type, and exactly one signature, where it must be.
2. The signature has the elements that it needs and no others, with algorithms that may be relied on.
3. It has one reference, with the transforms that the format requires.
4. The digest of what it refers to is the one in it, and its value is by the certificate in it.

Who the signer is, and whether the certificate is any good, is up to `signer_requirements`.
"""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UncoveredError, UnsupportedError
from signpath_ci.formats.cms import Algorithm, Attribute, SignedData, SignerInfo
from signpath_ci.formats.tsp import TIMESTAMP
from signpath_ci.formats.xml_elements import read_elements
from signpath_ci.formats.xml_signature import C14N, DIGESTS, EXCLUSIVE_C14N, NAMESPACE, SIGNATURES
from signpath_ci.values import dataclass
from signpath_ci.verify.certificates import load_certificates, reading_certificates
from signpath_ci.verify.signature_value import check_value
from signpath_ci.verify.signed_data import VerifiedSigner

Element = Any
"""An element of lxml, which has no types of its own."""
_WHAT = "the signature"
_MAX_CERTIFICATES = 20
_DS = f"{{{NAMESPACE}}}"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a format requires of its signatures.

    Attributes:
        uri: of the one reference.
        transforms: of the reference, by their identifiers.
        objects: whether the signature has objects.
    """

    uri: str
    transforms: tuple[str, ...]
    objects: bool = False


def parse(data: bytes, what: str) -> Element:
    """Parse a document strictly.

    Args:
        data: the document.
        what: how messages call it.

    Raises:
        FormatError: it is malformed, has a document type, or has more than one signature.
    """
    count = 0

    def start(namespace: str, name: str, _: Mapping[str, str]) -> None:
        nonlocal count
        count += (namespace, name) == (NAMESPACE, "Signature")

    read_elements(data, start, what=what)
    if count > 1:
        raise FormatError(f"{what} has {count} signatures instead of one", code="xml-signature-structure")
    try:
        return etree.fromstring(data, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FormatError(f"{what} is not well-formed XML ({error})", code="xml-malformed") from error


def _parser() -> Any:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def verify_signature(
    document: Element, signature: Element, rules: Rules, *, timestamp: bytes | None = None
) -> tuple[VerifiedSigner, str, bytes]:
    """Check a signature.

    Args:
        document: the root element.
        signature: the one signature in it.
        rules: what the format requires.
        timestamp: an RFC 3161 token for the signature's value; `None`: there is none.

    Returns:
        The signer; and the algorithm and the digest of what is signed.

    Raises:
        VerificationError: content and signature, or signature and certificate, do not belong together.
        FormatError: the signature is not as the format requires.
        UnsupportedError: it uses something that is not supported.
    """
    method, digest_method, expected, certificates = _check_structure(signature, rules)
    algorithm, (oid, signature_digest) = DIGESTS[digest_method], SIGNATURES[method]
    loaded = load_certificates(certificates, _WHAT)
    leaf = _leaf(loaded)
    if rules.uri:
        content = _canonical(_referred(signature, rules.uri), rules.transforms[-1])
    else:
        content = etree.tostring(without_signature(document), method="c14n", exclusive=True, with_comments=False)
    if not hmac.compare_digest(hashlib.new(algorithm, content).digest(), expected):
        raise VerificationError(
            "the file was changed after it was signed: its digest is not the signed one.", code="digest-mismatch"
        )
    signed_info = _one(signature, "SignedInfo")
    signed = _canonical(signed_info, _algorithm(_one(signed_info, "CanonicalizationMethod")))
    value = _base64(_one(signature, "SignatureValue"))
    check_value(
        _value(value, leaf, method),
        Algorithm(oid),
        leaf,
        digest=signature_digest,
        hashed=hashlib.new(signature_digest, signed).digest(),
        data=signed,
        what=_WHAT,
    )
    info = SignerInfo(
        issuer=None,
        serial_number=None,
        digest_algorithm=Algorithm.digest(algorithm),
        signed_attributes=(),
        signed_bytes=None,
        signature_algorithm=Algorithm(oid),
        signature=value,
        unsigned_attributes=() if timestamp is None else (Attribute(TIMESTAMP, (timestamp,)),),
    )
    message = SignedData(
        digest_algorithms=(), content_type="", content=None, certificates=tuple(certificates), signers=(info,)
    )
    verified = VerifiedSigner(
        message=message,
        info=info,
        certificate=leaf,
        embedded=tuple(c for c in loaded if c != leaf),
        digest_algorithm=algorithm,
        signature_digest=signature_digest,
    )
    return verified, algorithm, expected


def without_signature(document: Element) -> Element:
    """Return a copy of a document, as a tree, without the signature in its root; what follows that stays."""
    tree = copy.deepcopy(document.getroottree())
    root = tree.getroot()
    signature = root.find(f"{_DS}Signature")
    if signature is not None:
        tail, before = signature.tail or "", signature.getprevious()
        if before is None:
            root.text = (root.text or "") + tail
        else:
            before.tail = (before.tail or "") + tail
        root.remove(signature)
    return tree


def _canonical(element: Element, method: str) -> bytes:
    """Return an element in canonical form, by itself: inside its document, lxml 6 gives a wrong inclusive form."""
    alone = etree.fromstring(etree.tostring(element, with_tail=False), _parser())
    canonical: bytes = etree.tostring(alone, method="c14n", exclusive=method == EXCLUSIVE_C14N, with_comments=False)
    return canonical


def _referred(signature: Element, uri: str) -> Element:
    """Return the object that a reference is to; the caller has checked that there is just one of that name."""
    return next(child for child in signature if child.get("Id") == uri[1:])


def _value(raw: bytes, certificate: x509.Certificate, method: str) -> bytes:
    """Return a signature's value in DER where it is by ECDSA: in XML it is two numbers of the curve's size."""
    if "#ecdsa-" not in method:
        return raw
    with reading_certificates(f"the certificate of {_WHAT}"):
        key = certificate.public_key()
    size = -(-key.key_size // 8) if isinstance(key, ec.EllipticCurvePublicKey) else len(raw) // 2
    if len(raw) != 2 * size:
        raise VerificationError(f"{_WHAT} is not its signer's: its value has another size.", code="signature-mismatch")
    return encode_dss_signature(int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big"))


def children(element: Element, *names: str) -> list[Element]:
    """Return the elements in a signature's element, which must have these names in the namespace of signatures.

    Raises:
        UncoveredError: there are others, or text between them.
    """
    found = []
    texts = [element.text]
    for child in element:
        if not isinstance(child.tag, str) or child.tag.removeprefix(_DS) not in names:
            raise UncoveredError(f"{_WHAT} has something in it that is not known ({child.tag})")
        found.append(child)
        texts.append(child.tail)
    if any(text and text.strip() for text in texts):
        raise UncoveredError(f"{_WHAT} has text in it that no signature covers")
    return found


def _check_structure(signature: Element, rules: Rules) -> tuple[str, str, bytes, Sequence[bytes]]:
    """Return the signature method, the digest method, the digest, and the certificates."""
    if set(signature.attrib) - {"Id"}:
        raise UncoveredError(f"{_WHAT} has attributes that are not known")
    names = ["SignedInfo", "SignatureValue", "KeyInfo"]
    found = children(signature, *names, *(["Object"] if rules.objects else []))
    if [child.tag.removeprefix(_DS) for child in found[:3]] != names:
        raise _structure("does not have a SignedInfo, a value and a KeyInfo with the signer's certificate")
    signed_info, _, key_info, *_ = found
    parts = children(signed_info, "CanonicalizationMethod", "SignatureMethod", "Reference")
    if [part.tag.removeprefix(_DS) for part in parts] != ["CanonicalizationMethod", "SignatureMethod", "Reference"]:
        raise _structure("does not have exactly one reference")
    canonicalization, method, reference = parts
    if _algorithm(canonicalization) not in {C14N, EXCLUSIVE_C14N}:
        raise UnsupportedError(
            f"{_WHAT} uses a canonicalization that is not supported ({_algorithm(canonicalization)})"
        )
    if _algorithm(method) not in SIGNATURES:
        raise _weak(_algorithm(method))
    digest_method, digest = _check_reference(reference, rules)
    return _algorithm(method), digest_method, digest, _certificates(key_info)


def _check_reference(reference: Element, rules: Rules) -> tuple[str, bytes]:
    parts = children(reference, "Transforms", "DigestMethod", "DigestValue")
    if [part.tag.removeprefix(_DS) for part in parts] != ["Transforms", "DigestMethod", "DigestValue"]:
        raise _structure("has a reference without transforms or digest")
    if reference.get("URI") != rules.uri:
        raise _structure(f"refers to {reference.get('URI')!r} instead of {rules.uri!r}")
    transforms = tuple(map(_algorithm, children(parts[0], "Transform")))
    if transforms != rules.transforms:
        raise _structure(f"has other transforms than its format requires ({', '.join(transforms)})")
    if _algorithm(parts[1]) not in DIGESTS:
        raise _weak(_algorithm(parts[1]))
    return _algorithm(parts[1]), _base64(parts[2])


def _algorithm(element: Element) -> str:
    """Return an element's algorithm, which must have no parameters."""
    if set(element.attrib) != {"Algorithm"} or len(element) or (element.text or "").strip():
        raise UnsupportedError(f"{_WHAT} uses an algorithm with parameters")
    return str(element.get("Algorithm"))


def _certificates(key_info: Element) -> list[bytes]:
    data = children(key_info, "X509Data")
    if len(data) != 1:
        raise _structure("does not have its signer's certificate in it")
    found = [_base64(child) for child in children(data[0], "X509Certificate")]
    if not 0 < len(found) <= _MAX_CERTIFICATES:
        raise _structure(f"has {len(found)} certificates")
    return found


def _leaf(certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return the certificate that issued none of the others; the first, where that is not clear."""
    leaves = [c for c in certificates if all(c.subject != other.issuer for other in certificates if other != c)]
    return leaves[0] if len(leaves) == 1 else certificates[0]


def _one(element: Element, name: str) -> Element:
    return element.find(f"{_DS}{name}")


def _base64(element: Element) -> bytes:
    if len(element):
        raise _structure("has elements in a value")
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except binascii.Error as error:
        raise _structure("has a value that is not Base64") from error


def _structure(what: str) -> FormatError:
    return FormatError(f"{_WHAT} {what}", code="xml-signature-structure")


def _weak(algorithm: str) -> VerificationError:
    return VerificationError(f"the signature uses {algorithm}, which may not be relied on.", code="weak-digest")
