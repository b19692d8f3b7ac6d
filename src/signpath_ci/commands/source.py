"""What is to be signed, by the settings: a file of this machine, or one that SignPath fetches."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from signpath_ci.api.address import is_loopback
from signpath_ci.errors import UsageError
from signpath_ci.model import RetrievalLink
from signpath_ci.parsing import file_name
from signpath_ci.settings import RemoteArtifact
from signpath_ci.signing.artifact import Source


def source_of(settings: RemoteArtifact, artifact: Path | None) -> Source:
    """Return the source of a run that signs one file.

    Args:
        settings: whether SignPath fetches it, and from where.
        artifact: the file here, if any.

    Raises:
        UsageError: there is neither, or what is said of a file elsewhere is not enough.
    """
    url = settings.artifact_retrieval_url
    if url is None:
        if artifact is None:
            raise UsageError(
                "No file to sign is named.",
                hint="Name one (signpath-ci sign FILE, SIGNPATH_ARTIFACT, or artifacts in the manifest), or, where a "
                "connector is to fetch it, the CI system's artifact (SIGNPATH_GITHUB_ARTIFACT_ID, ...).",
                code="no-artifact",
            )
        return Source(path=artifact)
    headers = settings.artifact_retrieval_headers
    if headers and url.startswith("http:") and not is_loopback(urlsplit(url).hostname or ""):
        raise UsageError(
            "--artifact-retrieval-url is not encrypted: the headers for it would travel in the clear.",
            hint="Give it with https, or leave out the headers.",
            code="unencrypted-url",
        )
    if artifact is None and settings.artifact_retrieval_sha256 is None:
        raise UsageError(
            "The SHA-256 of the file that SignPath is to fetch is not given.",
            hint="Give --artifact-retrieval-sha256, or name the file itself where it is here.",
            code="no-sha256",
        )
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
