"""`signpath-ci promote`: the candidate that was tested becomes the release, if it is the one of this tag."""

from __future__ import annotations

from signpath_ci.errors import UsageError
from signpath_ci.platforms.collect import collect_origin
from signpath_ci.report import Reporter
from signpath_ci.settings import PromoteSettings
from signpath_ci.signing.artifact import read_artifact
from signpath_ci.signing.promote import check_candidate
from signpath_ci.workflows.clients import connect
from signpath_ci.workflows.existing_request import existing_request, resubmit
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.reporting import run_and_report
from signpath_ci.workflows.sign import SigningResult
from signpath_ci.workflows.submission import with_policy


def run(settings: PromoteSettings, process: Process) -> None:
    """Check a candidate, resubmit it under the policy, and deliver what is signed.

    Raises:
        VerificationError: it is not this tag's candidate, or was never signed.
        SignPathError: the run failed otherwise.
    """

    def work(reporter: Reporter) -> SigningResult:
        candidate = existing_request(settings, settings)
        if candidate.receipt is None:
            raise UsageError(
                "Only the receipt of a candidate says which file and commit it is.",
                hint="Name the receipt that `submit` or `sign --receipt` wrote, instead of the id.",
                code="candidate-receipt-required",
            )
        origin = collect_origin(process.environment, process.directory, version=settings.build_version)
        chosen = with_policy(settings, process, lambda: origin)
        reporter.planned(project=candidate.receipt.project_slug, policy=chosen.signing_policy_slug, origin=origin)
        unsigned = read_artifact(settings.unsigned) if settings.unsigned else None
        check_candidate(connect(settings, process), candidate.receipt, origin, unsigned=unsigned)
        return resubmit(candidate, chosen, process, reporter, origin=origin)

    run_and_report(settings, process, level=settings.verify, work=work)
