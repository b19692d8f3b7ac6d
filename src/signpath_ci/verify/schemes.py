"""How each signature scheme of the registry is verified; its module is imported only when the first file needs it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import BinaryIO

from signpath_ci.errors import UnsupportedFormatError, VerificationError
from signpath_ci.formats import FormatError, UncoveredError
from signpath_ci.formats.registry import FORMATS, Kind, implementation
from signpath_ci.formats.xml_signature import may_be_signed
from signpath_ci.formats.zip import Archive, open_archive
from signpath_ci.verify import require_xml_extra
from signpath_ci.verify.failure import about
from signpath_ci.verify.identity import not_submitted
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements


def verify_signatures(
    kind: Kind, file: BinaryIO, *, unsigned: BinaryIO | None, requirements: SignerRequirements, is_walked: bool = False
) -> tuple[Signature, ...]:
    """Check all signatures of a file itself; those of files in it are not looked at.

    Args:
        kind: its format.
        file: the signed file; seekable.
        unsigned: the file that was submitted, or what a detached signature is for; `None`: there is none.
        requirements: what is required of the signatures.
        is_walked: whether the caller compares the files in it one by one with those that were submitted. They may be
            signed too then, so that the whole is not what was submitted.

    Raises:
        VerificationError: it is not signed, a check failed, or the content is not that of `unsigned`.
        UnsupportedFormatError: the format is recognised, but not verified.
        FormatError: the file is damaged, or signed in a way that is not supported.
    """
    scheme = FORMATS[kind].scheme
    if scheme == "authenticode":
        return _verify_authenticode(kind, file, unsigned, requirements, is_walked=is_walked)
    if scheme == "catalog":
        from signpath_ci.verify.catalog import verify_catalog

        return verify_catalog(file, unsigned, requirements)
    if scheme == "cms":
        from signpath_ci.verify.detached import verify_cms

        return (verify_cms(file, unsigned, requirements),)
    if FORMATS[kind].scheme == "xml":
        if not may_be_signed(file):
            raise VerificationError("the file is not signed.", code="not-signed")
        require_xml_extra()
        from signpath_ci.verify.xml_document import verify_xml

        return (verify_xml(file, unsigned, requirements),)
    if scheme is not None and FORMATS[kind].entries:
        return _verify_package(kind, file, unsigned, requirements, is_walked=is_walked)
    raise not_verifiable(kind)


def is_signature_entry(kind: Kind, path: str) -> bool:
    """Tell whether an entry of a package belongs to the package's own signature, which changes or adds it."""
    if kind == "jar":
        from signpath_ci.formats.jar import MANIFEST, is_signature_related

        return is_signature_related(path) or path.upper() in {MANIFEST, "META-INF/"}
    if kind == "nuget":
        from signpath_ci.formats.nuget import SIGNATURE

        return path == SIGNATURE
    if FORMATS[kind].scheme == "opc":
        from signpath_ci.formats.content_types import NAME as CONTENT_TYPES
        from signpath_ci.formats.opc import ROOT_RELATIONSHIPS, is_signature_related

        return is_signature_related(path) or path in {CONTENT_TYPES, ROOT_RELATIONSHIPS}
    return kind == "msix" and path in {"AppxSignature.p7x", "AppxBlockMap.xml", "[Content_Types].xml"}


def _verify_authenticode(
    kind: Kind, file: BinaryIO, unsigned: BinaryIO | None, requirements: SignerRequirements, *, is_walked: bool
) -> tuple[Signature, ...]:
    from signpath_ci.verify.authenticode import verify_authenticode

    read = implementation(kind).read_subject
    subject = read(file)
    submitted = None
    if unsigned is not None and not (is_walked and kind == "cab"):  # a cabinet holds nothing but its files
        try:
            submitted = read(unsigned)
        except FormatError as error:
            raise not_submitted(error) from error
    return verify_authenticode(subject, unsigned=submitted, requirements=requirements, format_name=kind)


def _verify_package(
    kind: Kind, file: BinaryIO, unsigned: BinaryIO | None, requirements: SignerRequirements, *, is_walked: bool
) -> tuple[Signature, ...]:
    """Check all signatures of a ZIP archive that is signed as a whole."""
    with ExitStack() as stack:
        archive = stack.enter_context(open_archive(file))
        original = None
        if unsigned is not None:
            with about("the submitted file"):
                original = stack.enter_context(open_archive(unsigned))
        before = None if unsigned is None or original is None else (unsigned, original)
        if FORMATS[kind].scheme == "jar":
            from signpath_ci.verify.jar import verify_jar

            signatures = verify_jar(archive, submitted=original, requirements=requirements, is_walked=is_walked)
            _check_beside(archive, original)
            return signatures
        if FORMATS[kind].scheme == "nuget":
            from signpath_ci.formats.nuget import SIGNATURE
            from signpath_ci.formats.package import Package
            from signpath_ci.verify.nuget import verify_nuget

            submitted = None
            if before is not None and not is_walked:
                with about("the submitted file"):
                    submitted = Package(*before, SIGNATURE)
            return verify_nuget(Package(file, archive, SIGNATURE), submitted, requirements)
        if FORMATS[kind].scheme == "msix":
            from signpath_ci.verify.msix import verify_msix

            return verify_msix((file, archive), before, requirements)
        if FORMATS[kind].scheme == "opc":
            from signpath_ci.formats.opc import signature_parts

            if signature_parts(archive) is None:
                raise VerificationError("the file is not signed.", code="not-signed")
            require_xml_extra()
            from signpath_ci.verify.opc import verify_opc

            signatures = verify_opc((file, archive), before, requirements, format_name=kind)
            _check_beside(archive, original)
            return signatures
    raise not_verifiable(kind)


def _check_beside(archive: Archive, submitted: Archive | None) -> None:
    """Refuse data beside the entries that was not submitted: what signs the entries does not cover it."""
    if archive.beside() - (submitted.beside() if submitted is not None else frozenset()):
        raise UncoveredError("it has data in comments or extra fields, which no signature covers")


def not_verifiable(kind: Kind) -> UnsupportedFormatError:
    """Return the error for a file of a format that is recognised, but not verified."""
    known = FORMATS[kind]
    return UnsupportedFormatError(
        f"it is of the format {kind} ({known.title}), whose signatures are not verified here.",
        code="not-verifiable",
        hint=f"Verify it with {known.instead}; or let it through with --allow-unsupported.",
    )
