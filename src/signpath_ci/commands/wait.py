"""`signpath-ci wait`: until an earlier request is signed, or never will be."""

from __future__ import annotations

from signpath_ci.commands import Process
from signpath_ci.commands.connection import connect
from signpath_ci.commands.earlier import earlier_request, known_submission
from signpath_ci.commands.session import run_signing, waiting_time
from signpath_ci.pipeline import SigningResult, await_completion
from signpath_ci.report import Reporter
from signpath_ci.settings import WaitSettings


def run(settings: WaitSettings, process: Process) -> None:
    """Wait for a request; print its id when it is completed.

    Raises:
        SignPathError: it is not, or the run failed otherwise.
    """

    def work(reporter: Reporter) -> SigningResult:
        request = earlier_request(settings, settings)
        waiting = waiting_time(settings, process)
        api = connect(settings, process)
        submission = known_submission(api, request.signing_request_id)
        reporter.submitted(submission)
        await_completion(submission, waiting, api=api, reporter=reporter, clock=process.clock)
        return SigningResult(submission=submission)

    run_signing(settings, process, level="off", work=work)
