"""XML files with an enveloped signature, as SignPath writes them: is the document signed, and the one submitted?

1. The signature is the last element in the root, and the only one.
2. It has one reference, to the whole document, with the transforms enveloped-signature and exclusive C14N.
3. The signer is as required (`signer_requirements`).
4. Without the signature, the document is the one that was submitted, comments included, which no signature covers.
"""

from __future__ import annotations

from typing import BinaryIO

from lxml import etree

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.xml_signature import ENVELOPED, EXCLUSIVE_C14N, MAX_SIZE, NAMESPACE
from signpath_ci.values import replace
from signpath_ci.verify.identity import not_submitted
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements
from signpath_ci.verify.xml_signature import Rules, parse, verify_signature, without_signature

_RULES = Rules(uri="", transforms=(ENVELOPED, EXCLUSIVE_C14N))
_SIGNATURE = f"{{{NAMESPACE}}}Signature"
_WHAT = "the document"


def verify_xml(file: BinaryIO, unsigned: BinaryIO | None, requirements: SignerRequirements) -> Signature:
    """Check the signature of an XML file.

    Args:
        file: the signed file.
        unsigned: the file that was submitted; `None`: its content is not compared.
        requirements: what is required of the signature.

    Raises:
        VerificationError: it is not signed, a check failed, or the content is not that of `unsigned`.
        FormatError: the file is malformed, or signed in a way that is not supported.
    """
    document = parse(_read(file), _WHAT)
    signature = document.find(f".//{_SIGNATURE}")
    if signature is None:
        raise VerificationError("the file is not signed.", code="not-signed")
    elements = [child for child in document if isinstance(child.tag, str)]
    if not elements or elements[-1] is not signature:
        raise FormatError("its signature is not the last element in the root", code="xml-signature-structure")
    verified, algorithm, digest = verify_signature(document, signature, _RULES)
    checked = requirements.signature(verified, format_name="xml", algorithm=algorithm, digest=digest)
    if unsigned is not None:
        try:
            submitted = parse(_read(unsigned), "the submitted document")
        except FormatError as error:
            raise not_submitted(error) from error
        trees = without_signature(document), submitted.getroottree()
        if len({etree.tostring(tree, method="c14n") for tree in trees}) > 1:
            raise VerificationError("it is signed, but it is not the file that was submitted.", code="content-changed")
    elif document.getroottree().xpath("//comment()"):
        return replace(checked, notes=(*checked.notes, "it has comments, which its signature does not cover"))
    return checked


def _read(file: BinaryIO) -> bytes:
    file.seek(0)
    data = file.read(MAX_SIZE + 1)
    if len(data) > MAX_SIZE:
        raise UnsupportedError("it is too big for an XML file with a signature")
    return data
