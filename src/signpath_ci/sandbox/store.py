"""The signing requests: SQLite for what is known of them, files for their artifacts; survives a kill at any moment."""

from __future__ import annotations

import json
import shutil
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from signpath_ci.errors import UsageError
from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.states import State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS signing_request (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  document TEXT NOT NULL
)
"""


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """Where SignPath itself is to fetch the artifact.

    Attributes:
        url: an http(s) link, or a file in the artifact store (from a connector only).
        headers: sent along; they may hold secrets and are forgotten once the artifact is there.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def without_headers(self) -> Retrieval:
        """Return it without its secrets."""
        return replace(self, headers={})


@dataclass(frozen=True, kw_only=True)
class SigningRequest:
    """One signing request, as it stands.

    Attributes:
        created: when, ISO 8601 in UTC.
        submitter: name of the API token.
        file_name: of the unsigned artifact, as submitted.
        announced_sha256: what the artifact must hash to; `None` where nothing was announced.
        unsigned_sha256: of the artifact that is there; `None` before.
        times_signed: how many signatures were really made.
        approvals: who agreed.
        failure: why it ended other than completed.
        retrieval: the link that the artifact is fetched from; `None`: it is uploaded.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: State
    created: str
    submitter: str
    project_slug: str
    signing_policy_slug: str
    artifact_configuration_slug: str
    file_name: str
    description: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    origin: RecordedOrigin | None = None
    announced_sha256: str | None = None
    unsigned_sha256: str | None = None
    signed_sha256: str | None = None
    times_signed: int = 0
    approvals: tuple[str, ...] = ()
    failure: str | None = None
    retrieval: Retrieval | None = None


class Store:
    """The requests of one state directory. To be used from one thread, except for the paths.

    Raises:
        UsageError: the directory can't be used, or another sandbox uses it.
    """

    def __init__(self, directory: Path) -> None:
        self._requests = directory / "requests"
        self._incoming = directory / "incoming"
        try:
            self._requests.mkdir(parents=True, exist_ok=True)
            self._database = _open(directory / "sandbox.sqlite3")
            # Only now is it known that no other sandbox is at work here.
            shutil.rmtree(self._incoming, ignore_errors=True)  # what a killed sandbox had half received
            self._incoming.mkdir()
            self._remove_orphans()
        except (OSError, sqlite3.Error) as error:
            busy = "locked" in str(error)
            raise UsageError(
                f"The state directory {directory} {'is used by another sandbox' if busy else f'is unusable: {error}'}.",
                hint="Name another one with --state.",
            ) from None

    def _remove_orphans(self) -> None:
        """Remove the files of submits that a killed sandbox had not taken yet."""
        known = {row[0] for row in self._database.execute("SELECT id FROM signing_request")}
        for directory in self._requests.iterdir():
            if directory.name not in known:
                shutil.rmtree(directory)

    def close(self) -> None:
        """Let go of the directory."""
        self._database.close()

    def add(self, request: SigningRequest) -> None:
        """Keep a new request."""
        with self._database:
            self._database.execute(
                "INSERT INTO signing_request (id, state, document) VALUES (?, ?, ?)",
                (request.id, request.state.name, _document(request)),
            )

    def find(self, request_id: str) -> SigningRequest | None:
        """Return the request with this id."""
        row = self._database.execute(
            "SELECT document FROM signing_request WHERE id = ?", (request_id.lower(),)
        ).fetchone()
        return _request(row[0]) if row else None

    def all(self) -> list[SigningRequest]:
        """Return every request, the oldest first."""
        rows = self._database.execute("SELECT document FROM signing_request ORDER BY number")
        return [_request(row[0]) for row in rows]

    def unfinished(self) -> list[str]:
        """Return the ids of the requests that are not final, the oldest first."""
        final = [state.name for state in State if state.is_final]
        marks = ", ".join("?" * len(final))
        query = f"SELECT id FROM signing_request WHERE state NOT IN ({marks}) ORDER BY number"  # noqa: S608 - marks only
        return [row[0] for row in self._database.execute(query, final)]

    def change(self, request_id: str, expected: State, **changes: Any) -> SigningRequest | None:
        """Change a request that is still in the `expected` state; return it, or `None` where it has moved on."""
        with self._database:
            request = self.find(request_id)
            if request is None or request.state is not expected:
                return None
            changed = replace(request, **changes)
            self._database.execute(
                "UPDATE signing_request SET state = ?, document = ? WHERE id = ?",
                (changed.state.name, _document(changed), changed.id),
            )
        return changed

    def incoming(self) -> Path:
        """Return a new path for what is being received; below the state directory, so that it can be moved."""
        return self._incoming / uuid.uuid4().hex

    def unsigned(self, request_id: str) -> Path:
        """Return where the unsigned artifact lies."""
        return self._file(request_id, "unsigned")

    def signed(self, request_id: str) -> Path:
        """Return where the signed artifact lies."""
        return self._file(request_id, "signed")

    def build_settings(self, request_id: str) -> Path:
        """Return where the pipeline's definition lies."""
        return self._file(request_id, "build-settings")

    def _file(self, request_id: str, name: str) -> Path:
        directory = self._requests / request_id
        directory.mkdir(exist_ok=True)
        return directory / name


def _open(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    database = sqlite3.connect(path, timeout=0)
    try:
        # The lock that comes with this mode ends with the process, however it ends.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        # In this mode a killed process loses nothing, and a commit need not wait for the disk.
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("BEGIN EXCLUSIVE")
        database.execute(_SCHEMA)
        database.commit()
    except sqlite3.Error:
        database.close()
        raise
    return database


def _document(request: SigningRequest) -> str:
    return json.dumps(asdict(replace(request, parameters=dict(request.parameters))) | {"state": request.state.name})


def _request(document: str) -> SigningRequest:
    said = json.loads(document)
    said["state"] = State[said["state"]]
    said["approvals"] = tuple(said["approvals"])
    said["origin"] = RecordedOrigin(**said["origin"]) if said["origin"] else None
    said["retrieval"] = Retrieval(**said["retrieval"]) if said["retrieval"] else None
    return SigningRequest(**said)
