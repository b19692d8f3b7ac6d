"""NuGet packages: is this package signed, by its author or by a repository, and is it the package that was submitted?

1. The package has one signature, and nothing in it that the signature does not cover.
2. The signature is by the certificate that it names, and says whether it is an author's or a repository's.
3. The hash that its content names is that of the package.
4. A repository's countersignature, if any, is of that signature.
5. The signers of both are as required (`signer_requirements`).
6. The package has the entries that were submitted.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.serialization import Encoding

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.asn1 import Fields, contents_octets, read_object_identifier, read_octet_string, reading
from signpath_ci.formats.cms import COUNTERSIGNATURE, DATA, SignerInfo, read_signed_data, read_signer_info
from signpath_ci.formats.nuget import (
    AUTHOR,
    COMMITMENT_TYPE,
    REPOSITORY,
    SERVICE_INDEX,
    SIGNATURE,
    package_digest,
    read_content,
)
from signpath_ci.formats.package import Package
from signpath_ci.formats.tsp import SIGNING_CERTIFICATE_V2, read_signing_certificate_v2
from signpath_ci.values import replace
from signpath_ci.verify.package_content import check_entries
from signpath_ci.verify.signature_value import known_digest, require_strong
from signpath_ci.verify.signed_data import VerifiedSigner, verify_info, verify_signer
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements
from signpath_ci.verify.trust import Trust

_WHAT = "the signature"
_COUNTER = "the repository's countersignature"


def verify_nuget(
    package: Package, submitted: Package | None, requirements: SignerRequirements
) -> tuple[Signature, ...]:
    """Check the signatures of a NuGet package: the author's, the repository's, or both.

    Args:
        package: the signed package.
        submitted: the package that was submitted; `None`: its content is not compared.
        requirements: what is required of the signatures.

    Raises:
        VerificationError: it is not signed, a check failed, or the content is not that of `submitted`.
        FormatError: the package is damaged, or signed in a way that is not supported.
    """
    encoding = package.message
    if encoding is None:
        raise VerificationError("the file is not signed.", code="not-signed")
    message = read_signed_data(encoding, _WHAT)
    verified = verify_signer(message, content_type=DATA, what=_WHAT)
    with reading(_WHAT):
        content = read_octet_string(message.content or b"")
    algorithm, expected = read_content(content)
    require_strong(algorithm, _WHAT)
    digest = package_digest(package, algorithm)
    if not hmac.compare_digest(digest, expected):
        raise VerificationError(
            "the file was changed after it was signed: the package's hash is not the signed one.",
            code="digest-mismatch",
        )
    signatures = _checked(verified, requirements, algorithm, digest)
    if submitted is not None:
        check_entries(package.archive, submitted.archive, ignored=SIGNATURE.__eq__)
    return signatures


def _checked(
    verified: VerifiedSigner, requirements: SignerRequirements, algorithm: str, digest: bytes
) -> tuple[Signature, ...]:
    """Check the signers; the user's expectations are about the first, as repositories sign what others made."""
    kind = _kind(verified.info, _WHAT)
    _check_signing_certificate(verified, _WHAT)
    encodings = verified.info.unsigned_values(COUNTERSIGNATURE)
    if len(encodings) > 1 or (encodings and kind != AUTHOR):
        raise UnsupportedError("its signature has countersignatures that NuGet does not allow")
    counter = _countersignature(encodings[0], verified) if encodings else None
    alone = tuple(a for a in verified.info.unsigned_attributes if a.oid != COUNTERSIGNATURE)
    signature = requirements.signature(
        replace(verified, info=replace(verified.info, unsigned_attributes=alone)),
        format_name="nuget",
        algorithm=algorithm,
        digest=digest,
        others=(counter.certificate,) if counter else (),
    )
    if counter is None:
        return (signature,)
    anybody = SignerRequirements(
        trust=Trust(digest_algorithms=requirements.trust.digest_algorithms), now=requirements.now
    )
    further = anybody.signature(
        counter, format_name="nuget", algorithm=algorithm, digest=digest, others=(verified.certificate,)
    )
    note = f"the repository {_service_index(counter.info)} countersigned it"
    return (signature, replace(further, notes=(*further.notes, note)))


def _countersignature(encoding: bytes, verified: VerifiedSigner) -> VerifiedSigner:
    with reading(_COUNTER):
        info = read_signer_info(encoding)
    digest = known_digest(info.digest_algorithm, _COUNTER)
    require_strong(digest, _COUNTER)
    counter = verify_info(
        info,
        replace(verified.message, signers=(info,)),
        digest=digest,
        content_digest=hashlib.new(digest, verified.info.signature).digest(),
        content_type=None,
        what=_COUNTER,
    )
    if _kind(info, _COUNTER) != REPOSITORY:
        raise FormatError(f"{_COUNTER} is not a repository's")
    _check_signing_certificate(counter, _COUNTER)
    return counter


def _kind(info: SignerInfo, what: str) -> str:
    """Return whether a signature is an author's or a repository's, which then names its service index."""
    encoding = info.signed_attribute(COMMITMENT_TYPE)
    if encoding is None:
        raise FormatError(f"{what} does not say whether it is an author's or a repository's")
    with reading(f"the commitment type of {what}"):
        kind = read_object_identifier(Fields(encoding).take())
    if kind not in {AUTHOR, REPOSITORY}:
        raise UnsupportedError(f"{what} is neither an author's nor a repository's ({kind})")
    if kind == REPOSITORY:
        _service_index(info)
    return kind


def _service_index(info: SignerInfo) -> str:
    encoding = info.signed_attribute(SERVICE_INDEX)
    if encoding is None:
        raise FormatError("a repository's signature does not name its service index")
    with reading("the service index of a repository's signature"):
        return contents_octets(encoding).decode("ascii")


def _check_signing_certificate(verified: VerifiedSigner, what: str) -> None:
    encoding = verified.info.signed_attribute(SIGNING_CERTIFICATE_V2)
    if encoding is None:
        raise FormatError(f"{what} does not name the certificate that it was made with")
    imprint = read_signing_certificate_v2(encoding)
    algorithm = known_digest(imprint.algorithm, what)
    require_strong(algorithm, what)
    found = hashlib.new(algorithm, verified.certificate.public_bytes(Encoding.DER)).digest()
    if not hmac.compare_digest(found, imprint.digest):
        raise VerificationError(f"{what} names another certificate than its signer's.", code="signature-mismatch")
