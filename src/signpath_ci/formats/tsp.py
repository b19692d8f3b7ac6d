"""The Time-Stamp Protocol (RFC 3161): requests, responses and what a token says; read and written."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from signpath_ci.formats.asn1 import (
    BOOLEAN,
    GENERALIZED_TIME,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    Fields,
    bit_string,
    contents_octets,
    explicit,
    integer,
    members,
    object_identifier,
    octet_string,
    read_integer,
    read_object_identifier,
    read_octet_string,
    reading,
    sequence,
    wrapped,
)
from signpath_ci.formats.cms import Algorithm
from signpath_ci.values import dataclass

TST_INFO = "1.2.840.113549.1.9.16.1.4"
"""id-ct-TSTInfo: the content type of a token."""
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
"""id-aa-signingCertificate (RFC 2634 section 5.4): the signer's certificate by its SHA-1."""
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
"""id-aa-signingCertificateV2 (RFC 5035 section 3): the same with any digest."""
TIMESTAMP = "1.2.840.113549.1.9.16.2.14"
"""id-aa-timeStampToken (RFC 3161 appendix A): unsigned attribute that holds a token."""
TIMESTAMP_MICROSOFT = "1.3.6.1.4.1.311.3.3.1"
"""The same in Authenticode signatures, under Microsoft's own identifier."""

BAD_ALGORITHM = 0
"""Bit of PKIFailureInfo: the digest algorithm is not accepted."""
BAD_DATA_FORMAT = 5
"""Bit of PKIFailureInfo: the request can't be read."""
UNACCEPTED_POLICY = 15
"""Bit of PKIFailureInfo: the requested policy is not supported."""

_GRANTED = 0
_REJECTION = 2

# RFC 3161 section 2.4.2: always UTC with seconds; a fraction without trailing zeros.
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


@dataclass(frozen=True)
class Imprint:
    """The digest of what is timestamped, and its algorithm."""

    algorithm: Algorithm
    digest: bytes

    @classmethod
    def read(cls, encoding: bytes) -> Imprint:
        """Decode; to be used within `asn1.reading`."""
        fields = Fields(encoding)
        imprint = cls(Algorithm.read(fields.take()), read_octet_string(fields.take()))
        fields.end()
        return imprint

    def encode(self) -> bytes:
        """Encode as DER."""
        return sequence(self.algorithm.encode(), octet_string(self.digest))


@dataclass(frozen=True, kw_only=True)
class TimestampRequest:
    """TimeStampReq (RFC 3161 section 2.4.1)."""

    imprint: Imprint
    policy: str | None
    nonce: int | None
    certificate_wanted: bool


@dataclass(frozen=True, kw_only=True)
class TimestampInfo:
    """TSTInfo (RFC 3161 section 2.4.2), without accuracy; `time` is in UTC."""

    policy: str
    imprint: Imprint
    serial_number: int
    time: datetime
    nonce: int | None = None


def read_request(data: bytes) -> TimestampRequest:
    """Read a DER-encoded TimeStampReq.

    Raises:
        FormatError: it is none.
    """
    with reading("the timestamp request"):
        fields = Fields(data)
        fields.take(INTEGER)
        imprint = Imprint.read(fields.take())
        policy = fields.take_optional(OBJECT_IDENTIFIER)
        nonce = fields.take_optional(INTEGER)
        certificate_wanted = fields.take_optional(BOOLEAN)
        fields.take_optional(explicit(0))  # extensions
        fields.end()
        return TimestampRequest(
            imprint=imprint,
            policy=None if policy is None else read_object_identifier(policy),
            nonce=None if nonce is None else read_integer(nonce),
            certificate_wanted=certificate_wanted is not None and any(contents_octets(certificate_wanted)),
        )


def write_response(token: bytes) -> bytes:
    """Encode a TimeStampResp that grants `token` (DER)."""
    return sequence(sequence(integer(_GRANTED)), token)


def write_rejection(failure: int) -> bytes:
    """Encode a TimeStampResp that refuses, with one bit of PKIFailureInfo set (RFC 3161 section 2.4.2)."""
    return sequence(sequence(integer(_REJECTION), bit_string(failure)))


def read_info(data: bytes) -> TimestampInfo:
    """Read a DER-encoded TSTInfo.

    Raises:
        FormatError: it is none, or its time is not as RFC 3161 requires.
    """
    with reading("the timestamp's TSTInfo"):
        fields = Fields(data)
        fields.take(INTEGER)
        policy = read_object_identifier(fields.take())
        imprint = Imprint.read(fields.take())
        serial_number = read_integer(fields.take())
        time = _read_time(contents_octets(fields.take(GENERALIZED_TIME)).decode("ascii"))
        fields.take_optional(SEQUENCE)  # accuracy
        fields.take_optional(BOOLEAN)  # ordering
        nonce = fields.take_optional(INTEGER)
        return TimestampInfo(
            policy=policy,
            imprint=imprint,
            serial_number=serial_number,
            time=time,
            nonce=None if nonce is None else read_integer(nonce),
        )


def write_info(info: TimestampInfo) -> bytes:
    """Encode as DER, to the second."""
    time = info.time.astimezone(timezone.utc).strftime("%Y%m%d%H%M%SZ")
    return sequence(
        integer(1),
        object_identifier(info.policy),
        info.imprint.encode(),
        integer(info.serial_number),
        wrapped(GENERALIZED_TIME, time.encode("ascii")),
        None if info.nonce is None else integer(info.nonce),
    )


def read_signing_certificate(data: bytes) -> Imprint:
    """Return the SHA-1 of the signer's certificate from a SigningCertificate attribute's value.

    Raises:
        FormatError: it is none.
    """
    with reading("the signing certificate attribute"):
        return Imprint(Algorithm.digest("sha1"), read_octet_string(_first_certificate_id(data).take()))


def read_signing_certificate_v2(data: bytes) -> Imprint:
    """Return the digest of the signer's certificate from a SigningCertificateV2 attribute's value.

    Raises:
        FormatError: it is none.
    """
    with reading("the signing certificate attribute"):
        fields = _first_certificate_id(data)
        algorithm = fields.take_optional(SEQUENCE)
        # RFC 5035 section 4: SHA-256 is the default.
        read = Algorithm.digest("sha256") if algorithm is None else Algorithm.read(algorithm)
        return Imprint(read, read_octet_string(fields.take(OCTET_STRING)))


def write_signing_certificate_v2(digest: bytes) -> bytes:
    """Encode a SigningCertificateV2 attribute's value with the SHA-256 of the signer's certificate."""
    return sequence(sequence(sequence(octet_string(digest))))


def _first_certificate_id(data: bytes) -> Fields:
    # Both versions: SEQUENCE { certs SEQUENCE OF ESSCertID, policies OPTIONAL }; the first one is the signer's.
    return Fields(members(members(data, SEQUENCE)[0], SEQUENCE)[0])


def _read_time(text: str) -> datetime:
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError("not a time of RFC 3161")
    *parts, fraction = match.groups()
    year, month, day, hour, minute, second = map(int, parts)
    return datetime(
        year, month, day, hour, minute, second, int((fraction or "").ljust(6, "0")[:6]), tzinfo=timezone.utc
    )
