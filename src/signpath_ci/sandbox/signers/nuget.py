"""Author signatures of NuGet packages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import BinaryIO

from cryptography.hazmat.primitives.serialization import Encoding

from signpath_ci.formats import FormatError
from signpath_ci.formats.asn1 import octet_string
from signpath_ci.formats.cms import DATA, Attribute
from signpath_ci.formats.nuget import AUTHOR, SIGNATURE, commitment, package_digest, write_content
from signpath_ci.formats.package import Package, append_entry
from signpath_ci.formats.tsp import SIGNING_CERTIFICATE_V2, write_signing_certificate_v2
from signpath_ci.formats.zip import STORED, open_archive
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import cms
from signpath_ci.sandbox.signers.authenticode import ALGORITHM
from signpath_ci.sandbox.signers.errors import CannotSignError


def sign(source: BinaryIO, target: BinaryIO, *, signer: Signer, timestamp: Callable[[bytes], bytes]) -> None:
    """Write a copy of a NuGet package with an author signature, whatever signature it had before.

    Args:
        source: the package, seekable.
        target: an empty file.
        signer: whose signature it gets.
        timestamp: returns an RFC 3161 token for a signature's value.

    Raises:
        CannotSignError: the package is damaged, or too big.
    """
    try:
        with open_archive(source) as archive:
            package = Package(source, archive, SIGNATURE)
            content = write_content(ALGORITHM, package_digest(package, ALGORITHM))
            certificate = hashlib.sha256(signer.certificate.public_bytes(Encoding.DER)).digest()
            signed = cms.sign(
                signer,
                content_type=DATA,
                content=octet_string(content),
                attributes=(
                    commitment(AUTHOR),
                    Attribute(SIGNING_CERTIFICATE_V2, (write_signing_certificate_v2(certificate),)),
                ),
            )
            message = cms.timestamped(signed, timestamp).encode()
            append_entry(target, package, SIGNATURE, message, method=STORED)
    except FormatError as error:
        raise CannotSignError(f"The NuGet package can not be signed: {error}.") from error
