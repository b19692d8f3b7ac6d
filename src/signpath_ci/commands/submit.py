"""`signpath-ci submit`: no runner waits for the signature; a receipt leads later runs to it."""

from __future__ import annotations

from signpath_ci.commands import Process
from signpath_ci.commands.connection import connect
from signpath_ci.commands.earlier import receipt_file
from signpath_ci.commands.policy import with_policy
from signpath_ci.commands.request import origin_for, request_fields
from signpath_ci.commands.session import run_signing
from signpath_ci.commands.source import source_of
from signpath_ci.pipeline import SigningResult, sign
from signpath_ci.report import Reporter
from signpath_ci.settings import SubmitSettings
from signpath_ci.signing.receipt import default_receipt


def run(settings: SubmitSettings, process: Process) -> None:
    """Submit one file, unless its receipt tells of a request that fits; print the request's id.

    Raises:
        SignPathError: the run failed.
    """
    source = source_of(settings, settings.artifact)

    def work(reporter: Reporter) -> SigningResult:
        origin = origin_for(settings, process)
        chosen = with_policy(settings, process, lambda: origin)
        reporter.planned(project=chosen.project_slug, policy=chosen.signing_policy_slug, origin=origin)
        return sign(
            source,
            request_fields(chosen, process, origin),
            None,
            api=connect(settings, process, trusted_build_system_token=settings.trusted_build_system_token),
            reporter=reporter,
            clock=process.clock,
            receipt=receipt_file(settings.receipt or default_receipt(source.shown_as), settings, origin),
            keep_on_interrupt=settings.keep_on_interrupt,
        )

    run_signing(settings, process, level="off", work=work)
