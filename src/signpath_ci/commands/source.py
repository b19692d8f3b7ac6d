"""What is to be signed, by the settings: a file of this machine, or one that SignPath fetches."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from signpath_ci.errors import UsageError
from signpath_ci.model import RetrievalLink
from signpath_ci.settings import RemoteArtifact
from signpath_ci.settings.parsers import file_name
from signpath_ci.signing.artifact import Source


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
