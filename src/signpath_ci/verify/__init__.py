"""Verification: bytes in, verdicts out, or an error that names the file and the check that failed. Always offline.

`verify_file` does it all. Below it, `schemes` knows how each signature scheme of the registry of formats is verified,
`authenticode`, `jar` and `detached` are these schemes, and `container` walks a ZIP; `judge` is what is the same
for all: whom to trust, and when. `signed_data`, `timestamp`, `certificates`, `trust` and `identity` are the single
checks. All of them need the extra `verify`, so this module imports them where they are used.
"""

from __future__ import annotations

from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from signpath_ci.clock import Clock
from signpath_ci.errors import LocalFileError, UnsupportedFormatError, UsageError, VerificationError
from signpath_ci.files import NotRegularError, open_regular
from signpath_ci.formats import FormatError
from signpath_ci.formats.registry import FORMATS, detect, package
from signpath_ci.model import STRONG_DIGESTS, Expectations, Failure, Verdict
from signpath_ci.verify.unsupported import is_allowed, is_let_through

if TYPE_CHECKING:
    from signpath_ci.formats.registry import Kind
    from signpath_ci.verify.container import Found
    from signpath_ci.verify.judge import Judge

__all__ = ["can_verify", "check_expectations", "needs_xml", "require_extra", "require_xml_extra", "verify_file"]

_NOTHING_EXPECTED = Expectations()
_SYSTEM_CLOCK = Clock()


def require_extra() -> None:
    """Demand that the libraries for verification are installed.

    Raises:
        UsageError: they are not; the hint says how to install them.
    """
    try:
        import_module("cryptography.x509.verification")
    except ImportError as error:
        raise UsageError(
            f"Verification needs libraries that are not installed ({error.name}).",
            hint="Install them: pip install 'signpath-ci[verify]'",
            code="packages-missing",
        ) from error


def require_xml_extra() -> None:
    """Require that the libraries for XML and OPC signatures are installed.

    Raises:
        UsageError: they are not; the hint says how to install them.
    """
    try:
        import_module("lxml.etree")
    except ImportError as error:
        raise UsageError(
            f"Verification of XML signatures needs libraries that are not installed ({error.name}).",
            hint="Install them: pip install 'signpath-ci[verify-xml]'",
            code="packages-missing",
        ) from error


def needs_xml(path: Path) -> bool:
    """Tell whether what comes back for an unsigned file surely needs the libraries for XML and OPC signatures.

    An XML file in an archive may come back signed or not, so it does not count.

    Raises:
        LocalFileError: it can't be read.
    """
    from signpath_ci.formats.registry import by_name
    from signpath_ci.formats.zip import open_archive

    with ExitStack() as stack:
        file = _open(path, stack)
        kinds: list[Kind | None] = [detect(file, path.name)]
        if kinds == ["zip"]:
            try:
                with open_archive(file) as archive:
                    names = [entry.name for entry in archive.entries]
            except FormatError:
                return False
            kinds = [package(names, path.name), *(kind for kind in map(by_name, names) if kind != "xml")]
    return any(kind is not None and FORMATS[kind].scheme in {"xml", "opc"} for kind in kinds)


def check_expectations(expectations: Expectations) -> None:
    """Find out early, and without the libraries, whether expectations make sense.

    Raises:
        UsageError: trust is demanded, but nobody is trusted; or a digest algorithm is allowed that proves nothing.
    """
    if expectations.strict and not (expectations.trust_roots or expectations.thumbprints):
        raise UsageError(
            "Strict verification demands a trusted signer, and nobody is trusted.",
            hint="Name a --trust-root or a --thumbprint.",
            code="no-trust-configured",
        )
    if not expectations.digest_algorithms or not expectations.digest_algorithms <= set(STRONG_DIGESTS):
        raise UsageError(
            f"Digest algorithms that can be allowed are {', '.join(STRONG_DIGESTS)}.", code="weak-digest-allowed"
        )


def can_verify(path: Path, expectations: Expectations = _NOTHING_EXPECTED) -> bool:
    """Tell whether what comes back for an unsigned file can be judged, or may stay unjudged.

    Raises:
        LocalFileError: it can't be read.
    """
    from signpath_ci.formats.zip import open_archive

    with ExitStack() as stack:
        file = _open(path, stack)
        kind = detect(file, path.name)
        is_judged = kind is not None and FORMATS[kind].scheme is not None
        if kind == "zip":
            try:
                with open_archive(file) as archive:
                    names = [entry.name for entry in archive.entries]
                    is_judged = FORMATS[package(names, path.name)].scheme is not None
            except FormatError:
                is_judged = False
    # Whatever bytes it has, a certificate is only given for a raw signature of it.
    is_raw = expectations.signer_certificate is not None
    return is_judged or is_raw or is_allowed(path.as_posix(), expectations.allow_unsupported)


def verify_file(
    path: Path,
    *,
    unsigned: Path | None = None,
    expectations: Expectations = _NOTHING_EXPECTED,
    clock: Clock = _SYSTEM_CLOCK,
    shown_as: Path | None = None,
) -> tuple[Verdict, ...]:
    """Check that a file is signed, intact, as expected, and what was submitted.

    Integrity is always checked: the signature is valid for these bytes, the signer's chain holds together as far as it
    has certificates, the time stamp covers the signature. Trust is checked where roots or thumbprints are expected.

    Args:
        path: the signed file.
        unsigned: the file that was submitted; `None`: content identity is not checked. What a detached or raw signature
            is for.
        expectations: what every signature must fulfil beyond being intact.
        clock: says when a signature without a time stamp must be valid: now.
        shown_as: what verdicts and errors call the file, where `path` is only a temporary name.

    Returns:
        One verdict a signature, in a container one a signature of a member; none at all only where
        `Expectations.allow_unsupported` lets the whole file through.

    Raises:
        VerificationError: a check failed; the message names file and check, and `verdicts` tells of all files in it.
        UnsupportedFormatError: the file is of a kind, or is signed in a way, that can't be judged.
        LocalFileError: a file can't be read.
        UsageError: a trust root holds no certificate, or the extra is not installed.
    """
    require_extra()
    from signpath_ci.verify.failure import Failed, rejection
    from signpath_ci.verify.identity import check_detached_name, check_kind
    from signpath_ci.verify.judge import Judge
    from signpath_ci.verify.trust import Trust

    check_expectations(expectations)
    name = shown_as or path
    judge = Judge(trust=Trust.load(expectations), now=clock.now())
    with ExitStack() as stack:
        file = _open(path, stack)
        submitted = None if unsigned is None else _open(unsigned, stack)
        kind: Kind | Literal["raw"] | None = None
        try:
            kind = "raw" if judge.trust.signer_certificates else detect(file, name.name)
            if submitted is not None and unsigned is not None:
                if kind in {"raw", "cms"}:
                    check_detached_name(name, unsigned)
                else:
                    check_kind(detect(submitted, unsigned.name), now=kind)
            found = _judge(file, kind, submitted, judge, expectations=expectations, name=name.name)
        except OSError as error:
            raise LocalFileError(
                f"{name} can't be read, or not be unpacked: {error.strerror}.", code="unreadable-file"
            ) from error
        except (FormatError, VerificationError) as error:
            found = [(None, Failed.of(error, kind))]
    failed = [(member, result) for member, result in found if isinstance(result, Failed)]
    good = tuple(
        Verdict(
            path=name,
            member=member,
            format=result.format,
            signer=result.signer,
            time_stamp=result.time_stamp,
            digest_algorithm=result.digest_algorithm,
            content_digest=result.content_digest,
            identity="not-checked" if unsigned is None else "same",
            trust=result.trust,
            notes=result.notes,
        )
        for member, result in found
        if not isinstance(result, Failed)
    )
    if failed and not (
        all(result.is_unsupported for _, result in failed)
        and is_let_through(name.as_posix(), expectations.allow_unsupported)
    ):
        bad = (
            Failure(path=name, member=member, format=result.format, check=result.check, code=result.code)
            for member, result in failed
        )
        raise rejection(str(name), failed, (*bad, *good))
    return good


def _judge(
    file: BinaryIO,
    kind: Kind | Literal["raw"] | None,
    unsigned: BinaryIO | None,
    judge: Judge,
    *,
    expectations: Expectations,
    name: str,
) -> Found:
    # Each is imported where it is needed: most files are of one format.
    if kind == "raw":
        from signpath_ci.verify.detached import verify_raw

        return [(None, verify_raw(file, unsigned, judge))]
    if kind == "zip":
        from signpath_ci.verify.container import verify_zip

        return verify_zip(
            file, unsigned=unsigned, judge=judge, allow_unsupported=expectations.allow_unsupported, name=name
        )
    if kind is None:
        raise UnsupportedFormatError(
            "the format is unsupported: its signatures can't be judged here.",
            hint="Supported are PE files, PowerShell scripts, MSI, CAB and JAR files, detached CMS and raw signatures,"
            " and ZIP archives; name exceptions with --allow-unsupported.",
        )
    from signpath_ci.verify.schemes import verify_signatures

    return [(None, signature) for signature in verify_signatures(kind, file, unsigned=unsigned, judge=judge)]


def _open(path: Path, stack: ExitStack) -> BinaryIO:
    try:
        return stack.enter_context(open_regular(path))
    except OSError as error:
        code = "not-a-file" if isinstance(error, NotRegularError) else "unreadable-file"
        raise LocalFileError(f"{path} can't be read: {error.strerror}.", code=code) from error
