"""From a connector's answer to files in a directory: the signed ZIP extracted, or saved under the server's name."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from signpath_ci.errors import LocalFileError, VerificationError
from signpath_ci.files import beside, delete, directory_in, publish, sync, sync_directory
from signpath_ci.formats import FormatError
from signpath_ci.formats.zip import Archive, Entry, open_archive
from signpath_ci.model import Artifact
from signpath_ci.signing.download import SendsSignedArtifact, kept_if_rejected, receive_into
from signpath_ci.signing.file_name import name_from_header
from signpath_ci.signing.target import check_target, disk_errors, exists_error

if TYPE_CHECKING:
    from signpath_ci.api.streams import Download

_FALLBACK_NAME = "signed-artifact.zip"
_BLOCK = 1 << 18
_HINT = "Nothing was extracted."

A = TypeVar("A")


def check_directory(directory: Path) -> None:
    """Check that files can be made in a directory, or the directory itself, before anything is submitted.

    Raises:
        LocalFileError: it can't, and why.
    """
    with disk_errors(directory):
        existing = next(path for path in (directory, *directory.parents) if os.path.lexists(path))
        if not existing.is_dir():
            raise LocalFileError(
                f"{existing} is not a directory.",
                hint="Name another one with --output-artifact-directory.",
                code="not-a-directory",
            )
        if not os.access(existing, os.W_OK | os.X_OK):
            raise LocalFileError(
                f"The directory {existing} can't be written.", hint="Check its permissions.", code="unwritable-file"
            )


def download_and_extract(
    api: SendsSignedArtifact,
    signing_request_id: str,
    directory: Path,
    *,
    force: bool,
    on_progress: Callable[[int, int], None],
    accept: Callable[[Artifact], A],
) -> tuple[Artifact, tuple[Path, ...], A]:
    """Fetch a signed ZIP and extract it. No file gets its name before all are found harmless, accepted and whole.

    Args:
        api: who sends it.
        signing_request_id: of a completed request.
        directory: where the files go; made where it does not exist.
        force: replace existing files.
        on_progress: is told the bytes that have come and those in all (0 where that is not known).
        accept: looks at the ZIP under its temporary name; what it raises is raised, what it returns is returned.

    Returns:
        The ZIP, which is gone by then; the files; what `accept` returned.

    Raises:
        VerificationError: it is no ZIP, or holds what must not be extracted.
        LocalFileError: a file exists already, the disk is full, ...
        RefusedError, UnexpectedAnswerError, ServiceUnavailableError: as the transport says.
    """
    check_directory(directory)
    with _made(directory), ExitStack() as stack:
        with disk_errors(directory):
            file = stack.enter_context(beside(directory / _FALLBACK_NAME))

        def receive(incoming: Download) -> Artifact:
            return receive_into(file, incoming, directory, on_progress)

        fetched = api.signed_artifact(signing_request_id, receive)
        archive = stack.enter_context(_opened(fetched.path))
        accepted = accept(fetched)
        places = {entry: directory / entry.path for entry in _files(archive)}
        _extract(archive, places, directory, force=force)
        return fetched, tuple(places.values()), accepted


@dataclass(frozen=True, kw_only=True)
class Split:
    """Where the files of a signed archive go.

    Attributes:
        places: of each file that was submitted, by its name in the archive.
        directory: all places are below it; what the signing added goes there, under its own name, which is that of a
            submitted file and more: a detached signature.
    """

    places: Mapping[PurePosixPath, Path]
    directory: Path


def check_split(split: Split, *, force: bool) -> None:
    """Check that files can be made in all places.

    Raises:
        LocalFileError: one can't, and why.
    """
    check_directory(split.directory)
    for target in split.places.values():
        _check_place(target, split.directory, force=force)


def download_and_split(
    api: SendsSignedArtifact,
    signing_request_id: str,
    split: Split,
    *,
    name: Path,
    force: bool,
    on_progress: Callable[[int, int], None],
    accept: Callable[[Artifact], A],
) -> tuple[Artifact, tuple[Path, ...]]:
    """Fetch a signed archive, and give each file the place that is meant for it: all of them, or none.

    Args:
        api: who sends it.
        signing_request_id: of a completed request.
        split: which file goes where.
        name: what people know the archive as.
        force: replace existing files.
        on_progress: is told the bytes that have come and those in all (0 where that is not known).
        accept: looks at the archive under its temporary name; what it raises is raised. An archive that is refused is
            kept under `name` with `.rejected` behind it.

    Returns:
        The archive, which is gone by then; the files in the order of `split.places`, and then those that were added.

    Raises:
        VerificationError: it is no ZIP, lacks a file, or holds what must not be extracted.
        LocalFileError: a file exists already, the disk is full, ...
        RefusedError, UnexpectedAnswerError, ServiceUnavailableError: as the transport says.
    """
    with ExitStack() as stack:
        with disk_errors(split.directory):
            file = stack.enter_context(beside(split.directory / _FALLBACK_NAME))

        def receive(incoming: Download) -> Artifact:
            return receive_into(file, incoming, split.directory, on_progress)

        fetched = api.signed_artifact(signing_request_id, receive)
        with kept_if_rejected(file, name, replace=force):
            accept(fetched)
            # Closed before it may be kept as rejected: Windows renames no open file.
            with _opened(fetched.path) as archive:
                files = _files(archive)
            missing = sorted(str(path) for path in split.places.keys() - {entry.path for entry in files})
            if missing:
                raise VerificationError(
                    f"{name}: what was submitted did not come back: {', '.join(missing)}.", code="content-missing"
                )
            # The directory may be a checkout: nothing else may come into it, though nothing be verified.
            foreign = sorted(entry.name for entry in files if not _is_of(entry.path, split.places))
            if foreign:
                raise VerificationError(
                    f"{name} holds what was not submitted: {', '.join(foreign)}.", code="content-added"
                )
        archive = stack.enter_context(_opened(fetched.path))
        places = {entry: split.places.get(entry.path, split.directory / entry.path) for entry in files}
        _extract(archive, places, split.directory, force=force)
    added = sorted(set(places.values()) - set(split.places.values()))
    return replace(fetched, path=split.directory), (*split.places.values(), *added)


def download_as_named(
    api: SendsSignedArtifact,
    signing_request_id: str,
    directory: Path,
    *,
    force: bool,
    on_progress: Callable[[int, int], None],
    accept: Callable[[Artifact, Path], A],
) -> tuple[Artifact, A]:
    """Fetch the signed artifact and save it as it is, under the base name that the server gives it.

    Args:
        api: who sends it.
        signing_request_id: of a completed request.
        directory: where the file goes; made where it does not exist.
        force: replace an existing file.
        on_progress: is told the bytes that have come and those in all (0 where that is not known).
        accept: looks at the file under its temporary name, and is told the one that it will have.

    Raises:
        LocalFileError: the file exists already, the disk is full, ...
        RefusedError, UnexpectedAnswerError, ServiceUnavailableError: as the transport says.
    """
    check_directory(directory)
    with _made(directory), ExitStack() as stack:
        with disk_errors(directory):
            file = stack.enter_context(beside(directory / _FALLBACK_NAME))

        def receive(incoming: Download) -> tuple[Artifact, Path]:
            target = directory / name_from_header(incoming.content_disposition, fallback=_FALLBACK_NAME)
            check_target(target, force=force)
            return receive_into(file, incoming, target, on_progress), target

        fetched, target = api.signed_artifact(signing_request_id, receive)
        accepted = accept(fetched, target)
        with disk_errors(target):
            file.publish(target, replace=force)
    return Artifact(path=target, size=fetched.size, sha256=fetched.sha256), accepted


@contextmanager
def _opened(path: Path) -> Iterator[Archive]:
    with ExitStack() as stack:
        with disk_errors(path):
            file = stack.enter_context(path.open("rb"))
        with _whole():
            archive = stack.enter_context(open_archive(file))
        yield archive


def _files(archive: Archive) -> list[Entry]:
    files = [entry for entry in archive.entries if not entry.is_directory]
    if not files:
        raise VerificationError("The signed ZIP has no files.", hint=_HINT, code="bad-archive")
    return files


def _blocks(archive: Archive, entry: Entry) -> Iterator[bytes]:
    stream = archive.open(entry)
    while True:
        with _whole():
            block = stream.read(_BLOCK)
        if not block:
            return
        yield block


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except FormatError as error:
        raise VerificationError(f"The signed ZIP is refused: {error}.", hint=_HINT, code=error.code) from None


def _is_of(path: PurePosixPath, submitted: Mapping[PurePosixPath, Path]) -> bool:
    """Tell whether a file was submitted, or has the name of one that was, and a further suffix."""
    dots = [place for place, character in enumerate(path.name) if character == "." and place]
    return path in submitted or any(path.with_name(path.name[:dot]) in submitted for dot in dots)


def _extract(archive: Archive, places: Mapping[Entry, Path], directory: Path, *, force: bool) -> None:
    targets = list(places.values())
    for target in targets:
        _check_place(target, directory, force=force)
    with ExitStack() as stack:
        with disk_errors(directory):
            scratch = stack.enter_context(directory_in(directory))
        for number, (entry, target) in enumerate(places.items()):
            _write(scratch / str(number), _blocks(archive, entry), target)
        _publish_all(scratch, targets, directory, force=force)


def _check_place(target: Path, directory: Path, *, force: bool) -> None:
    """Let through a name that is free, or may be replaced, below real directories only."""
    with disk_errors(target):
        for parent in target.relative_to(directory).parents:
            place = directory / parent
            if parent != Path() and os.path.lexists(place) and (place.is_symlink() or not place.is_dir()):
                raise LocalFileError(
                    f"{place} is in the way of {target}: it is no directory.",
                    hint="Extract into an empty directory.",
                    code="not-a-file",
                )
        if target.is_dir() and not target.is_symlink():
            raise LocalFileError(
                f"{target} is a directory.", hint="Extract into an empty directory.", code="not-a-file"
            )
        if os.path.lexists(target) and not force:
            raise exists_error(target)


def _write(path: Path, blocks: Iterator[bytes], target: Path) -> None:
    with ExitStack() as stack:
        with disk_errors(target):
            file = stack.enter_context(path.open("xb", buffering=0))
        for block in blocks:
            with disk_errors(target):
                rest = memoryview(block)
                while rest:
                    rest = rest[file.write(rest) :]
        with disk_errors(target):
            sync(file.fileno())


def _publish_all(scratch: Path, targets: list[Path], directory: Path, *, force: bool) -> None:
    made: list[Path] = []
    try:
        for number, target in enumerate(targets):
            with disk_errors(target):
                made += _make_directory(target.parent)
                publish(scratch / str(number), target, replace=force)
            if not force:  # what was replaced can't be brought back, so it is not removed either
                made.append(target)
    except BaseException:
        _unmake(made)
        raise
    for parent in {target.parent for target in targets} | {directory}:
        sync_directory(parent)


@contextmanager
def _made(directory: Path) -> Iterator[None]:
    """Make a directory; where the work in it fails, what was made is removed again."""
    with disk_errors(directory):
        made = _make_directory(directory)
    try:
        yield
    except BaseException:
        _unmake(made)
        raise


def _make_directory(directory: Path) -> list[Path]:
    """Make a directory and those above it; return those that were not there, the uppermost first."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()][::-1]
    for path in missing:
        path.mkdir(exist_ok=True)
    return missing


def _unmake(paths: list[Path]) -> None:
    for path in reversed(paths):
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                delete(path)
