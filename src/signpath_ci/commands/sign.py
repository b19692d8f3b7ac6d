"""`signpath-ci sign`: the whole street for one file."""

from __future__ import annotations

import json
from contextlib import closing

from signpath_ci.commands import Process, print_result, reporter_for
from signpath_ci.commands.connection import connect
from signpath_ci.errors import SignPathError
from signpath_ci.model import Expectations, SigningRequestFields
from signpath_ci.pipeline import SigningJob, sign
from signpath_ci.report import Several
from signpath_ci.report.result import ResultReporter
from signpath_ci.settings import SignSettings, Trust
from signpath_ci.signing.download import default_target


def run(settings: SignSettings, process: Process) -> None:
    """Sign one file; print the signed file's path, or the result as one JSON object.

    Raises:
        SignPathError: the run failed. With `--json` the object is printed all the same, with what is known.
    """
    record = ResultReporter()
    with closing(Several(record, reporter_for(process))) as reporter:
        try:
            signed = sign(job(settings), api=connect(settings, process), reporter=reporter, clock=process.clock).signed
        except SignPathError as error:
            if settings.json:
                print_result(process, json.dumps(record.result(signed=None, level=settings.verify, error=error)))
            raise
    text = json.dumps(record.result(signed=signed, level=settings.verify)) if settings.json else str(signed.path)
    print_result(process, text)


def job(settings: SignSettings) -> SigningJob:
    """Return the job that the settings describe."""
    return SigningJob(
        artifact=settings.artifact,
        target=settings.output or default_target(settings.artifact),
        force=settings.force,
        fields=SigningRequestFields(
            project_slug=settings.project_slug,
            signing_policy_slug=settings.signing_policy_slug,
            artifact_configuration_slug=settings.artifact_configuration_slug,
        ),
        timeout=settings.wait_for_completion_timeout,
        expectations=None if settings.verify == "off" else expectations(settings),
    )


def expectations(settings: Trust) -> Expectations:
    """Return whose signature the settings accept."""
    return Expectations(
        trust_roots=settings.trust_root, thumbprints=frozenset(settings.thumbprint), subject=settings.subject
    )
