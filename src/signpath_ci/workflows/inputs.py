"""What is signed, by the settings: files of this machine, or one that SignPath fetches; and where signed files go."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from glob import escape
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from signpath_ci.errors import LocalFileError, UsageError
from signpath_ci.files import open_regular
from signpath_ci.formats.registry import FORMATS, Kind, by_name, detect
from signpath_ci.model import Expectations, RetrievalLink
from signpath_ci.settings import RemoteArtifact, SignSettings
from signpath_ci.settings.parsers import file_name
from signpath_ci.signing.artifact import Source
from signpath_ci.signing.inputs import REASONS, Inputs, Use, expand_inputs
from signpath_ci.signing.target import default_target
from signpath_ci.verify import can_verify
from signpath_ci.workflows.already_signed import is_left_out
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.verification import required_of

_log = logging.getLogger(__name__)

_SHOWN = 20
"""Files that a line of the log names, at most."""


def source_of(settings: RemoteArtifact, artifact: Path | None) -> Source:
    """Return the source of a run that signs one file.

    Args:
        settings: whether SignPath fetches it, and from where.
        artifact: the file here, if any.

    Raises:
        UsageError: the file elsewhere has no name.
    """
    url = settings.artifact_retrieval_url
    if url is None:
        return Source(path=artifact)
    headers = settings.artifact_retrieval_headers
    name = settings.artifact_retrieval_name or (artifact.name if artifact else _last_part(url))
    return Source(
        path=artifact,
        link=RetrievalLink(url=url, file_name=name, headers=headers.pairs if headers else ()),
        name=None if artifact else Path(name),
        sha256=settings.artifact_retrieval_sha256,
    )


def _last_part(url: str) -> str:
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    try:
        return file_name(name)
    except ValueError:
        raise UsageError(
            "What the file under --artifact-retrieval-url is called can't be known from it.",
            hint="Give --artifact-retrieval-name.",
            code="no-file-name",
        ) from None


def files_of(settings: SignSettings, process: Process) -> list[Path]:
    """Return the files to sign; those that are signed already are left out, where that is asked for.

    Raises:
        LocalFileError: there is nothing of what is named.
    """
    required = required_of(settings, settings)
    inputs = expand_inputs(settings.artifact, use_of=lambda path: use_of(path, required), exclude=settings.exclude)
    report_left_out(inputs)
    if inputs.refused:
        raise refusal(inputs.refused)
    return [path for path in inputs.files if not (settings.skip_signed and is_left_out(settings, path, process))]


def use_of(path: Path, required: Expectations | None) -> Use:
    """Tell what becomes of a file in a directory that is signed.

    Args:
        path: of the file.
        required: what signatures must fulfil; `None`: nothing is verified.

    Raises:
        LocalFileError: it can't be read.
    """
    if can_verify(path, required) if required else can_verify(path):
        return "take"
    kind = _kind(path)
    if kind is None:
        return "format"
    if FORMATS[kind].must_be_signed or kind == "zip":  # such an archive is damaged: what is in it is not known
        return "refuse" if required else "take"
    return "unverifiable"


def _kind(path: Path) -> Kind | None:
    """Return a file's format by its content, else by its name: a program that is cut off is one, too."""
    try:
        with open_regular(path) as file:
            return detect(file, path.name, is_end_read=False) or by_name(path.name)
    except OSError as error:
        raise LocalFileError(f"{path} can't be read: {error.strerror}.", code="unreadable-file") from error


def report_left_out(inputs: Inputs) -> None:
    """Log which files directories and patterns leave out, and why; hidden ones that should be signed as a warning."""
    for reason, words in REASONS.items():
        paths = [one.path for one in inputs.left_out if one.reason == reason]
        if reason == "hidden":
            signable = [path for path in paths if ".git" not in path.parts and is_ordinarily_signed(path)]
            if signable:
                _log.warning(
                    "Left out, since hidden, but of a format that is ordinarily signed: %s. Name them to sign them, or "
                    "exclude them with --exclude.",
                    _shown(signable),
                )
            paths = [path for path in paths if path not in set(signable)]
        if paths:
            level = logging.WARNING if reason == "unverifiable" else logging.INFO
            _log.log(level, "Left out, since %s: %s.", words, _shown(paths))
    for pattern in inputs.unused:
        _log.warning("--exclude %s matches no file.", pattern)


def is_ordinarily_signed(path: Path) -> bool:
    """Tell whether an unsigned file of this format is an anomaly.

    Raises:
        LocalFileError: it can't be read.
    """
    kind = _kind(path)
    return kind is not None and FORMATS[kind].must_be_signed


def _shown(paths: Sequence[Path]) -> str:
    """Return the first paths and how many there are; all of them for debugging."""
    limit = len(paths) if _log.isEnabledFor(logging.DEBUG) else _SHOWN
    shown = ", ".join(map(str, paths[:limit]))
    return f"{shown} and {len(paths) - limit} more" if len(paths) > limit else shown


def refusal(paths: Sequence[Path]) -> UsageError:
    """Return the error about files that can neither be taken nor be left out in silence."""
    first = escape(paths[0].name)
    return UsageError(
        f"These files must be signed, but are damaged or of a format that can't be verified here: {_shown(paths)}.",
        hint=f"Add --allow-unsupported '{first}' to sign it unverified, or --exclude '{first}' to leave it out.",
        code="unverifiable-format",
    )


def targets(directory: Path | None, files: Sequence[Path]) -> list[Path]:
    """Return where signed files go: beside the unsigned ones, or under their names in a directory.

    Raises:
        UsageError: there is no such directory, or two files would be one in it.
    """
    if directory is None:
        return [default_target(path) for path in files]
    return in_directory(directory, [Path(path.name) for path in files], option="--output")


def in_directory(directory: Path, names: Sequence[Path], *, option: str) -> list[Path]:
    """Return the places of several files in a directory, which is made where it does not exist.

    Raises:
        UsageError: it is no directory, or two files would be one in it.
        LocalFileError: it can't be made.
    """
    make_directory(directory, option=option)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UsageError(
            f"Several files would become {directory / min(twice)}.",
            hint=f"Sign them by themselves, or without {option}.",
            code="same-output",
        )
    return [directory / name for name in names]


def make_directory(directory: Path, *, option: str) -> None:
    """Make a directory where it does not exist.

    Raises:
        UsageError: it is something else.
        LocalFileError: it can't be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(
            f"A directory is needed for the signed files, and {directory} is none.",
            hint=f"Name another one with {option}.",
            code="not-a-directory",
        ) from None
    except OSError as error:
        raise LocalFileError(
            f"The directory {directory} can't be made: {error.strerror}.",
            hint=f"Check {option}.",
            code="unwritable-file",
        ) from None
