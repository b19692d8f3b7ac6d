"""The connector way of `signpath-ci sign`: which artifact of which build, by the platform that the run is on."""

from __future__ import annotations

from signpath_ci.commands import Process
from signpath_ci.commands.connection import connect_connector
from signpath_ci.commands.earlier import receipt_file
from signpath_ci.commands.policy import with_policy
from signpath_ci.commands.request import origin_for, request_fields
from signpath_ci.commands.session import verified
from signpath_ci.commands.verification import packages
from signpath_ci.pipeline import SigningResult
from signpath_ci.pipeline_connector import Delivery, sign_build_artifact
from signpath_ci.platforms import named
from signpath_ci.platforms.platform import no_connector
from signpath_ci.report import Reporter
from signpath_ci.settings import SignSettings


def sign_through_connector(settings: SignSettings, process: Process, reporter: Reporter, *, url: str) -> SigningResult:
    """Have SignPath fetch the artifact from the CI system itself, and deliver what was signed.

    Raises:
        SignPathError: the run failed.
    """
    origin = origin_for(settings, process)
    chosen = with_policy(settings, process, lambda: origin)
    reporter.planned(project=chosen.project_slug, policy=chosen.signing_policy_slug, origin=origin)
    platform = named(origin.platform)
    if platform is None:
        raise no_connector()
    delivery = Delivery(
        directory=settings.output_artifact_directory,
        file=settings.output,
        as_sent=settings.skip_decompress,
        force=settings.force,
        allowance=settings.size_allowance,
        expectations=verified(settings, settings),
        packages=packages(settings, process),
        unsigned=platform.published(settings, settings.unsigned) if settings.unsigned else None,
    )
    artifact = platform.build_artifact(settings, process.environment)
    return sign_build_artifact(
        artifact,
        request_fields(chosen, process, origin),
        delivery if settings.wait_for_completion else None,
        timeout=settings.wait_for_completion_timeout,
        connector=connect_connector(settings, process, reporter, url=url),
        reporter=reporter,
        clock=process.clock,
        receipt=receipt_file(settings.receipt, settings, origin) if settings.receipt else None,
    )
