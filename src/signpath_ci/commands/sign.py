"""`signpath-ci sign`: the whole street for one file."""

from __future__ import annotations

from signpath_ci.commands import Process
from signpath_ci.commands.connection import connect
from signpath_ci.commands.connector import sign_through_connector
from signpath_ci.commands.earlier import receipt_file
from signpath_ci.commands.policy import with_policy
from signpath_ci.commands.request import origin_for, request_fields
from signpath_ci.commands.session import packages, run_signing, verified, waiting_time
from signpath_ci.errors import UsageError
from signpath_ci.pipeline import Collection, ExpectedOrigin, SigningResult, sign
from signpath_ci.report import Reporter
from signpath_ci.settings import SignSettings
from signpath_ci.signing.download import default_target


def run(settings: SignSettings, process: Process) -> None:
    """Sign one file.

    Raises:
        SignPathError: the run failed.
    """

    def work(reporter: Reporter) -> SigningResult:
        if settings.connector_url:
            return sign_through_connector(settings, process, reporter, url=settings.connector_url)
        if settings.artifact is None:
            raise UsageError("No file to sign is named.", hint="Name one: signpath-ci sign FILE, or SIGNPATH_ARTIFACT.")
        origin = origin_for(settings, process)
        chosen = with_policy(settings, process, lambda: origin)
        reporter.planned(project=chosen.project_slug, policy=chosen.signing_policy_slug, origin=origin)
        fields = request_fields(chosen, process, origin)
        expected_origin = ExpectedOrigin(
            origin=origin, branch=settings.origin_branch, build_settings_file=fields.build_settings_file
        )
        collection = Collection(
            target=settings.output or default_target(settings.artifact),
            force=settings.force,
            waiting=waiting_time(settings, process),
            unsigned=settings.artifact,
            expectations=verified(settings, settings),
            packages=packages(settings, process),
            expected_origin=expected_origin if settings.verify_origin else None,
        )
        return sign(
            settings.artifact,
            fields,
            collection if settings.wait_for_completion else None,
            api=connect(settings, process, trusted_build_system_token=settings.trusted_build_system_token),
            reporter=reporter,
            clock=process.clock,
            receipt=receipt_file(settings.receipt, settings, origin) if settings.receipt else None,
            keep_on_interrupt=settings.keep_on_interrupt,
        )

    run_signing(settings, process, level=settings.verify, work=work)
