"""Cryptographic Message Syntax (RFC 5652) as code signing uses it: SignedData with attributes, read and written."""

from __future__ import annotations

from signpath_ci.formats import FormatError, UncoveredError
from signpath_ci.formats.asn1 import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    Fields,
    contents_octets,
    explicit,
    implicit,
    integer,
    members,
    object_identifier,
    octet_string,
    read_integer,
    read_object_identifier,
    read_octet_string,
    reading,
    sequence,
    set_of,
    wrapped,
)
from signpath_ci.values import dataclass

DATA = "1.2.840.113549.1.7.1"
"""id-data: content that is just octets."""
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
COUNTERSIGNATURE = "1.2.840.113549.1.9.6"

DIGEST_NAMES = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "1.3.14.3.2.26": "sha1",
    "1.2.840.113549.2.5": "md5",
}
"""Digest algorithms by their identifier, with the names that `hashlib.new` knows."""

DIGEST_OIDS = {name: oid for oid, name in DIGEST_NAMES.items()}

ATTRIBUTE_CERTIFICATE = explicit(1)
"""Identifier octet of an attribute certificate of version 1 among certificates (RFC 5652 section 10.2.2)."""

_NULL = b"\x05\x00"
# RFC 5652 sections 5.1 and 5.3. What they say besides follows from the rest of the message.
_VERSIONS = (1, 3, 4, 5)
_SIGNER_VERSIONS = (1, 3)


@dataclass(frozen=True)
class Algorithm:
    """An AlgorithmIdentifier; `parameters` is DER, or `None` where absent."""

    oid: str
    parameters: bytes | None = None

    @classmethod
    def digest(cls, name: str) -> Algorithm:
        """Return the identifier of a digest algorithm by its name in `DIGEST_OIDS`."""
        return cls(DIGEST_OIDS[name], _NULL)

    @classmethod
    def read(cls, encoding: bytes) -> Algorithm:
        """Decode; to be used within `asn1.reading`."""
        fields = Fields(encoding)
        algorithm = cls(read_object_identifier(fields.take()), fields.take_optional())
        fields.end()
        return algorithm

    @property
    def has_parameters(self) -> bool:
        """Whether there are parameters that say something: more than NULL."""
        return self.parameters not in (None, _NULL)

    def encode(self) -> bytes:
        """Encode as DER."""
        return sequence(object_identifier(self.oid), self.parameters)


@dataclass(frozen=True)
class Attribute:
    """A signed or unsigned attribute: its type, and its values in DER."""

    oid: str
    values: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Encode as DER."""
        return sequence(object_identifier(self.oid), set_of(self.values))


@dataclass(frozen=True, kw_only=True)
class SignerInfo:
    """One signature within a SignedData.

    Attributes:
        issuer: DER of the signer certificate's issuer, or `None` where a key identifier is given instead.
        serial_number: of the signer's certificate, likewise.
        key_identifier: the subject key identifier of the signer's certificate, or `None`.
        signed_attributes: in the order in which they stand there.
        signed_bytes: what the signature covers: the signed attributes with the tag of a SET (RFC 5652 section 5.4);
            `None` where there are no signed attributes.
    """

    issuer: bytes | None
    serial_number: int | None
    key_identifier: bytes | None = None
    digest_algorithm: Algorithm
    signed_attributes: tuple[Attribute, ...]
    signed_bytes: bytes | None
    signature_algorithm: Algorithm
    signature: bytes
    unsigned_attributes: tuple[Attribute, ...]

    def signed_attribute(self, oid: str) -> bytes | None:
        """Return the value of a signed attribute, `None` where it is absent.

        Raises:
            FormatError: it is there twice, or has not exactly one value.
        """
        values = [attribute.values for attribute in self.signed_attributes if attribute.oid == oid]
        if not values:
            return None
        if len(values) > 1 or len(values[0]) != 1:
            raise FormatError(f"the signed attribute {oid} has not exactly one value (RFC 5652 section 11)")
        return values[0][0]

    def unsigned_values(self, oid: str) -> tuple[bytes, ...]:
        """Return all values of an unsigned attribute."""
        return tuple(v for attribute in self.unsigned_attributes if attribute.oid == oid for v in attribute.values)

    def encode(self) -> bytes:
        """Encode as DER, with `issuer` and `serial_number`."""
        if self.issuer is None or self.serial_number is None or self.signed_bytes is None:
            raise ValueError("written are only signatures with issuer, serial number and signed attributes")
        unsigned = [attribute.encode() for attribute in self.unsigned_attributes]
        return sequence(
            integer(1),
            sequence(self.issuer, integer(self.serial_number)),
            self.digest_algorithm.encode(),
            wrapped(explicit(0), contents_octets(self.signed_bytes)),
            self.signature_algorithm.encode(),
            octet_string(self.signature),
            set_of(unsigned, explicit(1)) if unsigned else None,
        )


@dataclass(frozen=True, kw_only=True)
class SignedData:
    """A SignedData message.

    Attributes:
        digest_algorithms: those that the signers use, announced.
        content_type: identifier of what is signed.
        content: DER of what is signed, or `None` where it is detached.
        certificates: X.509 certificates, DER, in the order in which they stand there.
        signers: the signatures.
        revocation_lists: X.509 certificate revocation lists, DER.
        attribute_certificates: of version 1, DER with the tag [1] (section 10.2.2); Microsoft's timestamps have one.
    """

    digest_algorithms: tuple[Algorithm, ...]
    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    signers: tuple[SignerInfo, ...]
    revocation_lists: tuple[bytes, ...] = ()
    attribute_certificates: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """Encode within a ContentInfo as DER."""
        content = None if self.content is None else wrapped(explicit(0), self.content)
        # RFC 5652 section 5.1: version 3 where the content is typed. Authenticode is PKCS #7, which knows only 1 and
        # puts the content's own SEQUENCE where CMS has an OCTET STRING.
        version = 3 if self.content is not None and self.content[0] == OCTET_STRING else 1
        signed_data = sequence(
            integer(version),
            set_of(algorithm.encode() for algorithm in self.digest_algorithms),
            sequence(object_identifier(self.content_type), content),
            set_of((*self.certificates, *self.attribute_certificates), explicit(0)) if self.certificates else None,
            set_of(self.revocation_lists, explicit(1)) if self.revocation_lists else None,
            set_of(signer.encode() for signer in self.signers),
        )
        return sequence(object_identifier(SIGNED_DATA), wrapped(explicit(0), signed_data))


def read_signed_data(data: bytes, what: str) -> SignedData:
    """Read a ContentInfo that holds a SignedData.

    Args:
        data: DER, nothing after it.
        what: how a message calls it, e.g. "the signature".

    Raises:
        FormatError: it is no such message.
        UncoveredError: it has certificates or revocation data of other kinds than `SignedData` has.
    """
    with reading(what):
        content_info = Fields(data)
        kind = read_object_identifier(content_info.take(OBJECT_IDENTIFIER))
        if kind != SIGNED_DATA:
            raise FormatError(f"{what} is not a CMS SignedData, but of the type {kind}")
        message = Fields(contents_octets(content_info.take(explicit(0))))
        content_info.end()
        _take_version(message, _VERSIONS)
        digest_algorithms = tuple(Algorithm.read(encoding) for encoding in members(message.take(SET), SET))
        encapsulated = Fields(message.take(SEQUENCE))
        content_type = read_object_identifier(encapsulated.take())
        content = encapsulated.take_optional(explicit(0))
        encapsulated.end()
        certificates = _take_members(message, explicit(0))
        revocation_lists = _take_members(message, explicit(1))
        signers = message.take(SET)
        message.end()
        if any(c[0] not in {SEQUENCE, ATTRIBUTE_CERTIFICATE} for c in certificates):
            raise UncoveredError(f"{what} has a certificate of another format, which no signature covers")
        if any(r[0] != SEQUENCE for r in revocation_lists):
            raise UncoveredError(f"{what} has revocation data of another format, which no signature covers")
        return SignedData(
            digest_algorithms=digest_algorithms,
            content_type=content_type,
            content=None if content is None else contents_octets(content),
            certificates=tuple(c for c in certificates if c[0] == SEQUENCE),
            signers=tuple(read_signer_info(encoding) for encoding in members(signers, SET)),
            revocation_lists=revocation_lists,
            attribute_certificates=tuple(c for c in certificates if c[0] == ATTRIBUTE_CERTIFICATE),
        )


def _take_members(fields: Fields, identifier: int) -> tuple[bytes, ...]:
    encoding = fields.take_optional(identifier)
    return () if encoding is None else members(encoding, identifier)


def read_signer_info(encoding: bytes) -> SignerInfo:
    """Decode a SignerInfo; to be used within `asn1.reading`."""
    fields = Fields(encoding)
    _take_version(fields, _SIGNER_VERSIONS)
    identifier = fields.take(SEQUENCE, implicit(0))
    issuer = serial_number = key_identifier = None
    if identifier[0] == SEQUENCE:
        name = Fields(identifier)
        issuer, serial_number = name.take(SEQUENCE), read_integer(name.take())
        name.end()
    else:
        key_identifier = contents_octets(identifier)
    digest_algorithm = Algorithm.read(fields.take())
    signed = fields.take_optional(explicit(0))
    signature_algorithm = Algorithm.read(fields.take())
    signature = read_octet_string(fields.take())
    unsigned = fields.take_optional(explicit(1))
    fields.end()
    return SignerInfo(
        issuer=issuer,
        serial_number=serial_number,
        key_identifier=key_identifier,
        digest_algorithm=digest_algorithm,
        signed_attributes=() if signed is None else _read_attributes(signed, explicit(0)),
        signed_bytes=None if signed is None else wrapped(SET, contents_octets(signed)),
        signature_algorithm=signature_algorithm,
        signature=signature,
        unsigned_attributes=() if unsigned is None else _read_attributes(unsigned, explicit(1)),
    )


def _take_version(fields: Fields, known: tuple[int, ...]) -> None:
    version = read_integer(fields.take(INTEGER))
    if version not in known:
        raise ValueError(f"version {version}")


def _read_attributes(encoding: bytes, identifier: int) -> tuple[Attribute, ...]:
    attributes = []
    for member in members(encoding, identifier):
        fields = Fields(member)
        attributes.append(Attribute(read_object_identifier(fields.take()), members(fields.take(), SET)))
        fields.end()
    return tuple(attributes)
