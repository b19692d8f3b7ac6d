"""`signpath-ci sign`: one file, a build artifact, a bundle, or a batch of files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from signpath_ci.report import Reporter
from signpath_ci.settings import SignSettings
from signpath_ci.settings.combinations import names_several
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.reporting import run_and_report
from signpath_ci.workflows.sign import SigningResult, sign


def run(settings: SignSettings, process: Process) -> None:
    """Sign what the settings name.

    Raises:
        SignPathError: the run failed.
    """
    work: Callable[[Reporter], SigningResult | None]
    if settings.bundle and not settings.connector_url:
        from signpath_ci.workflows.bundle import sign_bundle

        work = partial(sign_bundle, settings, process)
    elif names_several(settings) and not settings.connector_url:
        from signpath_ci.workflows.batch import sign_batch

        sign_batch(settings, process)
        return
    else:
        work = partial(sign, settings, process)
    run_and_report(settings, process, level=settings.verify, work=work)
