"""`signpath-ci resubmit`: the very artifact that was tested gets the release signature."""

from __future__ import annotations

from signpath_ci.commands import Process
from signpath_ci.commands.connection import connect
from signpath_ci.commands.session import earlier_collection, run_signing
from signpath_ci.pipeline import SigningResult, resubmit
from signpath_ci.report import Reporter
from signpath_ci.settings import ResubmitSettings


def run(settings: ResubmitSettings, process: Process) -> None:
    """Resubmit an earlier request under another policy, and collect what is signed.

    Raises:
        SignPathError: the run failed.
    """

    def work(reporter: Reporter) -> SigningResult:
        reporter.planned(project=None, policy=settings.signing_policy_slug, origin=None)
        return resubmit(
            settings.signing_request_id,
            earlier_collection(settings, process),
            signing_policy_slug=settings.signing_policy_slug,
            description=settings.description,
            api=connect(settings, process),
            reporter=reporter,
            clock=process.clock,
        )

    run_signing(settings, process, level=settings.verify, work=work)
