"""`signpath-ci sign`: the whole street, for one file or many."""

from __future__ import annotations

from pathlib import Path

from signpath_ci.commands import Process
from signpath_ci.commands.bundle import sign_bundle
from signpath_ci.commands.connector import sign_through_connector
from signpath_ci.commands.plan import Place, make_plan
from signpath_ci.commands.session import run_signing
from signpath_ci.commands.several import run_several
from signpath_ci.commands.source import source_of
from signpath_ci.pipeline import SigningResult
from signpath_ci.report import Reporter
from signpath_ci.settings import SignSettings
from signpath_ci.settings.combinations import names_several
from signpath_ci.signing.target import default_target


def run(settings: SignSettings, process: Process) -> None:
    """Sign what the settings name.

    Raises:
        SignPathError: the run failed.
    """
    if settings.connector_url is None and not settings.bundle and names_several(settings):
        run_several(settings, process)
        return

    def work(reporter: Reporter) -> SigningResult | None:
        if settings.connector_url:
            return sign_through_connector(settings, process, reporter, url=settings.connector_url)
        if settings.bundle:
            return sign_bundle(settings, process, reporter)
        return _sign_one(settings, process, reporter)

    run_signing(settings, process, level=settings.verify, work=work)


def _sign_one(settings: SignSettings, process: Process, reporter: Reporter) -> SigningResult:
    source = source_of(settings, settings.artifact[0] if settings.artifact else None)
    plan = make_plan(settings, process)
    plan.tell(reporter)
    target = _target(settings.output, source.shown_as)
    place = Place(target=target, force=settings.force, receipt=settings.receipt)
    return plan.sign(source, place, process, reporter)


def _target(output: Path | None, artifact: Path) -> Path:
    """Return where the signed file goes; into a directory under its own name, as where several are signed."""
    if output is None:
        return default_target(artifact)
    return output / artifact.name if output.is_dir() else output
