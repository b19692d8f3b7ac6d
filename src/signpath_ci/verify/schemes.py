"""How each signature scheme of the registry is verified; its module is imported only when the first file needs it."""

from __future__ import annotations

from typing import BinaryIO

from signpath_ci.errors import UnsupportedFormatError, VerificationError
from signpath_ci.formats import FormatError
from signpath_ci.formats.registry import FORMATS, Kind, implementation
from signpath_ci.formats.xml_signature import may_be_signed
from signpath_ci.formats.zip import Archive
from signpath_ci.verify import require_xml_extra
from signpath_ci.verify.failure import about
from signpath_ci.verify.identity import not_submitted
from signpath_ci.verify.judge import Judge, Signature


def verify_signatures(kind: Kind, file: BinaryIO, *, unsigned: BinaryIO | None, judge: Judge) -> tuple[Signature, ...]:
    """Check all signatures of a file that is no ZIP archive.

    Args:
        kind: its format.
        file: the signed file; seekable.
        unsigned: the file that was submitted, or what a detached signature is for; `None`: there is none.
        judge: what is required of the signatures.

    Raises:
        VerificationError: it is not signed, a check failed, or the content is not that of `unsigned`.
        UnsupportedFormatError: the format is recognised, but not verified.
        FormatError: the file is damaged, or signed in a way that is not supported.
    """
    if FORMATS[kind].scheme == "authenticode":
        from signpath_ci.verify.authenticode import verify_authenticode

        read = implementation(kind).read_subject
        subject = read(file)
        submitted = None
        if unsigned is not None:
            try:
                submitted = read(unsigned)
            except FormatError as error:
                raise not_submitted(error) from error
        return verify_authenticode(subject, unsigned=submitted, judge=judge, format_name=kind)
    if FORMATS[kind].scheme == "catalog":
        from signpath_ci.verify.catalog import verify_catalog

        return verify_catalog(file, unsigned, judge)
    if FORMATS[kind].scheme == "cms":
        from signpath_ci.verify.detached import verify_cms

        return (verify_cms(file, unsigned, judge),)
    if FORMATS[kind].scheme == "xml":
        if not may_be_signed(file):
            raise VerificationError("the file is not signed.", code="not-signed")
        require_xml_extra()
        from signpath_ci.verify.xml_document import verify_xml

        return (verify_xml(file, unsigned, judge),)
    raise not_verifiable(kind)


def verify_package(
    kind: Kind,
    signed: tuple[BinaryIO, Archive],
    submitted: tuple[BinaryIO, Archive] | None,
    judge: Judge,
) -> tuple[Signature, ...]:
    """Check all signatures of a ZIP archive that is signed as a whole.

    Args:
        kind: its format.
        signed: the archive, and the same opened.
        submitted: the archive that was submitted, likewise; `None`: content is not compared.
        judge: what is required of the signatures.

    Raises:
        VerificationError: it is not signed, a check failed, or the content is not that of `submitted`.
        UnsupportedFormatError: the format is recognised, but not verified.
        FormatError: the file is damaged, or signed in a way that is not supported.
    """
    if FORMATS[kind].scheme == "jar":
        from signpath_ci.verify.jar import verify_jar

        return tuple(verify_jar(signed[1], submitted=submitted and submitted[1], judge=judge))
    if FORMATS[kind].scheme == "nuget":
        from signpath_ci.formats.nuget import SIGNATURE
        from signpath_ci.formats.package import Package
        from signpath_ci.verify.nuget import verify_nuget

        original = None
        if submitted is not None:
            with about("the submitted package"):
                original = Package(*submitted, SIGNATURE)
        return verify_nuget(Package(*signed, SIGNATURE), original, judge)
    if FORMATS[kind].scheme == "msix":
        from signpath_ci.verify.msix import verify_msix

        return verify_msix(signed, submitted, judge)
    if FORMATS[kind].scheme == "opc":
        require_xml_extra()
        from signpath_ci.verify.opc import verify_opc

        return verify_opc(signed, submitted, judge, format_name=kind)
    raise not_verifiable(kind)


def not_verifiable(kind: Kind) -> UnsupportedFormatError:
    """Return the error for a file of a format that is recognised, but not verified."""
    known = FORMATS[kind]
    return UnsupportedFormatError(
        f"it is of the format {kind} ({known.title}), whose signatures are not verified here.",
        code="not-verifiable",
        hint=f"Verify it with {known.instead}; name exceptions with --allow-unsupported.",
    )
