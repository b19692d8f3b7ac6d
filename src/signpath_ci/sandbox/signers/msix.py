"""Signatures of MSIX and APPX packages and bundles."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import BinaryIO, cast

from signpath_ci.formats import FormatError
from signpath_ci.formats.content_types import NAME as CONTENT_TYPES
from signpath_ci.formats.msix import (
    SIGNATURE,
    block_map,
    publisher,
    read,
    read_package,
    signature_entry,
    subject_type,
    with_signature_type,
)
from signpath_ci.formats.package import append_entry
from signpath_ci.formats.zip import DEFLATED, Archive, ArchiveWriter, open_archive
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers.authenticode import message_maker
from signpath_ci.sandbox.signers.errors import CannotSignError


def sign(source: BinaryIO, target: BinaryIO, *, signer: Signer, timestamp: Callable[[bytes], bytes]) -> None:
    """Write a copy of a package with one signature, whatever signature it had before.

    Args:
        source: the package, seekable.
        target: an empty file.
        signer: whose signature it gets; the publisher in the manifest must be the subject of its certificate.
        timestamp: returns an RFC 3161 token for a signature's value.

    Raises:
        CannotSignError: the package is damaged, or has another publisher.
    """
    try:
        with open_archive(source) as archive, tempfile.TemporaryFile() as scratch:
            _check_publisher(archive, signer)
            algorithm = block_map(archive).algorithm
            plain = cast("BinaryIO", scratch)
            _write_unsigned(archive, plain)
            with open_archive(plain) as unsigned:
                subject = read_package(plain, unsigned)
                make = message_maker(subject_type(unsigned), signer=signer, timestamp=timestamp, algorithm=algorithm)
                entry = signature_entry(make(subject.digest(algorithm)))
                append_entry(target, subject.package, SIGNATURE, entry, method=DEFLATED)
    except FormatError as error:
        raise CannotSignError(f"The package can not be signed: {error}.") from error


def _check_publisher(archive: Archive, signer: Signer) -> None:
    expected = publisher(archive)
    subject = signer.certificate.subject
    if expected != tuple((a.oid.dotted_string, a.value) for rdn in reversed(subject.rdns) for a in rdn):
        raise CannotSignError(
            "The package can not be signed: the publisher in its manifest is not the subject of the certificate,"
            f" {subject.rfc4514_string()}."
        )


def _write_unsigned(archive: Archive, target: BinaryIO) -> None:
    """Copy a package without its signature, and name the one that it gets."""
    types = read(archive, CONTENT_TYPES)
    named = with_signature_type(types)
    copy = ArchiveWriter(target)
    for entry in archive.entries:
        if entry.name == CONTENT_TYPES and named != types:
            copy.add(CONTENT_TYPES, [named], size=len(named), like=entry)
        elif entry.name != SIGNATURE:
            copy.copy(archive, entry)
    copy.finish(archive.comment)
