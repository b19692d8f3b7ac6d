"""GitHub Actions' connector (wire contract, "GitHub"; read in SignPath's action)."""

from __future__ import annotations

from pathlib import Path

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.connectors.payload import (
    Build,
    InvalidSubmitError,
    Payload,
    find_artifact,
    find_run,
    origin_of_run,
)
from signpath_ci.sandbox.service import Service

_SERVER = "https://github.com"
SYSTEM = "GitHub.com"
"""How SignPath calls this trusted build system."""


def build_of(payload: Payload, service: Service) -> Build:
    """Return what GitHub says about the artifact that a submit names; `find` says where it lies in the store.

    Raises:
        InvalidSubmitError: a field is missing, or there is no such run or artifact.
    """
    artifact_id = payload.required(
        "artifactId", "Set github-artifact-id to the output artifact-id of the step that uploads the artifact."
    )
    run_id = payload.required("gitHubWorkflowRunId", "Submit from within a workflow run (GITHUB_RUN_ID).")
    repository = payload.required("gitHubRepository", "Submit from within a workflow run (GITHUB_REPOSITORY).")
    payload.required(
        "gitHubToken", "Set github-token; the token needs the permissions actions: read and contents: read."
    )
    url = f"{_SERVER}/{repository}"
    run = find_run(service.configuration, "github", run_id, what=f"The workflow run {run_id} of {repository}")
    if run and not run.repository_url.rstrip("/").removesuffix(".git").endswith(f"/{repository}"):
        raise InvalidSubmitError(
            f"The workflow run {run_id} belongs to {run.repository_url}, not to {repository}.",
            "Submit from within the run that has built the artifact.",
        )
    return Build(
        system=SYSTEM,
        run=run,
        artifact=find(service.artifact_store, artifact_id, repository),
        origin=origin_of_run(run)
        if run
        else RecordedOrigin(repository_url=url, scm="git", build_url=f"{url}/actions/runs/{run_id}"),
    )


def find(store: Path, artifact_id: str, repository: str) -> Path:
    """Return the file of an artifact in the store.

    `github/{id}/NAME.zip` is an artifact called NAME; `github/{id}/FILE` one that was uploaded with `archive: false`;
    `github/{id}.zip` one without a name of its own.

    Raises:
        InvalidSubmitError: it is not there.
    """
    what = f"The artifact {artifact_id} of {repository}"
    how_to_fix = "Upload the artifact before it is submitted, and pass on the artifact-id of that step."
    directory = store / "github" / artifact_id
    if artifact_id.isdecimal() and directory.is_dir():
        for name in sorted(path.name for path in directory.iterdir()):
            return find_artifact(store, f"github/{artifact_id}", name, what=what, how_to_fix=how_to_fix)
    return find_artifact(store, "github", f"{artifact_id}.zip", what=what, how_to_fix=how_to_fix)
