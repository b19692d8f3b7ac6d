"""`signpath-ci resubmit`: the very artifact that was tested gets the release signature."""

from __future__ import annotations

from signpath_ci.commands import Process
from signpath_ci.commands.connection import connect
from signpath_ci.commands.earlier import earlier_request, receipt_file
from signpath_ci.commands.policy import with_policy
from signpath_ci.commands.session import earlier_collection, run_signing
from signpath_ci.model import Origin
from signpath_ci.pipeline import SigningResult, resubmit
from signpath_ci.platforms.collect import collect_origin
from signpath_ci.report import Reporter
from signpath_ci.settings import ResubmitSettings


def run(settings: ResubmitSettings, process: Process) -> None:
    """Resubmit an earlier request under another policy, and collect what is signed.

    Raises:
        SignPathError: the run failed.
    """

    def work(reporter: Reporter) -> SigningResult:
        chosen = with_policy(settings, process, lambda: collect_origin(process.environment, process.directory))
        reporter.planned(project=None, policy=chosen.signing_policy_slug, origin=None)
        request = earlier_request(settings, settings)
        return resubmit(
            request.signing_request_id,
            earlier_collection(request, settings, process),
            signing_policy_slug=chosen.signing_policy_slug,
            description=settings.description,
            api=connect(settings, process),
            reporter=reporter,
            clock=process.clock,
            receipt=receipt_file(settings.receipt, settings, Origin(platform="local")) if settings.receipt else None,
            keep_on_interrupt=settings.keep_on_interrupt,
        )

    run_signing(settings, process, level=settings.verify, work=work)
