"""Where a signed artifact goes: each destination checks itself early, and delivers whole, accepted files or none.

A file gets its name only when it is whole, on the disk, and accepted. One that is refused is kept under a name that
nothing takes for the signed file's, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from signpath_ci.errors import VerificationError
from signpath_ci.files import TemporaryFile, beside
from signpath_ci.formats.registry import FORMATS, SIGNATURE_SUFFIXES, by_name, detect
from signpath_ci.formats.zip import Entry
from signpath_ci.model import Artifact
from signpath_ci.signing.download import SendsSignedArtifact, kept_if_rejected, receive_into
from signpath_ci.signing.extract import (
    check_directory,
    check_place,
    extract,
    files_in,
    made_directory,
    open_signed_archive,
)
from signpath_ci.signing.file_name import name_from_header
from signpath_ci.signing.modes import local_mode, set_mode
from signpath_ci.signing.target import check_target, disk_errors
from signpath_ci.values import dataclass, field, replace
from signpath_ci.workflows.output_directory import check_clean, check_leftovers, clean

if TYPE_CHECKING:
    from signpath_ci.api.streams import Download
    from signpath_ci.signing.published import Published

_TEMPORARY_NAME = "signed-artifact.zip"


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """The signed artifact of a completed request.

    Attributes:
        client: sends it.
        signing_request_id: of the request.
        on_progress: gets the bytes that have come and those in all (0 where that is not known); starts again where the
            download does.
        accept: verifies the file under its temporary name; its second argument is the name that people know it by.
        named: returns the name that an artifact gets where a signed file would get the first argument: a detached
            signature gets another one.
    """

    client: SendsSignedArtifact
    signing_request_id: str
    on_progress: Callable[[int, int], None]
    accept: Callable[[Artifact, Path], None]
    named: Callable[[Path, Artifact], Path] = lambda name, _: name

    @contextmanager
    def downloaded(
        self, near: Path, shown_as: Path, name_of: Callable[[Download], Path] | None = None
    ) -> Iterator[tuple[TemporaryFile, Artifact, Path]]:
        """Download the artifact into a temporary file, which is gone at the end unless it was given a name.

        Args:
            near: a path in the directory where the temporary file is made.
            shown_as: what errors are about.
            name_of: returns the name that the file will have, and checks it; without it that is `shown_as`.

        Yields:
            the file, its size and digest, and the name that it will have.

        Raises:
            SignPathError: it can't be downloaded or stored.
        """
        with ExitStack() as stack:
            with disk_errors(shown_as):
                file = stack.enter_context(beside(near))

            def receive(incoming: Download) -> tuple[Artifact, Path]:
                name = name_of(incoming) if name_of else shown_as
                return receive_into(file, incoming, name, self.on_progress), name

            artifact, name = self.client.signed_artifact(self.signing_request_id, receive)
            yield file, artifact, name


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What was delivered: the signed artifact where it lies now, and the files that it was split into, if it was."""

    artifact: Artifact
    files: tuple[Path, ...] = ()


class Destination(Protocol):
    """Where a signed artifact goes."""

    @property
    def shown_as(self) -> Path:
        """A path for the artifact as it comes, where a later run fetches it."""
        ...

    def check(self, source: Path | None = None) -> None:
        """Find out before anything is submitted whether files can be made there.

        Args:
            source: the file to sign, which must not be replaced.

        Raises:
            LocalFileError: they can't, and why.
        """

    def receive(self, incoming: Incoming) -> Delivered:
        """Download, have it accepted, and deliver.

        Raises:
            VerificationError: it is refused.
            SignPathError: it can't be downloaded or stored; nothing is delivered then.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class SignedFile:
    """One file.

    Attributes:
        path: of the file.
        force: replace it where it exists.
        name: the name that people know it by, where `path` is only a temporary place.
        original: the local file that was submitted, whose permissions it gets.
    """

    path: Path
    force: bool
    name: Path | None = None
    original: Path | None = None

    @property
    def shown_as(self) -> Path:
        """See `Destination`."""
        return self.name or self.path

    def check(self, source: Path | None = None) -> None:
        """See `Destination`."""
        check_target(self.path, force=self.force, source=source)

    def receive(self, incoming: Incoming) -> Delivered:
        """See `Destination`; a refused file is kept with `.rejected` after its name."""
        self.check()
        with incoming.downloaded(self.path, self.path) as (file, artifact, _):
            with disk_errors(self.path):
                target = incoming.named(self.path, artifact)
                shown_as = incoming.named(self.name or self.path, artifact)
            if target != self.path:
                check_target(target, force=self.force)
            with kept_if_rejected(file, shown_as, replace=self.force):
                incoming.accept(artifact, shown_as)
            with disk_errors(target):
                # A detached signature is nothing that runs.
                set_mode(file.path, local_mode(target, self.original if target == self.path else None))
                file.publish(target, replace=self.force)
        return Delivered(artifact=replace(artifact, path=shown_as))


@dataclass(frozen=True, kw_only=True)
class NamedByServer:
    """A directory that gets the artifact as it is, under the base name that the server gives it.

    An artifact that is one file (`archive: false`) gets the local file's name, where that is at hand; and no signed
    file is called unsigned.

    Attributes:
        directory: made where it does not exist.
        force: replace an existing file.
        published: what was submitted, where it is at hand.
    """

    directory: Path
    force: bool
    published: Published | None = None

    @property
    def shown_as(self) -> Path:
        """See `Destination`."""
        return _zip_beside(self.directory)

    def check(self, source: Path | None = None) -> None:  # noqa: ARG002 - which file it will be is not known
        """See `Destination`."""
        check_directory(self.directory)

    def receive(self, incoming: Incoming) -> Delivered:
        """See `Destination`."""
        self.check()
        near = self.directory / _TEMPORARY_NAME
        with (
            made_directory(self.directory),
            incoming.downloaded(near, self.directory, self._name_of) as (file, artifact, served),
        ):
            single = raw_original(artifact.path, served.name, self.published)
            return deliver_raw(
                incoming,
                file,
                artifact,
                served if single is None or single == Path() else self.directory / single.name,
                original=single,
                force=self.force,
            )

    def _name_of(self, incoming: Download) -> Path:
        target = self.directory / _served_name(incoming)
        check_target(target, force=self.force)
        return target


def _zip_beside(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.zip") if directory.name else Path("signed.zip")


def _served_name(incoming: Download) -> str:
    """Return the name that the server gives; that of an artifact called `unsigned-app` begins with `signed`."""
    return re.sub(r"^un(?=signed\b)", "", name_from_header(incoming.content_disposition, fallback=_TEMPORARY_NAME))


def raw_original(delivered: Path, served: str, published: Published | None) -> Path | None:
    """Return the local file that a delivery stands for which is one file as it is; `None` where it is a ZIP of files.

    Args:
        delivered: the file.
        served: the name that the server gives it.
        published: what was submitted; `None` where it is not at hand: an empty path is returned for a single file.

    Raises:
        LocalFileError: it can't be read.
    """
    if published is not None:
        return None if published.packs(delivered) else published.single
    with disk_errors(delivered), delivered.open("rb") as file:
        promised = by_name(served)
        if promised == "zip":
            return None  # and what is none is refused
        is_package = promised is not None and bool(FORMATS[promised].entries)
        return Path() if is_package or detect(file, is_end_read=False) != "zip" else None


def deliver_raw(
    incoming: Incoming, file: TemporaryFile, artifact: Artifact, target: Path, *, original: Path | None, force: bool
) -> Delivered:
    """Have a downloaded file accepted, and give it its name.

    Raises:
        VerificationError: it is refused.
        LocalFileError: it can't be stored.
    """
    with disk_errors(target):
        name = incoming.named(target, artifact)
    check_target(name, force=force)
    incoming.accept(artifact, name)
    with disk_errors(name):
        set_mode(file.path, local_mode(name, original if name == target else None))
        file.publish(name, replace=force)
    return Delivered(artifact=replace(artifact, path=name))


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """A directory into which a signed ZIP is extracted; an artifact that is one file goes there as it is.

    Attributes:
        directory: made where it does not exist.
        force: replace existing files.
        unsigned: the directory that was packed, or the one file in it, where they are at hand: signed files get the
            permissions of these.
        exclude: patterns of unsigned files that may stay in the directory.
        clean: delete all other files in the directory once the signed ones are there.
        published: what was submitted, where it is at hand.
    """

    directory: Path
    force: bool
    unsigned: Path | None = None
    exclude: tuple[str, ...] = ()
    clean: bool = False
    published: Published | None = None

    @property
    def shown_as(self) -> Path:
        """See `Destination`."""
        return _zip_beside(self.directory)

    def check(self, source: Path | None = None) -> None:  # noqa: ARG002 - which files there will be is not known
        """See `Destination`; where the submitted files are at hand, so are the names of those that are replaced."""
        check_directory(self.directory)
        if self.clean:
            check_clean(self.directory)
        elif self.unsigned is not None and self.unsigned.is_dir():
            names = [path.relative_to(self.unsigned) for path in self.unsigned.rglob("*")]
            self._check_leftovers([self.directory / name for name in names])

    def _check_leftovers(self, replaced: Collection[Path]) -> None:
        # One file was uploaded from a directory of more: that is not published as a whole.
        is_around = self.unsigned is not None and self.unsigned.parent.resolve() == self.directory.resolve()
        if not (self.clean or (is_around and self.unsigned is not None and self.unsigned.is_file())):
            check_leftovers(self.directory, replaced, exclude=self.exclude)

    def receive(self, incoming: Incoming) -> Delivered:
        """See `Destination`; no file gets its name before all are found harmless, accepted and whole."""
        self.check()
        near = self.directory / _TEMPORARY_NAME
        with (
            made_directory(self.directory),
            incoming.downloaded(near, self.directory, self._name_of) as (file, artifact, served),
        ):
            single = raw_original(artifact.path, served.name, self.published)
            if single is None:
                return self._extract(incoming, artifact)
            target = self.directory / single.name if single != Path() else served
            self._check_leftovers([target])
            delivered = deliver_raw(incoming, file, artifact, target, original=single, force=self.force)
            if self.clean:
                clean(self.directory, [delivered.artifact.path])
            return delivered

    def _name_of(self, incoming: Download) -> Path:
        return self.directory / _served_name(incoming)

    def _extract(self, incoming: Incoming, artifact: Artifact) -> Delivered:
        with open_signed_archive(artifact.path) as archive:
            incoming.accept(artifact, self.directory)
            places = {entry: self.directory / entry.path for entry in files_in(archive)}
            self._check_leftovers(places.values())
            extract(archive, places, self.directory, force=self.force, original=self._original)
            if self.clean:
                clean(self.directory, places.values())
        return Delivered(artifact=replace(artifact, path=self.directory))

    def _original(self, entry: Entry) -> Path | None:
        if self.unsigned is None or self.unsigned.name == entry.name:
            return self.unsigned
        return self.unsigned / entry.path


@dataclass(frozen=True, kw_only=True)
class Members:
    """The places of files that were submitted in one ZIP: all of them are delivered, or none.

    Attributes:
        places: of each file that was submitted, by its name in the ZIP.
        directory: all places are below it; what the signing added goes there under its own name, which must be that of
            a submitted file with the suffix of a detached signature.
        name: the name that people know the ZIP by.
        force: replace existing files.
        originals: the local file of each, whose permissions the signed one gets.
    """

    places: Mapping[PurePosixPath, Path]
    originals: Mapping[PurePosixPath, Path] = field(default_factory=dict)
    directory: Path
    name: Path
    force: bool

    @property
    def shown_as(self) -> Path:
        """See `Destination`."""
        return self.name

    def check(self, source: Path | None = None) -> None:  # noqa: ARG002 - the ZIP itself is not delivered
        """See `Destination`."""
        check_directory(self.directory)
        for target in self.places.values():
            check_place(target, self.directory, force=self.force)

    def receive(self, incoming: Incoming) -> Delivered:
        """See `Destination`; the files are in the order of `places`, and then those that were added."""
        with incoming.downloaded(self.directory / _TEMPORARY_NAME, self.directory) as (file, artifact, _):
            with kept_if_rejected(file, self.name, replace=self.force):
                incoming.accept(artifact, self.name)
                # Closed before it may be kept as rejected: Windows renames no open file.
                with open_signed_archive(artifact.path) as archive:
                    entries = files_in(archive)
                self._check_names([entry.path for entry in entries])
            with open_signed_archive(artifact.path) as archive:
                places = {entry: self.places.get(entry.path, self.directory / entry.path) for entry in entries}
                extract(
                    archive, places, self.directory, force=self.force, original=lambda e: self.originals.get(e.path)
                )
        added = sorted(set(places.values()) - set(self.places.values()))
        return Delivered(artifact=replace(artifact, path=self.directory), files=(*self.places.values(), *added))

    def _check_names(self, names: list[PurePosixPath]) -> None:
        missing = sorted(str(path) for path in self.places.keys() - set(names))
        if missing:
            raise VerificationError(
                f"{self.name}: what was submitted did not come back: {', '.join(missing)}.", code="content-missing"
            )
        # The directory may be a checkout: nothing else may come into it, even where nothing is verified.
        foreign = sorted(str(path) for path in names if not self._is_of(path))
        if foreign:
            raise VerificationError(
                f"{self.name} holds what was not submitted: {', '.join(foreign)}.", code="content-added"
            )

    def _is_of(self, path: PurePosixPath) -> bool:
        """Tell whether a file was submitted, or has the name of one that was, and the suffix of a signature of it."""
        return path in self.places or (
            path.suffix.lower() in SIGNATURE_SUFFIXES and path.with_name(path.stem) in self.places
        )
