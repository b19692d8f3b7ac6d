"""What is signed, by the settings: files of this machine, or one that SignPath fetches; and where signed files go."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from signpath_ci.errors import UsageError
from signpath_ci.model import RetrievalLink
from signpath_ci.settings import RemoteArtifact, SignSettings
from signpath_ci.settings.parsers import file_name
from signpath_ci.signing.artifact import Source
from signpath_ci.signing.inputs import expand_inputs
from signpath_ci.signing.target import default_target
from signpath_ci.verify import can_verify
from signpath_ci.workflows.already_signed import is_left_out
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.verification import required_of

_log = logging.getLogger(__name__)


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
            "What the file under --artifact-retrieval-url is called can't be told from it.",
            hint="Give --artifact-retrieval-name.",
            code="no-file-name",
        ) from None


def files_of(settings: SignSettings, process: Process) -> list[Path]:
    """Return the files to sign; those that are signed already are left out, where that is asked for.

    Raises:
        LocalFileError: there is nothing of what is named.
    """
    required = required_of(settings, settings)
    files = expand_inputs(
        settings.artifact, can_be_signed=lambda path: can_verify(path, required) if required else can_verify(path)
    )
    return [path for path in files if not (settings.skip_signed and is_left_out(settings, path, process))]


def targets(directory: Path | None, files: Sequence[Path]) -> list[Path]:
    """Return where signed files go: beside the unsigned ones, or under their names in a directory.

    Raises:
        UsageError: there is no such directory, or two files would be one in it.
    """
    if directory is None:
        return [default_target(path) for path in files]
    return in_directory(directory, [Path(path.name) for path in files], option="--output")


def in_directory(directory: Path, names: Sequence[Path], *, option: str) -> list[Path]:
    """Return the places of several files in a directory.

    Raises:
        UsageError: there is no such directory, or two files would be one in it.
    """
    if not directory.is_dir():
        raise UsageError(
            f"Several files are signed, but {directory} is not a directory.",
            hint=f"Name one with {option} that exists.",
            code="not-a-directory",
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(
            f"Several files would become {directory / twice[0]}.",
            hint=f"Sign them by themselves, or without {option}.",
            code="same-output",
        )
    return [directory / name for name in names]
