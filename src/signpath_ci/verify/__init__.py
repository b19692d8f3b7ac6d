"""Verification: bytes in, verdicts out, or an error that names the file and the check that failed. Always offline.

`verify_file` does it all. Below it, `authenticode` judges one PE file and `container` walks a ZIP; `signed_data`,
`timestamp`, `certificates`, `trust` and `identity` are the single checks. All of them need the extra `verify`, so this
module imports them where they are used.
"""

from __future__ import annotations

from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from signpath_ci.clock import Clock
from signpath_ci.errors import LocalFileError, UnsupportedFormatError, UsageError
from signpath_ci.formats import FormatError
from signpath_ci.formats.kind import detect
from signpath_ci.model import Expectations, Verdict

__all__ = ["can_verify", "require_extra", "verify_file"]

_NOTHING_EXPECTED = Expectations()
_SYSTEM_CLOCK = Clock()


def require_extra() -> None:
    """Demand that the libraries for verification are installed.

    Raises:
        UsageError: they are not; the hint says how to install them.
    """
    try:
        for library in ("cryptography.x509.verification", "pyasn1.codec.der"):
            import_module(library)
    except ImportError as error:
        raise UsageError(
            f"Verification needs libraries that are not installed ({error.name}).",
            hint="Install them: pip install 'signpath-ci[verify]'",
        ) from error


def can_verify(path: Path) -> bool:
    """Tell by its bytes whether a file is of a format that can be judged, signed or not.

    Raises:
        LocalFileError: it can't be read.
    """
    from signpath_ci.formats.zip import open_archive, package_marker

    with ExitStack() as stack:
        file = _open(path, stack)
        kind = detect(file)
        if kind != "zip":
            return kind is not None
        try:
            with open_archive(file) as archive:
                return package_marker(archive) is None
        except FormatError:
            return False


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
        unsigned: the file that was submitted; `None`: content identity is not checked.
        expectations: what every signature must fulfil beyond being intact.
        clock: says when a signature without a time stamp must be valid: now.
        shown_as: what verdicts and errors call the file, where `path` is only a temporary name.

    Returns:
        One verdict a signature, at least one; in a container one a signature of a member.

    Raises:
        VerificationError: a check failed; the message names file and check.
        UnsupportedFormatError: the file is of a kind, or is signed in a way, that can't be judged.
        LocalFileError: a file can't be read.
        UsageError: a trust root holds no certificate, or the extra is not installed.
    """
    require_extra()
    from signpath_ci.verify.authenticode import PeSignature, verify_pe
    from signpath_ci.verify.container import verify_zip
    from signpath_ci.verify.failure import about
    from signpath_ci.verify.trust import Trust

    name = shown_as or path
    trust = Trust.load(expectations)
    found: list[tuple[str | None, PeSignature]] = []
    with ExitStack() as stack, about(str(name)):
        file = _open(path, stack)
        submitted = None if unsigned is None else _open(unsigned, stack)
        kind = detect(file)
        now = clock.now()
        try:
            if kind == "pe":
                found += ((None, s) for s in verify_pe(file, unsigned=submitted, trust=trust, now=now))
            elif kind == "zip":
                found += verify_zip(file, unsigned=submitted, trust=trust, now=now)
            else:
                raise UnsupportedFormatError(
                    "the format is unsupported: its signatures can't be judged here.",
                    hint="Supported are PE files (.exe, .dll) and ZIP archives of them.",
                )
        except OSError as error:
            raise LocalFileError(f"{name} can't be read, or not be unpacked: {error.strerror}.") from error
    return tuple(
        Verdict(
            path=name,
            member=member,
            format="pe",
            signer=signature.signer,
            time_stamp=signature.time_stamp,
            digest_algorithm=signature.digest_algorithm,
            content_digest=signature.content_digest,
            identity="not-checked" if unsigned is None else "same",
            trust=trust.kind,
        )
        for member, signature in found
    )


def _open(path: Path, stack: ExitStack) -> BinaryIO:
    try:
        return stack.enter_context(path.open("rb"))
    except OSError as error:
        raise LocalFileError(f"{path} can't be read: {error.strerror}.") from error
