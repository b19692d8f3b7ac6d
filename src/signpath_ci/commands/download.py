"""`signpath-ci download`: what an earlier run has submitted."""

from __future__ import annotations

from signpath_ci.commands import Process
from signpath_ci.commands.connection import connect
from signpath_ci.commands.earlier import earlier_request, known_submission
from signpath_ci.commands.session import earlier_collection, run_signing
from signpath_ci.pipeline import SigningResult, collect
from signpath_ci.report import Reporter
from signpath_ci.settings import DownloadSettings


def run(settings: DownloadSettings, process: Process) -> None:
    """Wait for a request, then fetch and verify what was signed.

    Raises:
        SignPathError: the run failed.
    """

    def work(reporter: Reporter) -> SigningResult:
        request = earlier_request(settings, settings)
        api = connect(settings, process)
        submission = known_submission(api, request.signing_request_id)
        reporter.submitted(submission)
        collection = earlier_collection(request, settings, process)
        if collection is None:
            return SigningResult(submission=submission)
        return collect(submission, collection, api=api, reporter=reporter, clock=process.clock)

    run_signing(settings, process, level=settings.verify, work=work)
