"""Attacks with data that no signature covers, with times, and with what another kind of file may become."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from signpath_ci.formats.asn1 import explicit, octet_string, sequence, wrapped
from signpath_ci.formats.cms import Attribute, SignedData
from signpath_ci.formats.tsp import TIMESTAMP
from tests.support.signing import CODE_SIGNING, NOW, Identity, der, issue, root, sign_time, timestamper
from tests.unit.verify.matrix.attacks import NO_MESSAGE, NO_TIMESTAMP, Case, attack
from tests.unit.verify.matrix.formats import Change, Format, stamped, unchanged

PAYLOAD = b"PK\x03\x04 a payload \0\x01" * 50
_WORDS, _NOBODY = "no signature covers", "no trusted root vouches for"


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _ec_key(identity: Identity) -> ec.EllipticCurvePrivateKey:
    assert isinstance(identity.key, ec.EllipticCurvePrivateKey)
    return identity.key


def with_certificate(message: SignedData) -> SignedData:
    """Add a certificate of nobody's."""
    return replace(message, certificates=(*message.certificates, der(issue("Stranger", is_ca=True).certificate)))


def with_twin(message: SignedData) -> SignedData:
    """Add a certificate with the root's name and key, and a payload: nobody vouches for what is in it."""
    builder = (
        x509.CertificateBuilder(_name("Nobody"), root().certificate.subject, _ec_key(root()).public_key(), 7, NOW, NOW)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), PAYLOAD), False)
    )
    twin = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return replace(message, certificates=(*message.certificates, der(twin)))


def with_list(message: SignedData) -> SignedData:
    """Add a revocation list that no CA signed."""
    builder = x509.CertificateRevocationListBuilder(root().certificate.subject, NOW, NOW + timedelta(days=1))
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), PAYLOAD)
    made = builder.add_extension(extension, False).sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return replace(message, revocation_lists=(made.public_bytes(Encoding.DER),))


def with_attribute(message: SignedData) -> SignedData:
    """Add an unsigned attribute."""
    (info,) = message.signers
    extra = Attribute("1.2.3.4", (octet_string(PAYLOAD),))
    return replace(message, signers=(replace(info, unsigned_attributes=(*info.unsigned_attributes, extra)),))


def with_parameters(message: SignedData) -> SignedData:
    """Add parameters to the signature algorithm."""
    (info,) = message.signers
    algorithm = replace(info.signature_algorithm, parameters=octet_string(PAYLOAD))
    return replace(message, signers=(replace(info, signature_algorithm=algorithm),))


def with_other_format(message: SignedData) -> SignedData:
    """Add an attribute certificate that is not a timestamp authority's."""
    parts = sequence(*[octet_string(PAYLOAD)] * 7) + sequence() + octet_string(PAYLOAD)
    return replace(message, attribute_certificates=(wrapped(explicit(1), parts),))


def _beside(f: Format, change: Change, words: str = _WORDS) -> Case | str:
    return Case(f.signed(change=lambda m: change(stamped(m))), words) if f.is_message else NO_MESSAGE


def _in_token(f: Format, change: Change, words: str = _WORDS) -> Case | str:
    if not f.is_message:
        return NO_TIMESTAMP

    def put(message: SignedData) -> SignedData:
        (info,) = message.signers
        token = change(sign_time(info.signature, timestamper()))
        attribute = Attribute(TIMESTAMP, (token.encode(),))
        return replace(message, signers=(replace(info, unsigned_attributes=(attribute,)),))

    return Case(f.signed(change=put), words)


@attack
def unneeded_certificate(f: Format) -> Case | str:
    if f.name == "cms":
        return "let through where it is plain, and noted"
    return _beside(f, with_certificate)


@attack
def payload_in_a_certificate(f: Format) -> Case | str:
    return _beside(f, with_twin, _NOBODY)


@attack
def payload_in_a_revocation_list(f: Format) -> Case | str:
    return _beside(f, with_list, "a revocation list that no CA")


@attack
def payload_in_an_unsigned_attribute(f: Format) -> Case | str:
    return _beside(f, with_attribute)


@attack
def payload_in_algorithm_parameters(f: Format) -> Case | str:
    return _beside(f, with_parameters)


@attack
def payload_in_an_attribute_certificate(f: Format) -> Case | str:
    return _beside(f, with_other_format)


@attack
def payload_in_the_timestamp_s_certificates(f: Format) -> Case | str:
    return _in_token(f, with_twin, _NOBODY)


@attack
def payload_in_the_timestamp_s_attributes(f: Format) -> Case | str:
    return _in_token(f, with_attribute)


@attack
def timestamp_from_the_future(f: Format) -> Case | str:
    if not f.is_message:
        return NO_TIMESTAMP

    def put(message: SignedData) -> SignedData:
        (info,) = message.signers
        token = sign_time(info.signature, timestamper(), time=NOW + timedelta(days=1))
        attribute = Attribute(TIMESTAMP, (token.encode(),))
        return replace(message, signers=(replace(info, unsigned_attributes=(attribute,)),))

    return Case(f.signed(change=put), "is from the future")


@attack
def key_for_something_else(f: Format) -> Case:
    signer = issue("Wrong Key", root(), usages=[CODE_SIGNING], key_usage=(False, True))
    return Case(f.signed(signer, change=unchanged), "not for digital signatures", signer=signer)


@attack
def name_outside_of_a_ca_s_constraints(f: Format) -> Case:
    key = ec.generate_private_key(ec.SECP256R1())
    constraints = x509.NameConstraints([x509.DirectoryName(_name("Acme"))], None)
    certificate = (
        x509.CertificateBuilder(
            root().certificate.subject,
            _name("CA"),
            key.public_key(),
            9,
            NOW - timedelta(days=1),
            NOW + timedelta(days=9),
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .add_extension(constraints, False)
        .sign(_ec_key(root()), hashes.SHA256())
    )
    issuer = Identity(key=key, certificate=certificate, chain=(root().certificate,))
    signer = issue("Other", issuer, usages=[CODE_SIGNING])
    return Case(f.signed(signer, change=unchanged), "does not permit", signer=signer)
