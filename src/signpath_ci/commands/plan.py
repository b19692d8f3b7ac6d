"""What all files of one `sign` have in common: the build, what is said of it, how what comes back is collected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from signpath_ci.commands import Process
from signpath_ci.commands.connection import connect
from signpath_ci.commands.earlier import receipt_file
from signpath_ci.commands.policy import with_policy
from signpath_ci.commands.request import origin_for, request_fields
from signpath_ci.commands.session import verified, waiting_time
from signpath_ci.commands.verification import packages
from signpath_ci.model import Origin, SigningRequestFields
from signpath_ci.pipeline import Collection, ExpectedOrigin, SigningResult, WaitingTime, sign
from signpath_ci.report import Reporter
from signpath_ci.settings import SignSettings
from signpath_ci.signing.artifact import Source
from signpath_ci.signing.extract import Split


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a signed file goes.

    Attributes:
        target: the file.
        force: replace it where it exists.
        name: what people know it as, where `target` is only a temporary place.
        split: where the files of a signed archive go; `None`: it stays whole.
        receipt: where the request's receipt is kept; `None`: nowhere.
    """

    target: Path
    force: bool
    name: Path | None = None
    split: Split | None = None
    receipt: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the files of a run have in common."""

    settings: SignSettings
    origin: Origin
    fields: SigningRequestFields
    waiting: WaitingTime

    def tell(self, reporter: Reporter) -> None:
        """Let a reporter know what is going to be done."""
        chosen = self.settings
        reporter.planned(project=chosen.project_slug, policy=chosen.signing_policy_slug, origin=self.origin)

    def sign(self, source: Source, place: Place, process: Process, reporter: Reporter) -> SigningResult:
        """Sign one file; arguments and errors as those of `pipeline.sign`."""
        settings = self.settings
        expected_origin = ExpectedOrigin(
            origin=self.origin, branch=settings.origin_branch, build_settings_file=self.fields.build_settings_file
        )
        collection = Collection(
            target=place.target,
            name=place.name,
            split=place.split,
            force=place.force,
            waiting=self.waiting,
            unsigned=source.path,
            allowance=settings.size_allowance,
            expectations=verified(settings, settings),
            packages=packages(settings, process),
            expected_origin=expected_origin if settings.verify_origin else None,
        )
        return sign(
            source,
            self.fields,
            collection if settings.wait_for_completion else None,
            api=connect(settings, process, trusted_build_system_token=settings.trusted_build_system_token),
            reporter=reporter,
            clock=process.clock,
            receipt=receipt_file(place.receipt, settings, self.origin) if place.receipt else None,
            keep_on_interrupt=settings.keep_on_interrupt,
        )


def make_plan(settings: SignSettings, process: Process) -> Plan:
    """Return the plan for a run.

    Raises:
        UsageError: no rule chooses a policy, a placeholder or parameter is wrong, the origin can't be vouched for, ...
    """
    origin = origin_for(settings, process)
    chosen = with_policy(settings, process, lambda: origin)
    return Plan(
        settings=chosen,
        origin=origin,
        fields=request_fields(chosen, process, origin),
        waiting=waiting_time(settings, process),
    )
