"""Certificates that nobody vouches for: is there anything in one but what a CA's certificate needs?

Anybody can make a certificate with the name and the key of a real CA: its own signature is wrong, and nobody finds
out where its issuer is not at hand, as with cross certificates. So what such a certificate may hold is bounded: names,
addresses and texts that can be printed, and extensions that are known (RFC 5280 section 4.2).
"""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509

_MAX_SIZE = 4096  # bytes
_MAX_TEXT = 512  # characters; the longest are notices in certificate policies
_MAX_OBJECT_IDENTIFIER = 64  # characters
_MAX_KEY_IDENTIFIER = 64  # bytes
_MAX_UNPARSED = 128  # bytes
_TYPED = (
    x509.AuthorityInformationAccess,
    x509.AuthorityKeyIdentifier,
    x509.BasicConstraints,
    x509.CertificatePolicies,
    x509.CRLDistributionPoints,
    x509.ExtendedKeyUsage,
    x509.InhibitAnyPolicy,
    x509.KeyUsage,
    x509.MSCertificateTemplate,
    x509.NameConstraints,
    x509.PolicyConstraints,
    x509.SubjectAlternativeName,
    x509.SubjectKeyIdentifier,
)
# Of Microsoft's CAs (version, hash of the former certificate, template, policies), Netscape's type, Entrust's version,
# and the digests of logos (RFC 3709).
_UNPARSED = frozenset(
    {
        "1.3.6.1.4.1.311.21.1",
        "1.3.6.1.4.1.311.21.2",
        "1.3.6.1.4.1.311.20.2",
        "1.3.6.1.4.1.311.21.10",
        "2.16.840.1.113730.1.1",
        "1.2.840.113533.7.65.0",
        "1.3.6.1.5.5.7.1.12",
    }
)


def is_plain(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate has no room for data of somebody's own; to be used within `reading_certificates`."""
    extensions = [extension.value for extension in certificate.extensions]
    return (
        sum(len(part) for part in (certificate.tbs_certificate_bytes, certificate.signature)) <= _MAX_SIZE
        and all(map(_is_plain_extension, extensions))
        and all(
            text.isprintable() and len(text) <= _MAX_TEXT
            for value in (certificate.subject, certificate.issuer, *extensions)
            for text in _texts(value)
        )
    )


def _is_plain_extension(value: x509.ExtensionType) -> bool:
    if isinstance(value, x509.UnrecognizedExtension):
        return value.oid.dotted_string in _UNPARSED and len(value.value) <= _MAX_UNPARSED
    if isinstance(value, x509.AuthorityKeyIdentifier | x509.SubjectKeyIdentifier):
        return len(value.key_identifier or b"") <= _MAX_KEY_IDENTIFIER
    return isinstance(value, _TYPED)


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a name or an extension, and something that can't be printed for what can hold bytes."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, x509.ObjectIdentifier):
        yield value.dotted_string if len(value.dotted_string) <= _MAX_OBJECT_IDENTIFIER else "\0"
    elif isinstance(value, x509.Name):
        yield from (a.value if isinstance(a.value, str) else "\0" for a in value)
        yield from _all(a.oid for a in value)
    elif isinstance(value, x509.OtherName | x509.IPAddress):
        yield "\0" if isinstance(value, x509.OtherName) else ""
    elif isinstance(value, x509.GeneralName):
        yield from _texts(value.value)
    elif isinstance(value, x509.UserNotice):
        yield from _texts(value.explicit_text or "")
        yield from _texts(value.notice_reference.organization or "" if value.notice_reference else "")
    elif isinstance(value, x509.AccessDescription):
        yield from _texts(value.access_location)
    elif isinstance(value, x509.PolicyInformation):
        yield from _texts(value.policy_identifier)
        yield from _all(value.policy_qualifiers)
    elif isinstance(value, x509.DistributionPoint):
        yield from _all(value.full_name)
        yield from _all(value.crl_issuer)
    elif isinstance(value, x509.AuthorityKeyIdentifier):
        yield from _all(value.authority_cert_issuer)
    elif isinstance(value, x509.NameConstraints):
        yield from _all(value.permitted_subtrees)
        yield from _all(value.excluded_subtrees)
    elif isinstance(
        value,
        x509.AuthorityInformationAccess
        | x509.CertificatePolicies
        | x509.CRLDistributionPoints
        | x509.ExtendedKeyUsage
        | x509.SubjectAlternativeName,
    ):
        yield from _all(value)


def _all(values: object) -> Iterator[str]:
    for value in values or ():  # type: ignore[attr-defined]  # lists of the library
        yield from _texts(value)
