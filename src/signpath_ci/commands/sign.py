"""`signpath-ci sign`: the whole street for one file."""

from __future__ import annotations

import json
from contextlib import closing

from signpath_ci.commands import Process, print_result, reporter_for
from signpath_ci.commands.connection import connect
from signpath_ci.commands.request import origin_for, request_fields
from signpath_ci.errors import SignPathError, UsageError
from signpath_ci.model import Expectations
from signpath_ci.pipeline import ExpectedOrigin, SigningJob, sign
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
            job = signing_job(settings, process)
            api = connect(settings, process, trusted_build_system_token=settings.trusted_build_system_token)
            result = sign(job, api=api, reporter=reporter, clock=process.clock)
        except SignPathError as error:
            if settings.json:
                print_result(process, json.dumps(record.result(signed=None, level=settings.verify, error=error)))
            raise
    if settings.json:
        print_result(process, json.dumps(record.result(signed=result.signed, level=settings.verify)))
    else:
        print_result(process, str(result.signed.path) if result.signed else result.submission.signing_request_id)


def signing_job(settings: SignSettings, process: Process) -> SigningJob:
    """Return the job that the settings describe.

    Raises:
        UsageError: no file is named, or what the submit would say is wrong.
    """
    if settings.artifact is None:
        raise UsageError("No file to sign is named.", hint="Name one: signpath-ci sign FILE, or SIGNPATH_ARTIFACT.")
    origin = origin_for(settings, process)
    fields = request_fields(settings, process, origin)
    return SigningJob(
        artifact=settings.artifact,
        target=settings.output or default_target(settings.artifact),
        force=settings.force,
        fields=fields,
        timeout=settings.wait_for_completion_timeout if settings.wait_for_completion else None,
        expectations=None if settings.verify == "off" else expectations(settings),
        expected_origin=ExpectedOrigin(
            origin=origin, branch=settings.origin_branch, build_settings_file=fields.build_settings_file
        )
        if settings.verify_origin
        else None,
    )


def expectations(settings: Trust) -> Expectations:
    """Return whose signature the settings accept."""
    return Expectations(
        trust_roots=settings.trust_root, thumbprints=frozenset(settings.thumbprint), subject=settings.subject
    )
