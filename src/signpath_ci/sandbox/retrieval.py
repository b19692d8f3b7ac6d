"""Fetching an artifact from the link that a request was submitted with."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Generator, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from signpath_ci.sandbox.store import Retrieval

_TIMEOUT = (10, 60)
"""Seconds for connecting, and between two pieces."""
_PIECE = 1024 * 1024


class RetrievalError(Exception):
    """The artifact can't be had; the message says why."""


def is_retrievable(url: str) -> bool:
    """Whether a link is one that can be fetched: http or https, and a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def retrieve(retrieval: Retrieval, target: Path, *, announced_sha256: str | None, limit: int) -> str:
    """Fetch a link to `target` and return its SHA-256 in lower-case hex.

    Args:
        retrieval: the link and its headers.
        target: a path that does not exist yet; after an error an incomplete file may lie there.
        announced_sha256: what it must be; `None`: whatever comes.
        limit: the most bytes that are taken.

    Raises:
        RetrievalError: it can't be fetched, is too large, or is another file than announced.
    """
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as file, contextlib.closing(_pieces(retrieval)) as arriving:
        for piece in arriving:
            size += len(piece)
            if size > limit:
                raise RetrievalError(f"The artifact is larger than the {limit} bytes that are taken.")
            digest.update(piece)
            file.write(piece)
    if announced_sha256 and digest.hexdigest() != announced_sha256:
        raise RetrievalError(f"The fetched artifact has SHA-256 {digest.hexdigest()}, not {announced_sha256}.")
    if size == 0:
        raise RetrievalError("The fetched artifact is empty.")
    return digest.hexdigest()


def _pieces(retrieval: Retrieval) -> Generator[bytes, None, None]:
    if urlsplit(retrieval.url).scheme == "file":
        yield from _from_disk(Path(url2pathname(urlsplit(retrieval.url).path)))
    else:
        yield from _from_web(retrieval)


def _from_disk(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise RetrievalError(f"The artifact can't be fetched from the CI system: {error.strerror}.") from None


def _from_web(retrieval: Retrieval) -> Iterator[bytes]:
    import requests

    try:
        with requests.Session() as session:
            session.trust_env = not is_loopback(retrieval.url)  # no proxy stands before this machine
            with session.get(retrieval.url, headers=dict(retrieval.headers), stream=True, timeout=_TIMEOUT) as answer:
                if not answer.ok:
                    raise RetrievalError(f"The artifact's link answered {answer.status_code} {answer.reason}.")
                yield from answer.iter_content(_PIECE)
    except (requests.RequestException, UnicodeError) as error:
        raise RetrievalError(f"The artifact can't be fetched from its link: {type(error).__name__}.") from None


def is_loopback(url: str) -> bool:
    """Tell whether a URL names this machine."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")
