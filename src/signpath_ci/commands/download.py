"""`signpath-ci download`: what an earlier run has submitted."""

from __future__ import annotations

from functools import partial

from signpath_ci.settings import DownloadSettings
from signpath_ci.workflows.existing_request import download
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.reporting import run_and_report


def run(settings: DownloadSettings, process: Process) -> None:
    """Wait for a request, then download and verify what was signed.

    Raises:
        SignPathError: the run failed.
    """
    run_and_report(settings, process, level=settings.verify, work=partial(download, settings, process))
