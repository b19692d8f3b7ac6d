"""What `verify`, and every command that verifies, makes of the settings; light, as `verify` starts with it."""

from __future__ import annotations

import sys

from signpath_ci.caches import cache_directory
from signpath_ci.commands import Process
from signpath_ci.model import STRONG_DIGESTS, Expectations
from signpath_ci.settings import Libraries, Trust
from signpath_ci.verify import check_expectations
from signpath_ci.verify.packages import Packages


def expectations(settings: Trust, *, strict: bool) -> Expectations:
    """Return which signatures the settings accept.

    Raises:
        UsageError: they contradict each other.
    """
    expected = Expectations(
        trust_roots=settings.trust_root,
        thumbprints=frozenset(settings.thumbprint),
        subject=settings.subject,
        issuer=settings.issuer,
        signer_certificate=settings.signer_certificate,
        strict=strict,
        digest_algorithms=frozenset(settings.digest_algorithm or STRONG_DIGESTS),
        allow_unsupported=settings.allow_unsupported,
    )
    check_expectations(expected)
    return expected


def packages(settings: Libraries, process: Process) -> Packages:
    """Return what sees to the libraries of verification."""
    return Packages(
        directory=settings.verify_packages,
        install=settings.install_verify,
        cache=cache_directory(process.environment, sys.platform),
        environment=process.environment,
    )
