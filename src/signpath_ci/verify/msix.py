"""MSIX and APPX packages: is this package signed, by its publisher, and is it the package that was submitted?

1. The five digests of the package are the signed ones, and the signer is as required (`verify.authenticode`).
2. They are by the algorithm of the block map.
3. The publisher in the manifest is the subject of the signer's certificate, as Windows requires.
4. Each entry is a part of the package, and has the blocks that the block map lists, or the place that the bundle's
   manifest states.
5. The package has the entries that were submitted; signing names the signature in `[Content_Types].xml`.
"""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from cryptography import x509

from signpath_ci.errors import VerificationError
from signpath_ci.formats.content_types import NAME as CONTENT_TYPES
from signpath_ci.formats.msix import SIGNATURE, block_map, check_files, publisher, read_package, types_differ
from signpath_ci.formats.zip import Archive
from signpath_ci.values import replace
from signpath_ci.verify.authenticode import verify_authenticode
from signpath_ci.verify.certificates import reading_certificates
from signpath_ci.verify.failure import about
from signpath_ci.verify.package_content import check_entries
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements


def verify_msix(
    signed: tuple[BinaryIO, Archive], submitted: tuple[BinaryIO, Archive] | None, requirements: SignerRequirements
) -> tuple[Signature, ...]:
    """Check the signature of a package or a bundle.

    Args:
        signed: the package, and the same opened.
        submitted: the package that was submitted, likewise; `None`: its content is not compared.
        requirements: what is required of the signature.

    Raises:
        VerificationError: it is not signed, a check failed, or the content is not that of `submitted`.
        FormatError: the package is damaged, or signed in a way that is not supported.
    """
    subject = read_package(*signed)
    signatures = verify_authenticode(subject, unsigned=None, requirements=requirements, format_name="msix")
    algorithm = block_map(signed[1]).algorithm
    expected = publisher(signed[1])
    for signature in signatures:
        if signature.digest_algorithm != algorithm:
            raise VerificationError(
                f"the signature uses {signature.digest_algorithm}, and the block map {algorithm}.",
                code="block-map-mismatch",
            )
        with reading_certificates("the signer's certificate"):
            name = x509.Name.from_rfc4514_string(signature.signer.subject)
            attributes = tuple((a.oid.dotted_string, a.value) for rdn in reversed(name.rdns) for a in rdn)
        if attributes != expected:
            raise VerificationError(
                f"the publisher in the manifest ({', '.join(value for _, value in expected)}) is not the signer"
                f" ({signature.signer.subject}).",
                code="publisher-mismatch",
            )
    check_files(subject.package)
    if submitted is not None:
        with about("the submitted package"):
            original = read_package(*submitted).package
        special = {CONTENT_TYPES: types_differ}
        check_entries(signed[1], original.archive, ignored=SIGNATURE.__eq__, special=special)
    # What is signed are five digests; a verdict has room for one, of all of them.
    return tuple(replace(signature, content_digest=_digest(signature)) for signature in signatures)


def _digest(signature: Signature) -> str:
    return hashlib.new(signature.digest_algorithm, bytes.fromhex(signature.content_digest)).hexdigest()
