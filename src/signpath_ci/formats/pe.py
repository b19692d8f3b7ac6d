"""The Portable Executable image, as far as signatures need it: where they are, what they cover, how one is put in.

Sources: Microsoft, "PE Format" (optional header, attribute certificate table) and "Windows Authenticode Portable
Executable Signature Format", 2008 ("Calculating the PE Image Hash"). Everything streams: a file of any size needs
about 1 MiB of memory.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO

from signpath_ci.formats import FormatError, UncoveredError, UnsupportedError
from signpath_ci.formats.authenticode import PE_IMAGE, Subject, whole
from signpath_ci.values import dataclass

SUBJECT_TYPE = PE_IMAGE
_CHUNK = 1 << 18  # those of two files fit into a cache
_ALIGNMENT = 8
_SECURITY_DIRECTORY = 4  # its index among the data directories
_DATA_DIRECTORIES = {0x10B: 96, 0x20B: 112}  # where they start in the optional header: PE32, PE32+
_SECTION_HEADER_SIZE = 40
_WIN_CERTIFICATE = struct.Struct("<IHH")  # dwLength, wRevision, wCertificateType
_REVISION_2_0 = 0x0200
_TYPE_PKCS_SIGNED_DATA = 0x0002
_MAX_TABLE_SIZE = 1 << 24  # page hashes of a 1 GiB image take 6 MiB; beyond that nobody signs
_MAX_SIGNATURES = 8
_CHECKSUM_MODULUS = 0xFFFF


@dataclass(frozen=True, kw_only=True)
class Image:
    """Where things are in a PE file; offsets and sizes in bytes.

    Attributes:
        checksum_offset: of the 4-byte CheckSum field.
        directory_offset: of the 8-byte security directory, which points to the certificate table.
        content_end: where the content ends and the certificate table, if any, starts.
        table_size: of the certificate table; 0: there is none.
    """

    checksum_offset: int
    directory_offset: int
    content_end: int
    table_size: int


def read_subject(file: BinaryIO) -> Subject:
    """Read a PE file as what an Authenticode signature is for.

    Raises:
        FormatError: as `read_image` and `read_signatures`.
    """
    image = read_image(file)
    return Subject(
        type=SUBJECT_TYPE, signatures=read_signatures(file, image), parts=lambda: whole(_hashed(file, image))
    )


def read_image(file: BinaryIO) -> Image:
    """Read the headers of a PE file.

    Raises:
        FormatError: it is not a PE file, is cut off, or its certificate table is where none can be.
        UnsupportedError: it has no room for a signature.
    """
    file_size = file.seek(0, 2)
    dos_header = _read(file, 0, 64, "the DOS header")
    pe_offset = int.from_bytes(dos_header[60:64], "little")
    headers = _read(file, pe_offset, 24, "the PE header")
    if not dos_header.startswith(b"MZ") or not headers.startswith(b"PE\0\0"):
        raise FormatError("it is not a PE file")
    section_count, optional_size = struct.unpack_from("<6xH12xH", headers, 0)
    optional_offset = pe_offset + 24
    optional = _read(file, optional_offset, optional_size, "the optional header")
    magic = int.from_bytes(optional[:2], "little")
    if magic not in _DATA_DIRECTORIES:
        raise UnsupportedError(f"its optional header is neither PE32 nor PE32+ (magic 0x{magic:x})")
    directories = _DATA_DIRECTORIES[magic]
    directory = directories + _SECURITY_DIRECTORY * 8
    directory_count = int.from_bytes(optional[directories - 4 : directories], "little")
    if directory_count <= _SECURITY_DIRECTORY or len(optional) < directory + 8:
        raise UnsupportedError("its headers have no security directory, so it can't carry a signature")
    table_offset, table_size = struct.unpack_from("<II", optional, directory)
    (headers_size,) = struct.unpack_from("<I", optional, 60)
    sections = _read(file, optional_offset + optional_size, section_count * _SECTION_HEADER_SIZE, "the section table")
    content_end = table_offset if table_size else file_size
    last_byte = max(
        optional_offset + optional_size + len(sections),
        headers_size,
        *(sum(s) for s in struct.iter_unpack("<16xII16x", sections) if s[0]),
    )
    if last_byte > content_end:
        raise FormatError(
            "its certificate table overlaps the image" if table_size else "it is cut off: sections end after the file"
        )
    if table_size:
        _check_table(table_offset, table_size, file_size)
    elif table_offset:
        raise FormatError("its security directory gives a certificate table without a size")
    return Image(
        checksum_offset=optional_offset + 64,
        directory_offset=optional_offset + directory,
        content_end=content_end,
        table_size=table_size,
    )


def _check_table(offset: int, size: int, file_size: int) -> None:
    if offset % _ALIGNMENT:
        raise FormatError("its certificate table is not aligned to 8 bytes")
    if offset + size > file_size:
        raise FormatError("it is cut off: the certificate table ends after the file")
    if offset + size < file_size:
        # The Authenticode hash of such data differs between implementations, and Windows refuses the file.
        raise UncoveredError("there is data after its certificate table, which no signature covers")
    if not _WIN_CERTIFICATE.size <= size <= _MAX_TABLE_SIZE:
        raise FormatError(f"its certificate table has an impossible size ({size} bytes)")


def read_signatures(file: BinaryIO, image: Image) -> tuple[bytes, ...]:
    """Return the signatures of a PE file: DER-encoded CMS messages with up to 7 bytes of padding.

    Most files have one entry in their certificate table; sbsign adds another one for each signature.

    Raises:
        UncoveredError: there is something else in the table.
        FormatError: the table is damaged.
        UnsupportedError: it holds an entry that is not a CMS message, or too many.
    """
    if not image.table_size:
        return ()
    table = _read(file, image.content_end, image.table_size, "the certificate table")
    found: list[bytes] = []
    offset = 0
    while offset < len(table):
        if len(table) - offset < _WIN_CERTIFICATE.size:
            raise UncoveredError("its certificate table is padded by more than its entries need")
        length, revision, kind = _WIN_CERTIFICATE.unpack_from(table, offset)
        if not _WIN_CERTIFICATE.size < length <= len(table) - offset:
            raise FormatError(f"an entry of its certificate table has an impossible length ({length} bytes)")
        if (revision, kind) != (_REVISION_2_0, _TYPE_PKCS_SIGNED_DATA):
            raise UnsupportedError(f"its certificate table holds another kind of entry (0x{revision:x}, 0x{kind:x})")
        if len(found) == _MAX_SIGNATURES:
            raise UnsupportedError(f"its certificate table has more than {_MAX_SIGNATURES} entries")
        start, end = offset + _WIN_CERTIFICATE.size, offset + length
        offset = end + -end % _ALIGNMENT
        found.append(table[start:offset])
        if any(table[end:offset]):
            raise UncoveredError("its certificate table is padded with data other than zeros")
    return tuple(found)


def content_digest(file: BinaryIO, image: Image, algorithm: str) -> bytes:
    """Compute the Authenticode hash of a PE file.

    An unsigned file is hashed as if padded with zeros to 8 bytes, as it will be when it is signed: so the hash is the
    same before and after.

    Args:
        file: open for reading, seekable.
        image: what `read_image` returned for it.
        algorithm: a name that `hashlib.new` knows, e.g. `sha256`.

    Raises:
        FormatError: the file became shorter while it was read.
    """
    digest = hashlib.new(algorithm)
    for data in _hashed(file, image):
        digest.update(data)
    return digest.digest()


def _hashed(file: BinaryIO, image: Image) -> Iterator[bytes]:
    return (data for _, data, is_hashed in _pieces(file, image) if is_hashed)


def write_signed(source: BinaryIO, target: BinaryIO, *, algorithm: str, sign: Callable[[bytes], bytes]) -> None:
    """Copy a PE file with a new signature in the place of any that it has, in one pass.

    Args:
        source: the file to sign.
        target: an empty file, open for writing, seekable.
        algorithm: a name that `hashlib.new` knows.
        sign: gets the Authenticode hash, returns the DER-encoded CMS message.

    Raises:
        FormatError: as `read_image`; the file became shorter while it was read, or is too big for a signature (the
            certificate table's offset has 32 bits).
    """
    image = read_image(source)
    digest = hashlib.new(algorithm)
    checksum = 0
    content_size = 0
    for offset, data, is_hashed in _pieces(source, image):
        if is_hashed:
            digest.update(data)
            checksum = _add_to_checksum(checksum, offset, data)
        target.write(data)
        content_size = offset + len(data)
    message = sign(digest.digest())
    message += bytes(-len(message) % _ALIGNMENT)
    table = _WIN_CERTIFICATE.pack(_WIN_CERTIFICATE.size + len(message), _REVISION_2_0, _TYPE_PKCS_SIGNED_DATA) + message
    if content_size + len(table) >= 1 << 32:
        raise FormatError("it is too big to be signed: a PE file's signature must lie within its first 4 GiB")
    target.write(table)
    directory = struct.pack("<II", content_size, len(table))
    checksum = _add_to_checksum(checksum, content_size, table)
    checksum = _add_to_checksum(checksum, image.directory_offset, directory)
    target.seek(image.directory_offset)
    target.write(directory)
    target.seek(image.checksum_offset)
    # The image's checksum: its 16-bit words, added with end-around carry (so never 0 again once something was
    # added), plus the file's length; as imagehlp's CheckSumMappedFile computes it.
    target.write(struct.pack("<I", (checksum or _CHECKSUM_MODULUS) + content_size + len(table) & 0xFFFFFFFF))


def _add_to_checksum(checksum: int, offset: int, data: bytes) -> int:
    # Adding 16-bit words with end-around carry is arithmetic modulo 0xFFFF, where 256 * 256 is 1: so a whole chunk can
    # be taken as one little-endian number, and one at an odd offset as the same times 256.
    return (checksum + (int.from_bytes(data, "little") << 8 * (offset % 2))) % _CHECKSUM_MODULUS


def _pieces(file: BinaryIO, image: Image) -> Iterator[tuple[int, bytes, bool]]:
    """Yield the content in order, with its padding: offset, data, and whether that is hashed.

    Neither checksum nor security directory are.
    """
    after_checksum = image.checksum_offset + 4
    after_directory = image.directory_offset + 8
    file.seek(0)
    for start, end, is_hashed in (
        (0, image.checksum_offset, True),
        (image.checksum_offset, after_checksum, False),
        (after_checksum, image.directory_offset, True),
        (image.directory_offset, after_directory, False),
        (after_directory, image.content_end, True),
    ):
        offset = start
        while offset < end:
            data = file.read(min(_CHUNK, end - offset))
            if not data:
                raise FormatError("it became shorter while it was read")
            yield offset, data, is_hashed
            offset += len(data)
    yield image.content_end, bytes(-image.content_end % _ALIGNMENT), True


def _read(file: BinaryIO, offset: int, size: int, what: str) -> bytes:
    file.seek(offset)
    data = file.read(size)
    if len(data) < size:
        raise FormatError(f"it is cut off: {what} ends after the file")
    return data
