"""`signpath-ci submit`: no runner waits for the signature; a receipt leads later runs to it."""

from __future__ import annotations

from functools import partial

from signpath_ci.settings import SubmitSettings
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.reporting import run_and_report
from signpath_ci.workflows.sign import submit_only


def run(settings: SubmitSettings, process: Process) -> None:
    """Submit one file, unless a receipt leads to a request that matches; print the request's id.

    Raises:
        SignPathError: the run failed.
    """
    run_and_report(settings, process, level="off", work=partial(submit_only, settings, process))
