"""Files with more than one signature: those nested in another one (`NESTED_SIGNATURE`), and weak beside strong ones.

1. One signature at least is by algorithms that may be relied on.
2. The signer of each of these is as required (`signer_requirements`).
3. The others, by SHA-1, prove nothing, but hold nothing either that no signature covers; the verdict names them.
"""

from __future__ import annotations

from collections.abc import Sequence

from signpath_ci.errors import VerificationError
from signpath_ci.formats import UnsupportedError
from signpath_ci.formats.authenticode import NESTED_SIGNATURE
from signpath_ci.values import dataclass, replace
from signpath_ci.verify.signature_value import is_strong
from signpath_ci.verify.signed_data import VerifiedSigner
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements

_MAX_NESTED = 8
_NESTED = frozenset({NESTED_SIGNATURE})


@dataclass(frozen=True, kw_only=True)
class Found:
    """A signature that fits its file, whose signer is not verified yet; `algorithm` and `digest` are of the file.

    `notes`: what is unusual about how it fits, as sentences without an end.
    """

    verified: VerifiedSigner
    algorithm: str
    digest: bytes
    notes: tuple[str, ...] = ()

    @property
    def is_strong(self) -> bool:
        """Whether its algorithms may be relied on."""
        return self.verified.is_strong and is_strong(self.algorithm)


def nested_in(verified: VerifiedSigner, *, is_nested: bool) -> tuple[bytes, ...]:
    """Return the messages that are nested in a signature, DER.

    Raises:
        UnsupportedError: there are too many, or it is nested itself.
    """
    nested = verified.info.unsigned_values(NESTED_SIGNATURE)
    if nested and is_nested:
        raise UnsupportedError("a nested signature has further signatures nested in it")
    if len(nested) > _MAX_NESTED:
        raise UnsupportedError(f"the signature has {len(nested)} signatures nested in it")
    return nested


def checked(found: Sequence[Found], requirements: SignerRequirements, *, format_name: str) -> tuple[Signature, ...]:
    """Verify the signers of all signatures of a file.

    Args:
        found: the signatures.
        requirements: what is required of them.
        format_name: as in `Verdict.format`.

    Returns:
        The strong ones; their notes name the others.

    Raises:
        VerificationError: there is no strong one, or a signer is not as required.
        UncoveredError: one holds data that no signature covers.
    """
    strong = [signature for signature in found if signature.is_strong]
    if not strong:
        raise VerificationError("the signature uses SHA1, which is broken: it proves nothing.", code="weak-digest")
    signatures = [_checked(signature, requirements, format_name) for signature in strong]
    notes = tuple(
        requirements.weak(signature.verified, attributes=_NESTED) for signature in found if not signature.is_strong
    )
    return tuple(replace(signature, notes=(*signature.notes, *notes)) for signature in signatures)


def _checked(found: Found, requirements: SignerRequirements, format_name: str) -> Signature:
    signature = requirements.signature(
        found.verified,
        format_name=format_name,
        algorithm=found.algorithm,
        digest=found.digest,
        attributes=_NESTED,
    )
    return replace(signature, notes=(*found.notes, *signature.notes))
