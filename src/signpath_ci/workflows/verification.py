"""Verification as the settings want it: what is required of signatures, and what the signed file is compared with."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.caches import private_cache
from signpath_ci.errors import UsageError, VerificationError
from signpath_ci.model import STRONG_DIGESTS, Account, Artifact, Expectations, FileRules
from signpath_ci.report import Reporter
from signpath_ci.settings import Libraries, Retrieval, Trust
from signpath_ci.signing.published import Published
from signpath_ci.values import dataclass
from signpath_ci.verify.packages import Packages
from signpath_ci.workflows.planning import Planning
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.stated_signer import StatedSigner
from signpath_ci.workflows.stated_tree import StatedTree

if TYPE_CHECKING:
    from signpath_ci.artifact_configuration.plan import Plan

_log = logging.getLogger(__name__)
_TEST = re.compile(r"\btest", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """How a signed file is verified.

    Attributes:
        expectations: what the signatures must fulfil.
        packages: provides the libraries of verification.
        submitted: what the signed file is compared with; `None` where it is not at hand.
        planning: makes the plan of the artifact configuration; `None`: there is none.
        stated_signer: names the signer where nobody is trusted otherwise; `None`: it is not asked.
        tag: the tag that this run builds, for which a test certificate is probably a mistake; `None`: it builds none.
        stated_tree: names the files that SignPath signed; `None`: it is not asked.
    """

    expectations: Expectations
    packages: Packages
    submitted: Path | Published | None
    planning: Planning | None = None
    stated_signer: StatedSigner | None = None
    tag: str | None = None
    stated_tree: StatedTree | None = None

    def check(self, source: Path | None) -> None:
        """Find out before anything is submitted what could not be verified after it was signed.

        Args:
            source: the file to sign; `None`: it is elsewhere.

        Raises:
            UsageError: libraries are missing, or the format can't be verified.
            LocalFileError: there is nothing to compare with.
        """
        from signpath_ci.verify import check_trust_files, needs_xml

        check_trust_files(self.expectations)
        if source is not None and needs_xml(source):
            self.packages.require_xml()
        self.packages.check()
        if source is not None:
            check_verifiable(source, self.expectations)
            if self.planning is not None and self.planning.is_required:
                self.planning.plan(source, name=source.name)
        if isinstance(self.submitted, Published):
            self.submitted.check()

    def verify(self, downloaded: Artifact, shown_as: Path, reporter: Reporter, *, signing_request_id: str) -> None:
        """Verify the signed file of a request, and report the result for each file in it, also where one failed.

        Raises:
            VerificationError: it is not what it should be.
            SignPathError: it can't be verified.
        """
        self.packages.ready()
        from signpath_ci.verify import is_container, verify_delivery

        required = self.expectations
        if self.stated_signer is not None:
            required = self.stated_signer.added_to(required, signing_request_id)
        stated = None
        if self.stated_tree is not None and is_container(downloaded.path):  # else the one file must be signed anyway
            stated = self.stated_tree.signed_files(signing_request_id)
        try:
            with self._submitted_file(downloaded.path) as submitted:
                verify = partial(
                    verify_delivery,
                    downloaded.path,
                    unsigned=submitted,
                    expectations=required,
                    plan=self._plan(submitted, shown_as),
                    stated=stated,
                    shown_as=shown_as,
                )
                try:
                    account = verify()
                except UsageError as error:
                    if error.code != "packages-missing":
                        raise
                    # Only what came back tells whether XML files in it are signed.
                    self.packages.require_xml()
                    self.packages.ready()
                    account = verify()
        except VerificationError as error:
            reporter.rejected(error.verdicts)
            if error.account is not None:
                reporter.accounted(error.account)
            raise
        reporter.verified(account.verdicts)
        reporter.accounted(account)
        if self.tag is not None:
            _warn_of_test_certificates(account, self.tag)

    def _plan(self, submitted: Path | None, shown_as: Path) -> Plan | None:
        if self.planning is None or submitted is None:
            return None
        name = submitted.name if submitted == self.submitted else shown_as.name
        return self.planning.plan(submitted, name=name)

    @contextmanager
    def _submitted_file(self, downloaded: Path) -> Iterator[Path | None]:
        if isinstance(self.submitted, Published):
            with self.submitted.as_file(downloaded) as file:
                yield file
        else:
            yield self.submitted


def verification_for(
    settings: Retrieval,
    trust: Trust,
    libraries: Libraries,
    process: Process,
    *,
    submitted: Path | Published | None,
    planning: Planning | None = None,
    stated_signer: StatedSigner | None = None,
    tag: str | None = None,
    stated_tree: StatedTree | None = None,
) -> Verification | None:
    """Return how what comes back is verified; `None` with `--verify off`.

    Raises:
        UsageError: a digest algorithm is allowed that proves nothing.
    """
    required = required_of(settings, trust)
    if required is None:
        return None
    return Verification(
        expectations=required,
        packages=packages(libraries, process),
        submitted=submitted,
        planning=planning,
        stated_signer=stated_signer,
        tag=tag,
        stated_tree=stated_tree,
    )


def _warn_of_test_certificates(account: Account, tag: str) -> None:
    """Warn where a release is signed by a certificate that calls itself a test certificate: such have been shipped."""
    subjects = dict.fromkeys(verdict.signer.subject for verdict in account.verdicts)
    for subject in (subject for subject in subjects if _TEST.search(subject)):
        _log.warning("The build of the tag %s is signed by %s, which calls itself a test certificate.", tag, subject)


def required_of(settings: Retrieval, trust: Trust) -> Expectations | None:
    """Return what signatures must fulfil; `None` with `--verify off`."""
    return None if settings.verify == "off" else expectations(trust, strict=settings.verify == "strict")


def check_verifiable(source: Path, required: Expectations | None) -> None:
    """Find out whether what will come back for a file can be verified.

    Raises:
        UsageError: it can't, but is to be.
    """
    if required is None:
        return
    from signpath_ci.verify import can_verify, check_submitted_archive

    check_submitted_archive(source, required)
    if not can_verify(source, required):
        raise UsageError(
            f"{source} is of a format whose signatures can't be verified here.",
            hint="Name it with --allow-unsupported, or sign it with --verify off, and verify it by other means.",
            code="unverifiable-format",
        )


def expectations(settings: Trust, *, strict: bool) -> Expectations:
    """Return which signatures the settings accept.

    Raises:
        UsageError: a digest algorithm is allowed that proves nothing.
    """
    from signpath_ci.verify import check_expectations

    expected = Expectations(
        trust_roots=settings.trust_root,
        thumbprints=frozenset(settings.thumbprint),
        subject=settings.subject,
        issuer=settings.issuer,
        signer_certificate=settings.signer_certificate,
        strict=strict,
        digest_algorithms=frozenset(settings.digest_algorithm or STRONG_DIGESTS),
        rules=FileRules(
            unchanged=settings.expect_unchanged,
            must_be_signed=settings.must_be_signed,
            must_not_be_signed=settings.must_not_be_signed,
            allow_unsupported=settings.allow_unsupported,
            denied_signers=settings.deny_signer,
            is_strict=settings.strict_rules,
        ),
    )
    check_expectations(expected)
    return expected


def packages(libraries: Libraries, process: Process) -> Packages:
    """Return what provides the libraries of verification."""
    cache = None
    if libraries.install_verify:
        try:
            cache, objection = private_cache(process.environment, sys.platform, process.directory)
        except OSError as error:
            objection = f"it can't be made: {error.strerror}"
        if cache is None:
            _log.info("Libraries that are installed are not kept for later runs: %s.", objection)
    return Packages(
        directory=libraries.verify_packages,
        install=libraries.install_verify,
        cache=cache,
        environment=process.environment,
    )
