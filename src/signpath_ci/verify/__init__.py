"""Verification: bytes in, verdicts out, or an error that names the file and the check that failed. Always offline.

`verify_delivery` does it all. Below it, `account` walks the files of a delivery, `expected` says what is expected of
each, `single` finds its outcome, and `schemes` knows how each signature scheme of the registry of formats is verified:
`authenticode`, `jar`, `nuget`, `catalog`, `detached`. `signer_requirements` is the same for
all: whom to trust, and when.
`signed_data`, `timestamp`, `certificates`, `trust` and `identity` are the single checks. All of them need the extra
`verify`, so this module imports them where they are used.
"""

from __future__ import annotations

from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from signpath_ci.clock import Clock
from signpath_ci.errors import LocalFileError, UsageError, VerificationError
from signpath_ci.files import NotRegularError, open_regular
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.registry import FORMATS, detect, layout_of, package
from signpath_ci.model import STRONG_DIGESTS, Account, Expectations, Verdict

if TYPE_CHECKING:
    from signpath_ci.artifact_configuration.plan import Plan
    from signpath_ci.formats.registry import Kind
    from signpath_ci.verify.single import Pair, Single

__all__ = [
    "can_verify",
    "check_expectations",
    "check_submitted_archive",
    "check_trust_files",
    "needs_xml",
    "require_extra",
    "require_xml_extra",
    "verify_delivery",
    "verify_file",
]

_NOTHING_EXPECTED = Expectations()
_SYSTEM_CLOCK = Clock()


def require_extra() -> None:
    """Require that the libraries for verification are installed.

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
        UsageError: trust is required, but nobody is trusted; or a digest algorithm is allowed that proves nothing.
    """
    if expectations.strict and not (expectations.trust_roots or expectations.thumbprints):
        raise UsageError(
            "Strict verification requires a trusted signer, and nobody is trusted.",
            hint="Name a --trust-root or a --thumbprint.",
            code="no-trust-configured",
        )
    if not expectations.digest_algorithms or not expectations.digest_algorithms <= set(STRONG_DIGESTS):
        raise UsageError(
            f"Digest algorithms that can be allowed are {', '.join(STRONG_DIGESTS)}.", code="weak-digest-allowed"
        )


def is_container(path: Path) -> bool:
    """Tell whether a file holds other files that are looked into.

    Raises:
        LocalFileError: it can't be read.
    """
    with ExitStack() as stack:
        return layout_of(detect(_open(path, stack), path.name)) is not None


def check_trust_files(expectations: Expectations) -> None:
    """Read the files with certificates early; without the libraries, find out at least whether they hold any.

    Raises:
        LocalFileError: one can't be read.
        UsageError: one holds no certificates.
    """
    from signpath_ci.verify.trust_files import check_certificates_file

    signer = expectations.signer_certificate
    for path in expectations.trust_roots:
        check_certificates_file(path, "trust root")
    if signer is not None:
        check_certificates_file(signer, "signer's certificate")
    try:
        from signpath_ci.verify.trust import Trust
    except ImportError:
        return  # they are installed while the request is signed
    Trust.load(expectations)


def can_verify(path: Path, expectations: Expectations = _NOTHING_EXPECTED) -> bool:
    """Tell whether what comes back for an unsigned file can be verified, or may stay unjudged.

    Raises:
        LocalFileError: it can't be read.
    """
    from signpath_ci.formats.zip import open_archive
    from signpath_ci.verify.place import Place, Rules

    rules = Rules(expectations.rules, _SYSTEM_CLOCK.now().date())
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
    return is_judged or is_raw or bool(rules.allows_unsupported(Place(path.name)))


def check_submitted_archive(path: Path, expectations: Expectations = _NOTHING_EXPECTED) -> None:
    """Read a ZIP archive as what comes back for it will be read; other files are let through.

    Raises:
        UsageError: it would be refused; the message says which rule or limit.
        LocalFileError: it can't be read, or there is no room to unpack the archives in it.
    """
    from signpath_ci.formats.zip import check_archive
    from signpath_ci.verify.place import Place, Rules

    with ExitStack() as stack:
        file = _open(path, stack)
        if detect(file, path.name) != "zip":
            return
        try:
            check_archive(file)
        except UnsupportedError as error:
            rules = Rules(expectations.rules, _SYSTEM_CLOCK.now().date())
            if not rules.allows_unsupported(Place(path.name)):
                raise _not_submitted(path, error) from error
        except FormatError as error:
            raise _not_submitted(path, error) from error
        except OSError as error:
            raise LocalFileError(
                f"{path} can't be read, or not be unpacked: {error.strerror}.", code="unreadable-file"
            ) from error


def _not_submitted(path: Path, error: FormatError) -> UsageError:
    return UsageError(
        f"{path} would be refused when it comes back: {error}.",
        hint="Nothing was submitted; docs/errors.md says what to do.",
        code=error.code,
    )


def verify_file(
    path: Path,
    *,
    unsigned: Path | None = None,
    expectations: Expectations = _NOTHING_EXPECTED,
    clock: Clock = _SYSTEM_CLOCK,
    shown_as: Path | None = None,
) -> tuple[Verdict, ...]:
    """Return the verdicts of all signatures of a file, and in it; see `verify_delivery`, whose errors it raises."""
    return verify_delivery(path, unsigned=unsigned, expectations=expectations, clock=clock, shown_as=shown_as).verdicts


def verify_delivery(
    path: Path,
    *,
    unsigned: Path | None = None,
    expectations: Expectations = _NOTHING_EXPECTED,
    plan: Plan | None = None,
    stated: frozenset[tuple[str, ...]] | None = None,
    clock: Clock = _SYSTEM_CLOCK,
    shown_as: Path | None = None,
) -> Account:
    """Account for every file of a delivery: it is signed, intact, as expected, and what was submitted.

    Integrity is always checked: the signature is valid for these bytes, the signer's chain holds together as far as it
    has certificates, the timestamp covers the signature. Trust is checked where roots or thumbprints are expected.

    Args:
        path: what came back.
        unsigned: the file that was submitted; `None`: content is not compared. What a detached or raw signature is for.
        expectations: what every signature must fulfil beyond being intact, and the user's rules about single files.
        plan: the artifact configuration, resolved against the submitted file; `None`: there is none.
        stated: the files that SignPath states to have signed, as `stated_tree` reads it; `None`: it states nothing.
        clock: says when a signature without a timestamp must be valid: now.
        shown_as: what the account and errors call the file, where `path` is only a temporary name.

    Raises:
        VerificationError: a check failed; the message names file and check, and `account` has all files.
        UnsupportedFormatError: what failed is only that something can't be verified here.
        LocalFileError: a file can't be read.
        UsageError: a trust root holds no certificate, a rule has expired, or the extra is not installed.
    """
    require_extra()
    from signpath_ci.verify.failure import rejection
    from signpath_ci.verify.place import Rules
    from signpath_ci.verify.signer_requirements import SignerRequirements
    from signpath_ci.verify.single import Pair, Single
    from signpath_ci.verify.trust import Trust

    check_expectations(expectations)
    name = shown_as or path
    now = clock.now()
    rules = Rules(expectations.rules, now.date())
    rules.check()
    single = Single(name, SignerRequirements(trust=Trust.load(expectations), now=now), rules)
    with ExitStack() as stack:
        pair = Pair(
            _open(path, stack),
            None if unsigned is None else _open(unsigned, stack),
            submitted_name=name.name if unsigned is None else unsigned.name,
        )
        try:
            account = _account(single, pair, plan, stated)
        except OSError as error:
            raise LocalFileError(
                f"{name} can't be read, or not be unpacked: {error.strerror}.", code="unreadable-file"
            ) from error
    if account.failed:
        raise rejection(account)
    if expectations.rules.is_strict and (unused := rules.unused()):
        raise VerificationError(f"{unused[0]} matches no file.", code="rule-unused", account=account)
    return account


def _account(single: Single, pair: Pair, plan: Plan | None, stated: frozenset[tuple[str, ...]] | None) -> Account:
    from signpath_ci.verify.account import Walk

    if single.requirements.trust.signer_certificates or detect(pair.file, single.path.name) == "cms":
        found = single.signature_file(pair)
        return Account(path=single.path, files=(found,), is_compared=pair.submitted is not None)
    return Walk(single, None if plan is None else plan.artifact, stated).account(pair)


def _open(path: Path, stack: ExitStack) -> BinaryIO:
    try:
        return stack.enter_context(open_regular(path))
    except OSError as error:
        code = "not-a-file" if isinstance(error, NotRegularError) else "unreadable-file"
        raise LocalFileError(f"{path} can't be read: {error.strerror}.", code=code) from error
