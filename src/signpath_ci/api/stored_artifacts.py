"""An artifact in a CI system's own store, read with the job's token: to compare it with what comes back.

The token goes to the host of the CI system's API only. A redirect, as to an object storage, is followed once, without
the token: its URL gives the right to read by itself, so no message shows it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from signpath_ci.api.address import ElsewhereError
from signpath_ci.api.refusals import is_html
from signpath_ci.errors import RefusedError, ServiceUnavailableError, SignPathError
from signpath_ci.values import dataclass

if TYPE_CHECKING:
    from signpath_ci.api.streams import Download
    from signpath_ci.api.transport import Transport

_MOST_JSON = 4 * 1024 * 1024
_ZIP_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
"""Of a ZIP with entries, and of one without."""
_LOOKED_AT = 512
_PAGES = (".html", ".htm", ".xhtml")


class ArtifactUnavailableError(Exception):
    """An artifact can't be had; `reason` says why, as a clause. It is no failure of the run."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, kw_only=True)
class StoredArtifact:
    """Where an artifact of this build is downloaded.

    Attributes:
        url: of the content.
        name: a file name for it.
        is_archive: whether the CI system packs it as a ZIP, so that anything else is not the artifact.
        sha256: of the content, lower-case hex; `None` where the CI system does not say.
    """

    url: str
    name: str
    is_archive: bool = True
    sha256: str | None = None


class ArtifactStore:
    """Reads a CI system's API for artifacts.

    Args:
        api_url: the base URL of the API.
        connect: returns a transport to a base URL, with the job's token or without.
    """

    def __init__(self, api_url: str, connect: Callable[[str, bool], Transport]) -> None:
        self._url = api_url.rstrip("/")
        self._connect = connect
        self._api = connect(self._url, True)

    def url(self, path: str) -> str:
        """Return the URL of a path below the API's base."""
        return f"{self._url}/{path}"

    def is_here(self, url: str) -> bool:
        """Tell whether a URL is of the API's own scheme, host and port."""
        return _origin(url) == _origin(self._url)

    def json(self, path: str) -> Any:
        """Return the JSON document at a path below the base.

        Raises:
            ArtifactUnavailableError: it can't be had.
        """
        try:
            body = self._api.read(path, limit=_MOST_JSON)
        except SignPathError as error:
            raise ArtifactUnavailableError(_reason(error)) from error
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            what = "a web page, such as a login page," if is_html(_text(body), "") else "something that is not JSON"
            raise ArtifactUnavailableError(f"{what} answered instead of the CI system's API") from None

    def download(self, artifact: StoredArtifact, target: Path, *, limit: int) -> int:
        """Store the content of an artifact in a new file, and return its size in bytes.

        Args:
            artifact: which.
            target: the file; written from its start again where the download breaks off.
            limit: the bytes that it may have.

        Raises:
            ArtifactUnavailableError: it can't be had, or is not the artifact.
        """

        def receive(incoming: Download) -> tuple[int, str]:
            return _receive(incoming, artifact, target, limit)

        try:
            size, sha256 = self._fetch(artifact.url, receive)
        except SignPathError as error:
            raise ArtifactUnavailableError(_reason(error)) from error
        except OSError as error:
            raise ArtifactUnavailableError(f"it can't be stored: {error.strerror}") from error
        if artifact.sha256 is not None and sha256 != artifact.sha256:
            raise ArtifactUnavailableError("what was downloaded does not have the SHA-256 that the CI system states")
        return size

    def _fetch(self, url: str, receive: Callable[[Download], tuple[int, str]]) -> tuple[int, str]:
        base, path = _split(url)
        try:
            return self._connect(base, self.is_here(url)).download(path, receive, is_link=True)
        except ElsewhereError as error:
            if error.location is None:
                raise
            base, path = _split(error.location)
        return self._connect(base, False).download(path, receive, is_link=True)


def _receive(incoming: Download, artifact: StoredArtifact, target: Path, limit: int) -> tuple[int, str]:
    too_large = ArtifactUnavailableError(f"it is larger than the {limit} bytes that there is room for")
    if (incoming.length or 0) > limit:
        raise too_large
    digest, size, beginning = hashlib.sha256(), 0, b""
    with target.open("wb") as file:
        for piece in incoming:
            size += len(piece)
            if size > limit:
                raise too_large
            if len(beginning) < _LOOKED_AT:
                beginning = (beginning + piece)[:_LOOKED_AT]
            digest.update(piece)
            file.write(piece)
    _check_content(beginning, incoming.content_type, artifact)
    return size, digest.hexdigest()


def _check_content(beginning: bytes, content_type: str, artifact: StoredArtifact) -> None:
    if artifact.is_archive and beginning.startswith(_ZIP_BEGINNINGS):
        return
    is_page = is_html(_text(beginning), content_type)
    if is_page and (artifact.is_archive or not artifact.name.lower().endswith(_PAGES)):
        raise ArtifactUnavailableError("a web page, such as a login page, came instead of the artifact")
    if artifact.is_archive and artifact.sha256 is None:
        raise ArtifactUnavailableError("what came is not a ZIP archive")


def _reason(error: SignPathError) -> str:
    """Return why a call failed, without its URL, which may hold a secret."""
    if isinstance(error, RefusedError):
        by_status = {
            HTTPStatus.UNAUTHORIZED: "the CI system refuses the job's token",
            HTTPStatus.FORBIDDEN: "the job's token may not read artifacts",
            HTTPStatus.NOT_FOUND: "the CI system does not have it any more, or not for this token",
            HTTPStatus.GONE: "it has expired",
        }
        words = by_status.get(HTTPStatus(error.status)) if error.status in set(HTTPStatus) else None
        return f"{words or 'the CI system refuses it'} ({error.status})"
    if isinstance(error, ServiceUnavailableError):
        return "the CI system can't be reached"
    return f"the CI system did not answer as expected ({error.code})"


def _text(body: bytes) -> str:
    return body[:_LOOKED_AT].decode("utf-8", "replace")


def _split(url: str) -> tuple[str, str]:
    """Return scheme, host and port of a URL, and the rest."""
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}"
    return base, urljoin(base, url)[len(base) :].partition("#")[0]


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port
