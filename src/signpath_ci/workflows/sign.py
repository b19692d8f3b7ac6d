"""Sign: the whole program, from settings to signed, verified files.

Over SignPath's REST API and over a connector, a run takes the same steps:

1. Settings: options that do not go together are refused (`reporting`, before all else).
2. Origin: which repository, commit and build this is; policy rules choose by it (`prepare`).
3. Submit: the file over SignPath's REST API, or the name of a build artifact over a connector.
4. Wait until the request is completed.
5. Compare the origin that SignPath recorded, where that is wanted.
6. Download under a temporary name.
7. Verify.
8. Deliver: only now a file gets its name, so no later step can publish what was not verified.
9. Report: every step reports as it happens, and the result at the end (`reporting`).

`Delivery.finish` has the steps 4 to 8; they are the same for requests of earlier runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from signpath_ci.clock import Clock
from signpath_ci.errors import NotSignedError, SignPathError, StillPendingError, VerificationError
from signpath_ci.model import Artifact, Origin, RequestStatus, SigningRequestFields, SizeAllowance, Submission
from signpath_ci.origin.compare import compare_origin, difference_table
from signpath_ci.platforms import named
from signpath_ci.platforms.platform import Platform, no_connector
from signpath_ci.report import Reporter
from signpath_ci.settings import SignSettings, SubmitSettings
from signpath_ci.settings.parsers import DirectoryPath
from signpath_ci.signing.artifact import Source
from signpath_ci.signing.cancel import cancel, canceled_on_interrupt
from signpath_ci.signing.detached import delivered_name
from signpath_ci.signing.download import Bounded, size_limit
from signpath_ci.signing.published import Published
from signpath_ci.signing.receipt import default_receipt
from signpath_ci.signing.resume import submit_build_artifact_once, submit_once
from signpath_ci.signing.submit import submit
from signpath_ci.signing.target import default_target
from signpath_ci.signing.wait import is_artifact_fetched, wait
from signpath_ci.values import dataclass, field, replace
from signpath_ci.workflows.clients import connect, connect_connector
from signpath_ci.workflows.destinations import Destination, Extracted, Incoming, NamedByServer, SignedFile
from signpath_ci.workflows.fetched_artifact import fetched_artifact
from signpath_ci.workflows.finish import Release
from signpath_ci.workflows.finishing import Finishing
from signpath_ci.workflows.inputs import make_directory, source_of
from signpath_ci.workflows.planning import planning_for
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.release_files import Directory
from signpath_ci.workflows.stated_signer import StatedSigner, stated_signer
from signpath_ci.workflows.stated_tree import stated_tree
from signpath_ci.workflows.submission import origin_for, receipt_file, request_fields, with_policy
from signpath_ci.workflows.verification import Verification, verification_for
from signpath_ci.workflows.waiting import WaitingTime, waiting_time

if TYPE_CHECKING:
    from signpath_ci.api.connector import Connector
    from signpath_ci.api.rest import SignPathApi
    from signpath_ci.signing.published import Published


_log = logging.getLogger(__name__)


def sign(settings: SignSettings, process: Process, reporter: Reporter) -> SigningResult:
    """Sign one file, or have a connector's build artifact signed.

    Raises:
        SignPathError: one of its kinds, as `errors` lists them; nothing is delivered then.
    """
    if settings.connector_url:
        return _sign_build_artifact(prepare(settings, process, reporter), process, reporter, url=settings.connector_url)
    source = source_of(settings, settings.artifact[0] if settings.artifact else None)
    output = _output(settings.output, source.shown_as)
    destination = SignedFile(path=output, force=settings.force, original=source.path)
    run = prepare(settings, process, reporter)
    if source.path is None or not settings.wait_for_completion:
        return sign_file(run, source, destination, process, reporter, receipt=settings.receipt)
    release = Release(settings, [source.path], [Directory(path=output.parent)], reporter)
    result = sign_file(run, source, destination, process, reporter, receipt=settings.receipt)
    # A detached signature is another file: the one that was submitted stays as it is.
    release.delivered([(source.path, output)] if result.outputs == (output,) else [])
    return result


def submit_only(settings: SubmitSettings, process: Process, reporter: Reporter) -> SigningResult:
    """Submit one file; the run ends when SignPath has it.

    Raises:
        SignPathError: one of its kinds, as `errors` lists them.
    """
    source = source_of(settings, settings.artifact)
    run = prepare(settings, process, reporter)
    api = connect(settings, process, trusted_build_system_token=settings.trusted_build_system_token)
    submitted = source.read()
    reporter.artifact_read(replace(submitted, path=source.shown_as))
    receipt = settings.receipt or default_receipt(source.shown_as)
    with canceled_on_interrupt(api, keep=settings.keep_on_interrupt) as made:
        return SigningResult(submission=_submit(run, api, source, submitted, process, reporter, receipt, made))


S = TypeVar("S", bound="SignSettings | SubmitSettings")


@dataclass(frozen=True, kw_only=True)
class SigningRun(Generic[S]):
    """What all files of a run have in common: the settings with the one policy, the build, what a request says."""

    settings: S
    origin: Origin
    fields: SigningRequestFields
    waiting: WaitingTime | None


def prepare(settings: S, process: Process, reporter: Reporter) -> SigningRun[S]:
    """Find out which build this is, and what a request will say.

    Raises:
        UsageError: no rule chooses a policy, a placeholder or parameter is wrong, the origin is not trustworthy, ...
    """
    origin = origin_for(settings, process)
    chosen = with_policy(settings, process, lambda: origin)
    run = SigningRun(
        settings=chosen,
        origin=origin,
        fields=request_fields(chosen, process, origin),
        waiting=waiting_time(settings, process)
        if isinstance(settings, SignSettings) and settings.wait_for_completion
        else None,
    )
    reporter.planned(
        project=chosen.project_slug,
        policy=chosen.signing_policy_slug,
        origin=origin,
        configuration_sha256=run.fields.artifact_configuration_sha256,
    )
    return run


def sign_file(
    run: SigningRun[SignSettings],
    source: Source,
    destination: Destination,
    process: Process,
    reporter: Reporter,
    *,
    receipt: Path | None = None,
) -> SigningResult:
    """Sign one file over the REST API.

    Args:
        run: what all files of the run have in common.
        source: the file.
        destination: where the signed file goes.
        process: whose clock is used.
        reporter: hears of each step.
        receipt: where the request's receipt is kept; the request of one that matches is resumed.

    Raises:
        SignPathError: one of its kinds, as `errors` lists them; nothing is delivered then.
    """
    settings = run.settings
    api = connect(settings, process, trusted_build_system_token=settings.trusted_build_system_token)
    submitted = source.read()
    delivery = Delivery(
        client=api,
        reporter=reporter,
        clock=process.clock,
        waiting=run.waiting,
        destination=destination if settings.wait_for_completion else None,
        verification=verification_for(
            settings,
            settings,
            settings,
            process,
            submitted=source.path,
            planning=planning_for(settings, process, run.fields.parameters),
            stated_signer=_stated_signer(run, process, api),
            tag=run.origin.tag,
            stated_tree=stated_tree(settings, process, api=api),
        ),
        submitted_size=lambda: submitted.size,
        allowance=settings.size_allowance,
        expected_origin=_expected_origin(run) if settings.verify_origin else None,
        source=source.path,
        finishing=Finishing(
            process=process,
            unsigned=source.path if source.name is None else None,
            output=destination.shown_as,
            replaces=settings.in_place or settings.force,
        ),
    )
    delivery.check(source.path)
    reporter.artifact_read(replace(submitted, path=source.shown_as))
    with canceled_on_interrupt(api, keep=settings.keep_on_interrupt) as made:
        return delivery.finish(_submit(run, api, source, submitted, process, reporter, receipt, made))


def _submit(  # noqa: PLR0917 - the one call in the middle of both functions above
    run: SigningRun[S],
    api: SignPathApi,
    source: Source,
    submitted: Artifact,
    process: Process,
    reporter: Reporter,
    receipt: Path | None,
    on_created: Callable[[Submission], None],
) -> Submission:
    """Submit a file, or resume the request of a receipt that matches."""
    if receipt is None:
        submission = submit(
            api, submitted, run.fields, link=source.link, on_progress=reporter.uploading, on_created=on_created
        )
        reporter.submitted(submission)
        return submission
    return submit_once(
        api,
        submitted,
        run.fields,
        receipt_file(receipt, run.settings, run.origin),
        clock=process.clock,
        link=source.link,
        # Else what comes back is compared with the file itself.
        compares_file=source.path is None or (isinstance(run.settings, SignSettings) and run.settings.verify == "off"),
        on_progress=reporter.uploading,
        on_created=on_created,
        on_submitted=reporter.submitted,
    )


def _sign_build_artifact(
    run: SigningRun[SignSettings], process: Process, reporter: Reporter, *, url: str
) -> SigningResult:
    """Have an artifact of the CI system's own store signed, by the connector.

    The CI system is asked for the same artifact, to compare with it, and SignPath's API for the signer, where the
    settings name neither.

    Without waiting, the run ends when SignPath has fetched the artifact, and no earlier: the token to fetch it with
    dies with the job.
    """
    settings = run.settings
    platform = named(run.origin.platform)
    if platform is None:
        raise no_connector()
    connector = connect_connector(settings, process, reporter, url=url)
    artifact = platform.build_artifact(settings, process.environment)
    named_files = platform.published(settings, settings.unsigned) if settings.unsigned else None
    destination = _build_artifact_destination(settings, named_files) if settings.wait_for_completion else None
    if destination is not None:
        destination.check()
    with _compared_with(named_files, settings, process, platform, is_downloaded=destination is not None) as published:
        until_fetched = WaitingTime(timeout=settings.wait_for_completion_timeout, until=is_artifact_fetched)
        delivery = Delivery(
            client=connector,
            reporter=reporter,
            clock=process.clock,
            waiting=run.waiting or until_fetched,
            destination=destination,
            verification=verification_for(
                settings,
                settings,
                settings,
                process,
                submitted=published,
                planning=planning_for(settings, process, run.fields.parameters),
                stated_signer=_stated_signer(run, process, None),
                tag=run.origin.tag,
                stated_tree=stated_tree(settings, process, api=None),
            ),
            submitted_size=published.size if published else lambda: None,
            allowance=settings.size_allowance,
            finishing=Finishing(
                process=process,
                unsigned=named_files.single if named_files else None,
                output=destination.shown_as,
                replaces=settings.force,
            )
            if destination
            else None,
        )
        delivery.check(published.path if published and named_files is None else None)
        release = _release(settings, published, destination, reporter, is_fetched=named_files is None)
        if settings.receipt is None:
            submission = connector.submit(artifact, run.fields)
            reporter.submitted(submission)
        else:
            submission = submit_build_artifact_once(
                connector,
                artifact,
                run.fields,
                receipt_file(settings.receipt, settings, run.origin),
                clock=process.clock,
                on_submitted=reporter.submitted,
            )
        result = delivery.finish(submission)
        if release and published and result.signed:
            _describe(release, published, result.signed.path)
    return result


def _release(
    settings: SignSettings,
    published: Published | None,
    destination: Destination | None,
    reporter: Reporter,
    *,
    is_fetched: bool,
) -> Release | None:
    """Return what describes the files of a build artifact, where these are known, and the signed ones come here."""
    if destination is None:
        return None
    if published is None or settings.skip_decompress:
        if settings.stale_metadata != "ignore":
            _log.info("What describes the signed files is not looked for: the unsigned ones are not known.")
        return None
    members = published.members()
    if settings.output_artifact_directory is not None:
        # The directories of the artifact's files, and no others: it may be extracted into a checkout.
        output = Directory(path=settings.output_artifact_directory)
        if is_fetched:
            return Release(settings, [], [output], reporter, archive=published.path)
        outputs = [output, *(Directory(path=output.path / parent) for parent in {name.parent for name in members})]
    elif settings.output is not None and len(members) == 1:
        outputs = [Directory(path=settings.output.parent)]
    else:
        return None
    return Release(settings, list(members.values()), outputs, reporter)


def _describe(release: Release, published: Published, place: Path) -> None:
    """Look at what describes a build artifact that lies in `place` now: a file, or a directory."""
    known = {path: name for name, path in published.members().items()}
    signed = [(path, place if place.is_file() else place / known.get(path, path)) for path in release.unsigned]
    release.delivered(signed)


@contextmanager
def _compared_with(
    named_files: Published | None, settings: SignSettings, process: Process, platform: Platform, *, is_downloaded: bool
) -> Iterator[Published | None]:
    """Give what the signed artifact is compared with: what the settings name, else what the CI system has stored."""
    if named_files is not None:
        yield named_files
    elif not is_downloaded or settings.verify == "off":
        yield None
    else:
        with fetched_artifact(settings, process, platform) as found:
            yield found


def _stated_signer(run: SigningRun[SignSettings], process: Process, api: SignPathApi | None) -> StatedSigner | None:
    return stated_signer(
        run.settings,
        run.settings,
        process,
        api=api,
        project=run.settings.project_slug,
        policy=run.settings.signing_policy_slug,
    )


def _output(output: Path | None, artifact: Path) -> Path:
    """Return where a signed file goes; into a directory under its own name, as where several are signed."""
    if output is None:
        return default_target(artifact)
    if isinstance(output, DirectoryPath):
        make_directory(output, option="--output")
    return output / artifact.name if output.is_dir() else output


def _build_artifact_destination(settings: SignSettings, published: Published | None) -> Destination | None:
    if settings.output is not None:
        return SignedFile(path=settings.output, force=settings.force, original=settings.unsigned)
    if settings.output_artifact_directory is None:
        return None
    directory = settings.output_artifact_directory
    if settings.skip_decompress:
        return NamedByServer(directory=directory, force=settings.force, published=published)
    return Extracted(
        directory=directory,
        force=settings.force,
        unsigned=settings.unsigned,
        exclude=settings.exclude,
        clean=settings.clean,
        published=published,
    )


@dataclass(frozen=True, kw_only=True)
class ExpectedOrigin:
    """What SignPath must have recorded: the origin, and the branch and pipeline definition that were sent with it."""

    origin: Origin
    branch: str | None
    build_settings_file: Path | None


def _expected_origin(run: SigningRun[SignSettings]) -> ExpectedOrigin:
    return ExpectedOrigin(
        origin=run.origin, branch=run.settings.origin_branch, build_settings_file=run.fields.build_settings_file
    )


@dataclass(frozen=True, kw_only=True)
class SigningResult:
    """How far a run came.

    Attributes:
        submission: the request.
        signed: what was downloaded; `None` where the run did not download it.
        files: the files that it was split into; nothing where it is one file.
    """

    submission: Submission
    signed: Artifact | None = None
    files: tuple[Path, ...] = ()

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Where the signed files lie."""
        return self.files or ((self.signed.path,) if self.signed else ())


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What happens to a request after it is submitted.

    Attributes:
        client: SignPath's REST API, or a connector.
        reporter: hears of each step.
        clock: waits.
        waiting: how long the run waits; `None`: not at all.
        destination: where the signed artifact goes; `None`: it is not downloaded.
        verification: how it is verified; `None`: it is not.
        submitted_size: returns the bytes of what was submitted; `None` where that is not known.
        allowance: by how much the signed artifact may be larger.
        expected_origin: what SignPath must have recorded as origin; `None`: it is not compared.
        submitted_copy: fetches the submitted file of a request, by its id, where only a receipt says which it is.
        source: the file that was submitted; `None` where it is not at hand.
        finishing: says how the run is finished with the same request where it fails; `None`: that is not said.
    """

    client: SignPathApi | Connector
    reporter: Reporter
    clock: Clock
    waiting: WaitingTime | None
    destination: Destination | None
    verification: Verification | None
    submitted_size: Callable[[], int | None] = lambda: None
    allowance: SizeAllowance = field(default_factory=SizeAllowance)
    expected_origin: ExpectedOrigin | None = None
    submitted_copy: Callable[[str], AbstractContextManager[Path | None]] | None = None
    source: Path | None = None
    finishing: Finishing | None = None

    def check(self, source: Path | None = None) -> None:
        """Find out before anything is submitted what could not be stored or verified after it was signed.

        Args:
            source: the file to sign; `None`: it is elsewhere.

        Raises:
            UsageError, LocalFileError: something could not.
        """
        if self.destination is None:
            return
        self.destination.check(source)
        if self.verification:
            self.verification.check(source)

    def finish(self, submission: Submission) -> SigningResult:
        """Wait for a request, then download, verify and deliver what was signed.

        Raises:
            SignPathError: one of its kinds, as `errors` lists them; nothing is delivered then.
        """
        try:
            return self._finish(submission)
        except SignPathError as error:
            if self.finishing is not None:
                self.finishing.advise(error, submission.signing_request_id)
            raise

    def _finish(self, submission: Submission) -> SigningResult:
        if self.waiting is None:
            return SigningResult(submission=submission)
        if self.destination and self.verification:
            self.verification.packages.start()  # what it needs is installed while SignPath signs
        self._wait(submission, self.waiting)
        if self.destination is None:
            return SigningResult(submission=submission)
        if self.expected_origin is not None:
            self._check_origin(submission, self.expected_origin)
        if self.submitted_copy is None:
            return self._receive(submission, self.destination)
        with self.submitted_copy(submission.signing_request_id) as copy:
            verification = replace(self.verification, submitted=copy) if self.verification else None
            size = copy.stat().st_size if copy else None
            known = replace(self, verification=verification, submitted_size=lambda: size)
            return known._receive(submission, self.destination)

    def _receive(self, submission: Submission, destination: Destination) -> SigningResult:
        incoming = Incoming(
            client=Bounded(self.client, size_limit(self.submitted_size(), self.allowance)),
            signing_request_id=submission.signing_request_id,
            on_progress=self.reporter.downloading,
            accept=partial(self._verify, submission.signing_request_id),
            named=self._named,
        )
        delivered = destination.receive(incoming)
        return SigningResult(submission=submission, signed=delivered.artifact, files=delivered.files)

    def _wait(self, submission: Submission, waiting: WaitingTime) -> RequestStatus:
        """Wait, no longer than is wanted; then leave the request alone, or cancel it."""
        try:
            return wait(
                self.client,
                submission.signing_request_id,
                timeout=waiting.timeout if waiting.cancel_after is None else waiting.cancel_after,
                clock=self.clock,
                on_status=self.reporter.status_changed,
                on_poll=self.reporter.still_waiting,
                until=waiting.until,
            )
        except StillPendingError as error:
            if waiting.cancel_after is None:
                raise
            status = cancel(self._api, submission.signing_request_id)
            self.reporter.status_changed(status, waiting.cancel_after)
            if status.is_completed:  # it may have been, in the same moment
                return status
            raise NotSignedError(
                f"{error.message.rstrip('.')}: it is {status.status} now, as --cancel-after requires.",
                hint=f"See {submission.web_link}" if submission.web_link else "",
                code="request-canceled",
            ) from None

    def _check_origin(self, submission: Submission, expected: ExpectedOrigin) -> None:
        recorded = self._api.request(submission.signing_request_id).origin
        differences = compare_origin(
            expected.origin, recorded, branch=expected.branch, build_settings_file=expected.build_settings_file
        )
        if differences:
            self.reporter.explained(tuple(difference_table(differences)))
            raise VerificationError(
                f"The origin that SignPath recorded for {submission.signing_request_id} is not this build's: "
                f"{', '.join(difference.field for difference in differences)} differ.",
                hint="Do not publish what was signed; ask who submitted it, and from where.",
                code="origin-differs",
            )

    def _verify(self, signing_request_id: str, downloaded: Artifact, shown_as: Path) -> None:
        self.reporter.downloaded(downloaded)
        if self.verification:
            self.verification.verify(downloaded, shown_as, self.reporter, signing_request_id=signing_request_id)

    def _named(self, name: Path, downloaded: Artifact) -> Path:
        is_raw = self.verification is not None and self.verification.expectations.signer_certificate is not None
        return delivered_name(name, downloaded.path, source=self.source, is_raw=is_raw)

    @property
    def _api(self) -> SignPathApi:
        """The REST API, for what no connector has a call for; `settings.combinations` refuses it there."""
        from signpath_ci.api.rest import SignPathApi

        if not isinstance(self.client, SignPathApi):
            raise TypeError("a connector has no such call")
        return self.client
