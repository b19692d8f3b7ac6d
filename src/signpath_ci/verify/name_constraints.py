"""Name constraints of CAs on the names that `cryptography` leaves unchecked (RFC 5280 sections 4.2.1.10 and 6.1).

The library checks constraints on DNS names and IP addresses. Of the other kinds it refuses critical ones and skips the
rest, although section 6.1 makes no difference. Code signing certificates have directory names and mail addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import NameOID

from signpath_ci.errors import VerificationError

T = TypeVar("T", bound=x509.ExtensionType)
_CHECKED_BY_LIBRARY = (x509.DNSName, x509.IPAddress)


def check_name_constraints(chain: Sequence[x509.Certificate], owner: str) -> None:
    """Require that every certificate of a chain has only names that all CAs above it permit.

    Args:
        chain: the leaf first, the trusted root last.
        owner: whose chain it is, for messages.

    Raises:
        VerificationError: a name is not permitted, or is of a kind that is constrained and can't be compared.
    """
    for place, certificate in enumerate(chain):
        # RFC 5280 section 6.1.3 (b): an intermediate that was issued by itself, e.g. for a new key, is exempt.
        if place and certificate.issuer == certificate.subject:
            continue
        for issuer in chain[place + 1 :]:
            for constraints in _extensions(issuer, x509.NameConstraints):
                _check(list(_names(certificate)), constraints, certificate, owner)


def _check(
    names: Sequence[x509.GeneralName], constraints: x509.NameConstraints, certificate: x509.Certificate, owner: str
) -> None:
    for name in names:
        if isinstance(name, _CHECKED_BY_LIBRARY):
            continue
        permitted = [c for c in constraints.permitted_subtrees or () if type(c) is type(name)]
        excluded = [c for c in constraints.excluded_subtrees or () if type(c) is type(name)]
        if (permitted and not any(_is_within(name, c, default=False) for c in permitted)) or any(
            _is_within(name, c, default=True) for c in excluded
        ):
            raise VerificationError(
                f"the chain of {owner}'s certificate has a name that a CA above it does not permit"
                f" ({certificate.subject.rfc4514_string()}; name constraints, RFC 5280 section 4.2.1.10).",
                code="certificate-chain",
            )


def _names(certificate: x509.Certificate) -> Iterator[x509.GeneralName]:
    if certificate.subject.rdns:
        yield x509.DirectoryName(certificate.subject)
    alternative = _extensions(certificate, x509.SubjectAlternativeName)
    for names in alternative:
        yield from names
    if not alternative:  # section 4.2.1.10: only then mail addresses in the subject are constrained
        for attribute in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
            yield x509.RFC822Name(str(attribute.value))


def _extensions(certificate: x509.Certificate, kind: type[T]) -> list[T]:
    return [extension.value for extension in certificate.extensions if isinstance(extension.value, kind)]


def _is_within(name: x509.GeneralName, subtree: x509.GeneralName, *, default: bool) -> bool:
    """Tell whether a name is in a subtree of its kind; `default`: of a kind that can't be compared here."""
    if isinstance(name, x509.DirectoryName) and isinstance(subtree, x509.DirectoryName):
        prefix = [_comparable(rdn) for rdn in subtree.value.rdns]
        return [_comparable(rdn) for rdn in name.value.rdns][: len(prefix)] == prefix
    if isinstance(name, x509.RFC822Name) and isinstance(subtree, x509.RFC822Name):
        return _is_mail_within(name.value, subtree.value)
    return default


def _comparable(rdn: x509.RelativeDistinguishedName) -> frozenset[tuple[str, str]]:
    # Section 7.1: without regard to case, and to space around and repeated inside.
    return frozenset((a.oid.dotted_string, " ".join(str(a.value).casefold().split())) for a in rdn)


def _is_mail_within(address: str, subtree: str) -> bool:
    local, _, host = address.rpartition("@")
    host, place = host.casefold(), subtree.casefold()
    if "@" in subtree:
        wanted, _, wanted_host = subtree.rpartition("@")
        return (local, host) == (wanted, wanted_host.casefold())
    return host.endswith(place) if place.startswith(".") else host == place
