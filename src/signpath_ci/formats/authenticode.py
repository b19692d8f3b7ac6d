"""What an Authenticode signature says about a file: SpcIndirectDataContent; and what it needs to know of the file.

Source: Microsoft, "Windows Authenticode Portable Executable Signature Format", 2008; for other files than PE the same
with another `SubjectType`, as Windows' subject interface packages write it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from signpath_ci.formats import UncoveredError, UnsupportedError
from signpath_ci.formats.asn1 import (
    OCTET_STRING,
    Fields,
    first_value_size,
    integer,
    object_identifier,
    octet_string,
    read_object_identifier,
    read_octet_string,
    reading,
    sequence,
)
from signpath_ci.formats.cms import Algorithm
from signpath_ci.values import dataclass

INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
"""SPC_INDIRECT_DATA_OBJID: the content type of every Authenticode signature."""
OPUS_INFO = "1.3.6.1.4.1.311.2.1.12"
"""SPC_SP_OPUS_INFO_OBJID: a mandatory signed attribute; may be empty."""
STATEMENT_TYPE = "1.3.6.1.4.1.311.2.1.11"
"""SPC_STATEMENT_TYPE_OBJID: an optional signed attribute."""
INDIVIDUAL_CODE_SIGNING = "1.3.6.1.4.1.311.2.1.21"
NESTED_SIGNATURE = "1.3.6.1.4.1.311.2.4.1"
"""SPC_NESTED_SIGNATURE: unsigned attribute with further signatures of the same file ("dual signing")."""

_OF_PESIGN = INDIVIDUAL_CODE_SIGNING
"""What pesign gives as the kind of a PE image, as in Debian's fwupd."""
_SIP_INFO = "1.3.6.1.4.1.311.2.1.30"
_MAX_PADDING = 7
# SpcLink [2] with SpcString [0] "<<<Obsolete>>>", as the document requires it for the file that PE images refer to.
_OBSOLETE_LINK = bytes.fromhex("a21e 801c") + "<<<Obsolete>>>".encode("utf-16-be")


@dataclass(frozen=True)
class SubjectType:
    """The kind of file that a signature says it is for: an identifier, and a value in DER.

    `package` is the GUID of the subject interface package where the identifier is SPC_SIPINFO_OBJID.
    """

    oid: str
    value: bytes
    package: bytes | None = None


def sip_info(version: int, package: bytes) -> SubjectType:
    """Return the kind of file that a subject interface package (a GUID in Windows' byte order) signs."""
    zeros = [integer(0)] * 5
    return SubjectType(_SIP_INFO, sequence(integer(version), octet_string(package), *zeros), package)


PE_IMAGE = SubjectType("1.3.6.1.4.1.311.2.1.15", bytes.fromhex("3025 030100 a020") + _OBSOLETE_LINK)
"""SPC_PE_IMAGE_DATA_OBJID, with SpcPeImageData: no flags."""
CABINET = SubjectType("1.3.6.1.4.1.311.2.1.25", _OBSOLETE_LINK)
"""SPC_CAB_DATA_OBJID."""
INSTALLER = sip_info(1, bytes.fromhex("f1100c0000000000c000000000000046"))
"""The subject interface package of MSI files."""
SCRIPT = sip_info(65536, bytes.fromhex("1fcc3b60594b084eb724d2c6297ef351"))
"""The subject interface package of PowerShell scripts."""


@dataclass(frozen=True)
class IndirectData:
    """The Authenticode hash of a file, and how it was made."""

    algorithm: Algorithm
    digest: bytes
    subject: SubjectType = PE_IMAGE


Part = tuple[str, Iterator[bytes]]
"""A part of a file's content: its path in the file, and its bytes in pieces of any size, read before the next part."""


def _as_it_is(piece: bytes) -> bytes:
    return piece


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A way to read the bytes of a file before they are hashed.

    Attributes:
        convert: returns what is hashed of a piece.
        prefix: what is hashed in front of the first piece.
        note: what to say where the signature is of this reading and not of the first one.
    """

    convert: Callable[[bytes], bytes] = _as_it_is
    prefix: bytes = b""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A file, as far as an Authenticode signature needs it; every format has a function that reads it as one.

    Attributes:
        type: what a signature must say that it is for.
        signatures: DER of the CMS messages, perhaps padded; none: the file is not signed.
        parts: yields what must stay the same when the file is signed, in the order in which it is hashed.
        leftovers: finds data in the file that belongs to nothing in it, so that no signature covers it.
        known: returns those leftovers of another file that this one has anywhere.
        form: what else must be as in the submitted file, though it is hashed in another way, or not at all.
        readings: ways to read the parts, the usual one first; a signature may be of any of them.
        prefix: computes what is hashed in front of the parts, by the name of the algorithm; signing may change it.
    """

    type: SubjectType
    signatures: tuple[bytes, ...]
    parts: Callable[[], Iterator[Part]]
    leftovers: Callable[[], frozenset[bytes]] = frozenset
    known: Callable[[frozenset[bytes]], frozenset[bytes]] = lambda _: frozenset()
    form: bytes = b""
    readings: tuple[Reading, ...] = (Reading(),)
    prefix: Callable[[str], bytes] = lambda _: b""

    def digest(self, algorithm: str, reading: Reading | None = None) -> bytes:
        """Compute what is signed, by the name of the algorithm; of an unsigned file what would be signed.

        Args:
            algorithm: a name that `hashlib.new` knows.
            reading: one of `readings`; `None`: the first.
        """
        hashed = hashlib.new(algorithm, self.prefix(algorithm))
        chosen = reading or self.readings[0]
        hashed.update(chosen.prefix)
        for _, pieces in self.parts():
            for piece in pieces:
                hashed.update(chosen.convert(piece))
        return hashed.digest()

    def content(self, algorithm: str) -> dict[str, bytes]:
        """Compute the digests of all parts, by their paths."""
        found = {}
        reading = self.readings[0]
        for path, pieces in self.parts():
            hashed = hashlib.new(algorithm, b"" if path else reading.prefix)
            for piece in pieces:
                hashed.update(reading.convert(piece))
            found[path] = hashed.digest()
        return found


def whole(pieces: Iterator[bytes]) -> Iterator[Part]:
    """Return the parts of a file whose content is just one."""
    return iter([("", pieces)])


def without_padding(message: bytes) -> bytes:
    """Cut off the padding to 8 bytes; anything else there would be data that no signature covers (CVE-2013-3900).

    Raises:
        UncoveredError: there is more than padding.
        FormatError: there is no message.
    """
    with reading("the signature"):
        size = first_value_size(message)
    padding = message[size:]
    if len(padding) > _MAX_PADDING or any(padding):
        raise UncoveredError("there is data behind the signature, which no signature covers")
    return message[:size]


def read_indirect_data(data: bytes, subject: SubjectType = PE_IMAGE) -> IndirectData:
    """Read a DER-encoded SpcIndirectDataContent; OpenAuthenticode puts it into an OCTET STRING.

    Raises:
        FormatError: it is none.
        UnsupportedError: it speaks of another kind of file than `subject`.
    """
    with reading("the signed SpcIndirectDataContent"):
        fields = Fields(read_octet_string(data) if data[:1] == bytes([OCTET_STRING]) else data)
        kind = Fields(fields.take())
        oid = read_object_identifier(kind.take())
        value = kind.take_optional()
        kind.end()
        if (oid, subject.oid) == (_OF_PESIGN, PE_IMAGE.oid):
            oid = subject.oid
        package = None
        if subject.package is not None and oid == subject.oid:
            info = Fields(value or b"")
            info.take()
            package = read_octet_string(info.take())
        if (oid, package) != (subject.oid, subject.package):
            raise UnsupportedError(f"its signature is for another kind of file (SPC type {oid})")
        message_digest = Fields(fields.take())
        fields.end()
        indirect = IndirectData(
            Algorithm.read(message_digest.take()), read_octet_string(message_digest.take()), subject
        )
        message_digest.end()
        return indirect


def write_indirect_data(indirect: IndirectData) -> bytes:
    """Encode as DER."""
    return sequence(
        sequence(object_identifier(indirect.subject.oid), indirect.subject.value),
        sequence(indirect.algorithm.encode(), octet_string(indirect.digest)),
    )
