"""`signpath-ci promote`: the candidate that was tested becomes the release, if it is the one of this tag."""

from __future__ import annotations

from signpath_ci.commands import Process
from signpath_ci.commands.connection import connect
from signpath_ci.commands.earlier import earlier_request, receipt_file
from signpath_ci.commands.policy import with_policy
from signpath_ci.commands.session import earlier_collection, run_signing
from signpath_ci.errors import UsageError
from signpath_ci.pipeline import SigningResult, resubmit
from signpath_ci.platforms.collect import collect_origin
from signpath_ci.report import Reporter
from signpath_ci.settings import PromoteSettings
from signpath_ci.signing.artifact import read_artifact
from signpath_ci.signing.promote import check_candidate


def run(settings: PromoteSettings, process: Process) -> None:
    """Check a candidate, resubmit it under the policy, and collect what is signed.

    Raises:
        VerificationError: it is not this tag's candidate, or was never signed.
        SignPathError: the run failed otherwise.
    """

    def work(reporter: Reporter) -> SigningResult:
        candidate = earlier_request(settings, settings)
        if candidate.receipt is None:
            raise UsageError(
                "Only the receipt of a candidate says which file and commit it is.",
                hint="Name the receipt that `submit` or `sign --receipt` wrote, instead of the id.",
                code="candidate-receipt-required",
            )
        origin = collect_origin(process.environment, process.directory, version=settings.build_version)
        chosen = with_policy(settings, process, lambda: origin)
        reporter.planned(project=candidate.receipt.project_slug, policy=chosen.signing_policy_slug, origin=origin)
        collection = earlier_collection(candidate, settings, process)
        unsigned = read_artifact(settings.unsigned) if settings.unsigned else None
        api = connect(settings, process)
        check_candidate(api, candidate.receipt, origin, unsigned=unsigned)
        return resubmit(
            candidate.signing_request_id,
            collection,
            signing_policy_slug=chosen.signing_policy_slug,
            description=settings.description,
            api=api,
            reporter=reporter,
            clock=process.clock,
            receipt=receipt_file(settings.receipt, settings, origin) if settings.receipt else None,
            keep_on_interrupt=settings.keep_on_interrupt,
        )

    run_signing(settings, process, level=settings.verify, work=work)
