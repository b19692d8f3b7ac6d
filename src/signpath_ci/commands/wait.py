"""`signpath-ci wait`: until an earlier request is signed, or never will be."""

from __future__ import annotations

from functools import partial

from signpath_ci.settings import WaitSettings
from signpath_ci.workflows.existing_request import wait_for
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.reporting import run_and_report


def run(settings: WaitSettings, process: Process) -> None:
    """Wait for a request; print its id when it is completed.

    Raises:
        SignPathError: it is not, or the run failed otherwise.
    """
    run_and_report(settings, process, level="off", work=partial(wait_for, settings, process))
