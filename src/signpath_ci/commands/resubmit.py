"""`signpath-ci resubmit`: the very artifact that was tested gets the release signature."""

from __future__ import annotations

from signpath_ci.model import Origin
from signpath_ci.platforms.collect import collect_origin
from signpath_ci.report import Reporter
from signpath_ci.settings import ResubmitSettings
from signpath_ci.workflows.existing_request import existing_request, resubmit
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.reporting import run_and_report
from signpath_ci.workflows.sign import SigningResult
from signpath_ci.workflows.submission import with_policy


def run(settings: ResubmitSettings, process: Process) -> None:
    """Resubmit an existing request under another policy, and deliver what is signed.

    Raises:
        SignPathError: the run failed.
    """

    def work(reporter: Reporter) -> SigningResult:
        chosen = with_policy(settings, process, lambda: collect_origin(process.environment, process.directory))
        reporter.planned(project=None, policy=chosen.signing_policy_slug, origin=None)
        request = existing_request(settings, settings)
        return resubmit(request, chosen, process, reporter, origin=Origin(platform="local"))

    run_and_report(settings, process, level=settings.verify, work=work)
