"""The JSON that a connector's submit carries; names are matched without regard to case, as clients write both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.config import Configuration, Run
from signpath_ci.sandbox.policies import RefusalError


class InvalidSubmitError(RefusalError):
    """A submit that a connector can't do anything with, as against one that is not allowed."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """What the CI system says about an artifact.

    Attributes:
        artifact: where it lies in the artifact store.
        origin: what it was built from.
        system: how SignPath calls the trusted build system.
        run: as the configuration knows it.
    """

    artifact: Path
    origin: RecordedOrigin
    system: str
    run: Run | None = None


class Payload:
    """The fields of a submit.

    Args:
        body: JSON.

    Raises:
        InvalidSubmitError: it is not a JSON object.
    """

    def __init__(self, body: bytes) -> None:
        try:
            content = json.loads(body)
            json.dumps(content, ensure_ascii=False).encode()  # half a surrogate pair could not be answered
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise InvalidSubmitError("The body is not a JSON object.", "Send the fields as one JSON object.")
        self._fields = {str(name).lower(): value for name, value in content.items()}

    def optional(self, name: str) -> str | None:
        """Return a field's text; an empty one is none.

        Raises:
            InvalidSubmitError: it is neither text nor a whole number.
        """
        value = self._fields.get(name.lower())
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise InvalidSubmitError(f"The field {name} is no text.", f"Send {name} as a JSON string.")
        return str(value)

    def required(self, name: str, how_to_fix: str = "") -> str:
        """Return a field's text.

        Raises:
            InvalidSubmitError: it is missing.
        """
        value = self.optional(name)
        if value is None:
            raise InvalidSubmitError(f"The field {name} is missing.", how_to_fix or f"Send {name} along.")
        return value

    def parameters(self) -> dict[str, str]:
        """Return the user-defined parameters: `[{"name", "value"}]`.

        Raises:
            InvalidSubmitError: they have another form.
        """
        found = self._fields.get("parameters") or []
        try:
            pairs = [{str(key).lower(): value for key, value in item.items()} for item in found]
            parameters = {pair["name"]: pair["value"] for pair in pairs}
        except (AttributeError, KeyError, TypeError):
            parameters = {"": None}
        if not all(isinstance(text, str) for pair in parameters.items() for text in pair):
            raise InvalidSubmitError(
                "The field parameters has the wrong form.", 'Send a list of {"name": "...", "value": "..."}.'
            )
        return parameters


def find_artifact(store: Path, folder: str, name: str, *, what: str, how_to_fix: str) -> Path:
    """Return the file `name` below a CI system's folder of the artifact store.

    Args:
        store: the artifact store.
        folder: e.g. `github`.
        name: a path; it may not lead out of the folder.
        what: how the artifact is called in a refusal.
        how_to_fix: what to do where it is not there.

    Raises:
        InvalidSubmitError: it is not there.
    """
    root = (store / folder).resolve()
    try:
        path = (root / name).resolve()
        is_there = path.is_relative_to(root) and path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        is_there = False
    if not is_there:
        raise InvalidSubmitError(f"{what} was not found.", how_to_fix)
    return path


def find_run(configuration: Configuration, platform: str, run_id: str, *, what: str) -> Run | None:
    """Return a run as the configuration knows it; `None` where no run of that platform is configured.

    Raises:
        InvalidSubmitError: others are configured, but not this one.
    """
    known = [run for run in configuration.runs if run.platform == platform]
    for run in known:
        if run.id == run_id:
            return run
    if known:
        raise InvalidSubmitError(f"{what} does not exist.", "Submit from within the run that has built the artifact.")
    return None


def origin_of_run(run: Run) -> RecordedOrigin:
    """Return the origin of what a run has built."""
    return RecordedOrigin(
        repository_url=run.repository_url, branch=run.branch, commit=run.commit, scm="git", build_url=run.build_url
    )
