"""The signing requests: SQLite for what is known of them, files for their artifacts; survives a kill at any moment."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from signpath_ci.clock import Clock
from signpath_ci.errors import UsageError
from signpath_ci.sandbox.query import Query, columns, condition
from signpath_ci.sandbox.signing_request import Event, Retrieval, SigningRequest, read_document
from signpath_ci.sandbox.states import State

__all__ = ["Page", "Query", "Retrieval", "SigningRequest", "Store"]

_VERSION = 1
"""Of the schema. The sandbox of version 0.1.0 wrote 0."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS signing_request (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  status TEXT NOT NULL,
  project TEXT NOT NULL,
  policy TEXT NOT NULL,
  configuration TEXT NOT NULL,
  submitter TEXT NOT NULL,
  created TEXT NOT NULL,
  branch TEXT,
  words TEXT NOT NULL,
  document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_status ON signing_request (status, number);
CREATE INDEX IF NOT EXISTS listed ON signing_request
  (number, status, project, policy, configuration, submitter, created, branch, words);
"""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A part of a list.

    Attributes:
        requests: the newest first.
        total: how many there are on all pages.
    """

    requests: tuple[SigningRequest, ...]
    total: int


class Store:
    """The requests of one state directory. To be used from one thread, except for the paths.

    Args:
        directory: the state directory.
        clock: the time that goes into the history.

    Raises:
        UsageError: the directory can't be used, or another sandbox uses it.
    """

    def __init__(self, directory: Path, *, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
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
                code="sandbox-unusable",
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
        first = Event(at=request.created, state=request.state, by=request.submitter)
        request = replace(request, history=(first, *request.history))
        with self._database:
            row = {"id": request.id, **columns(request)}
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            statement = f"INSERT INTO signing_request ({names}) VALUES ({marks})"  # noqa: S608 - names of columns only
            self._database.execute(statement, list(row.values()))

    def discard(self, request_id: str) -> None:
        """Remove the files of a request that was not kept."""
        shutil.rmtree(self._requests / request_id, ignore_errors=True)

    def find(self, request_id: str) -> SigningRequest | None:
        """Return the request with this id."""
        row = self._database.execute(
            "SELECT document FROM signing_request WHERE id = ?", (request_id.lower(),)
        ).fetchone()
        return read_document(row[0]) if row else None

    def all(self) -> list[SigningRequest]:
        """Return every request, the oldest first."""
        rows = self._database.execute("SELECT document FROM signing_request ORDER BY number")
        return [read_document(row[0]) for row in rows]

    def unfinished(self) -> list[str]:
        """Return the ids of the requests that are not final, the oldest first."""
        final = [state.name for state in State if state.is_final]
        marks = ", ".join("?" * len(final))
        query = f"SELECT id FROM signing_request WHERE state NOT IN ({marks}) ORDER BY number"  # noqa: S608 - marks only
        return [row[0] for row in self._database.execute(query, final)]

    def page(self, query: Query, *, number: int, size: int) -> Page:
        """Return a page of a list.

        Args:
            query: what is listed.
            number: of the page, from 1.
            size: requests on a page.
        """
        where, values = condition(query)
        total = self._database.execute(f"SELECT count(*) FROM signing_request WHERE {where}", values).fetchone()[0]  # noqa: S608 - marks only
        # The numbers first: only the documents of one page are read.
        numbers = f"SELECT number FROM signing_request WHERE {where} ORDER BY number DESC LIMIT ? OFFSET ?"  # noqa: S608 - marks only
        statement = f"SELECT document FROM signing_request WHERE number IN ({numbers}) ORDER BY number DESC"  # noqa: S608 - as above
        rows = self._database.execute(statement, [*values, size, (number - 1) * size])
        return Page(requests=tuple(read_document(row[0]) for row in rows), total=total)

    def change(
        self, request_id: str, expected: State, *, by: str | None = None, **changes: Any
    ) -> SigningRequest | None:
        """Change a request that is still in the `expected` state; return it, or `None` where it has moved on.

        A new state gets into the history, with the user `by` whose call it was caused.
        """
        with self._database:
            request = self.find(request_id)
            if request is None or request.state is not expected:
                return None
            changed = replace(request, **changes)
            if changed.state is not expected:
                note = changed.failure if changed.state.is_final else None
                event = Event(at=self._clock.now().isoformat(), state=changed.state, by=by, note=note)
                changed = replace(changed, history=(*changed.history, event))
            row = columns(changed)
            names = ", ".join(f"{name} = ?" for name in row)
            statement = f"UPDATE signing_request SET {names} WHERE id = ?"  # noqa: S608 - names of columns only
            self._database.execute(statement, [*row.values(), changed.id])
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

    def artifact_configuration(self, request_id: str) -> Path:
        """Return where the artifact configuration lies that applied when the request was submitted."""
        return self._file(request_id, "artifact-configuration.xml")

    def steps(self, request_id: str) -> Path:
        """Return where it lies what was done to each nested file (`outcome.read_steps`)."""
        return self._file(request_id, "steps.json")

    def _file(self, request_id: str, name: str) -> Path:
        directory = self._requests / request_id
        directory.mkdir(exist_ok=True)
        return directory / name


def is_in_use(directory: Path) -> bool:
    """Whether a sandbox that runs holds a state directory."""
    path = directory / "sandbox.sqlite3"
    if not path.exists():
        return False
    database = sqlite3.connect(path, timeout=0)
    try:
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    else:
        return False
    finally:
        database.close()


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
        _create_schema(database, path)
        database.commit()
    except (sqlite3.Error, UsageError):
        database.close()
        raise
    return database


def _create_schema(database: sqlite3.Connection, path: Path) -> None:
    tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if tables and version != _VERSION:
        raise UsageError(
            f"{path.parent} was written by another version of the sandbox.",
            hint="Remove the directory, or name another one with --state.",
            code="sandbox-unusable",
        )
    for statement in filter(str.strip, _SCHEMA.split(";")):
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {_VERSION}")
