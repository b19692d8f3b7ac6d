"""`signpath-ci sign`: the whole street, for one file or many."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from signpath_ci.commands import Process, print_object, print_path, print_result
from signpath_ci.commands.connection import connect
from signpath_ci.commands.connector import sign_through_connector
from signpath_ci.commands.earlier import receipt_file
from signpath_ci.commands.many import failure, results, sign_many
from signpath_ci.commands.policy import with_policy
from signpath_ci.commands.request import origin_for, request_fields
from signpath_ci.commands.session import run_signing, verified, waiting_time
from signpath_ci.commands.verification import packages
from signpath_ci.errors import SignPathError, UsageError, VerificationError
from signpath_ci.model import Origin, SigningRequestFields
from signpath_ci.pipeline import Collection, ExpectedOrigin, SigningResult, WaitingTime, sign
from signpath_ci.report import Reporter
from signpath_ci.settings import SignSettings
from signpath_ci.signing.inputs import expand_inputs
from signpath_ci.signing.receipt import default_receipt
from signpath_ci.signing.replace_all import replacing
from signpath_ci.signing.target import default_target
from signpath_ci.verify import can_verify, verify_file

_log = logging.getLogger(__name__)


def run(settings: SignSettings, process: Process) -> None:
    """Sign what the settings name.

    Raises:
        SignPathError: the run failed.
    """
    if settings.connector_url:
        url = settings.connector_url
        run_signing(
            settings,
            process,
            level=settings.verify,
            work=lambda reporter: sign_through_connector(settings, process, reporter, url=url),
        )
        return
    if not _are_many(settings):
        run_signing(settings, process, level=settings.verify, work=lambda reporter: _one(settings, process, reporter))
        return
    _run_many(settings, process)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What all files of a run have in common."""

    settings: SignSettings
    origin: Origin
    fields: SigningRequestFields
    waiting: WaitingTime

    def sign(
        self, artifact: Path, target: Path, receipt: Path | None, process: Process, reporter: Reporter, *, force: bool
    ) -> SigningResult:
        """Sign one file, to `target`."""
        settings = self.settings
        expected_origin = ExpectedOrigin(
            origin=self.origin, branch=settings.origin_branch, build_settings_file=self.fields.build_settings_file
        )
        collection = Collection(
            target=target,
            force=force,
            waiting=self.waiting,
            unsigned=artifact,
            expectations=verified(settings, settings),
            packages=packages(settings, process),
            expected_origin=expected_origin if settings.verify_origin else None,
        )
        return sign(
            artifact,
            self.fields,
            collection if settings.wait_for_completion else None,
            api=connect(settings, process, trusted_build_system_token=settings.trusted_build_system_token),
            reporter=reporter,
            clock=process.clock,
            receipt=receipt_file(receipt, settings, self.origin) if receipt else None,
            keep_on_interrupt=settings.keep_on_interrupt,
        )


def _plan(settings: SignSettings, process: Process) -> _Plan:
    origin = origin_for(settings, process)
    chosen = with_policy(settings, process, lambda: origin)
    return _Plan(
        settings=chosen,
        origin=origin,
        fields=request_fields(chosen, process, origin),
        waiting=waiting_time(settings, process),
    )


def _one(settings: SignSettings, process: Process, reporter: Reporter) -> SigningResult:
    if not settings.artifact:
        raise UsageError(
            "No file to sign is named.",
            hint="Name one (signpath-ci sign FILE, SIGNPATH_ARTIFACT, or artifacts in the manifest), or, where a "
            "connector is to fetch it, the CI system's artifact (SIGNPATH_GITHUB_ARTIFACT_ID, ...).",
        )
    plan = _plan(settings, process)
    _planned(plan, reporter)
    artifact = settings.artifact[0]
    target = _target(settings.output, artifact)
    return plan.sign(artifact, target, settings.receipt, process, reporter, force=settings.force)


def _target(output: Path | None, artifact: Path) -> Path:
    """Return where the signed file goes; into a directory under its own name, as where several are signed."""
    if output is None:
        return default_target(artifact)
    return output / artifact.name if output.is_dir() else output


def _planned(plan: _Plan, reporter: Reporter) -> None:
    settings = plan.settings
    reporter.planned(project=settings.project_slug, policy=settings.signing_policy_slug, origin=plan.origin)


def _are_many(settings: SignSettings) -> bool:
    if settings.in_place or settings.skip_signed or len(settings.artifact) > 1:
        return True
    return any(path.is_dir() or (not path.exists() and set(str(path)) & set("*?[")) for path in settings.artifact)


def _run_many(settings: SignSettings, process: Process) -> None:
    """Sign several files; print their paths, or with `--json` one object that holds each one's.

    Raises:
        SignPathError: a file was not signed; all outcomes are printed all the same.
    """
    if settings.in_place and (settings.output or not settings.wait_for_completion):
        raise UsageError(
            "--in-place replaces the files themselves, once they are signed.",
            hint="Leave out --output (SIGNPATH_OUTPUT) and --no-wait-for-completion.",
        )
    expected = verified(settings, settings)
    files = expand_inputs(
        settings.artifact, can_be_signed=lambda path: can_verify(path, expected) if expected else can_verify(path)
    )
    files = [path for path in files if not (settings.skip_signed and _is_signed(settings, path, process))]
    plan = _plan(settings, process)
    if process.platform:
        _planned(plan, process.platform)
    with ExitStack() as stack:
        targets = stack.enter_context(replacing(files)) if settings.in_place else _below(settings.output, files)
        receipts = _receipts(settings.receipt, files)

        def sign_one(number: int, path: Path, reporter: Reporter, stopped: Process) -> SigningResult:
            force = settings.force and not settings.in_place
            return plan.sign(path, targets[number], receipts[number], stopped, reporter, force=force)

        outcomes = sign_many(files, sign_one, process)
        error = failure(outcomes)
        if settings.json:
            told = {"results": results(outcomes, level=settings.verify), "error": str(error) if error else None}
            print_object(process, told)
        else:
            for outcome in outcomes:
                if outcome.result:
                    _print(process, outcome.path, outcome.result, in_place=settings.in_place)
        if error:
            raise error


def _print(process: Process, path: Path, result: SigningResult, *, in_place: bool) -> None:
    if result.signed is None:
        print_result(process, result.submission.signing_request_id)
    else:
        print_path(process, path if in_place else result.signed.path)


def _is_signed(settings: SignSettings, path: Path, process: Process) -> bool:
    expected = verified(settings, settings)
    if expected is None:
        raise UsageError("--skip-signed needs signatures to be verified.", hint="Leave out --verify off.")
    packages(settings, process).ready()
    try:
        verify_file(path, expectations=expected)
    except VerificationError:
        return False
    except SignPathError:
        return False  # whoever reads it next says what is wrong with it
    _log.info("%s carries such a signature already, and is left out.", path)
    return True


def _below(directory: Path | None, files: Sequence[Path]) -> list[Path]:
    """Return where the signed files go: beside the unsigned ones, or under their own names in a directory."""
    if directory is None:
        return [default_target(path) for path in files]
    if not directory.is_dir():
        raise UsageError(
            f"Several files are signed, but {directory} is not a directory.", hint="Name one with --output that exists."
        )
    return _distinct(directory, [path.name for path in files])


def _receipts(directory: Path | None, files: Sequence[Path]) -> list[Path | None]:
    if directory is None:
        return [None] * len(files)
    if not directory.is_dir():
        raise UsageError(
            f"Several files are signed, but {directory} is not a directory.",
            hint="Name one for their receipts with --receipt that exists.",
        )
    return list(_distinct(directory, [default_receipt(path).name for path in files]))


def _distinct(directory: Path, names: list[str]) -> list[Path]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(
            f"Several files would become {directory / twice[0]}.", hint="Sign them by themselves, or without --output."
        )
    return [directory / name for name in names]
