"""GitLab CI/CD."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from signpath_ci.platforms.platform import Platform, given, given_secret, needed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import TextIO

    from signpath_ci.api.connector_payloads import BuildArtifact
    from signpath_ci.api.stored_artifacts import ArtifactStore, StoredArtifact
    from signpath_ci.clock import Clock
    from signpath_ci.model import Origin
    from signpath_ci.origin.variables import Variables
    from signpath_ci.report.platform import PlatformReporter
    from signpath_ci.settings import Connector, Secret, SignSettings
    from signpath_ci.signing.published import Published

_PAGE = 100
"""Jobs that GitLab lists at once, at most."""
_MOST_PAGES = 50


class GitLab(Platform):
    """GitLab CI/CD."""

    name = "gitlab"
    title = "GitLab CI/CD"
    variable = "GITLAB_CI"
    event_variable = "CI_PIPELINE_SOURCE"
    strangers_events = frozenset({"external_pull_request_event"})
    artifact_variable = "SIGNPATH_GITLAB_ARTIFACT_PATH"
    workspace_variable = "CI_PROJECT_DIR"

    def is_here(self, environment: Mapping[str, str]) -> bool:
        # Programs that play GitLab locally set the variable to `false`.
        return environment.get(self.variable, "").strip().lower() not in {"", "false", "0"}

    def describe(self, variables: Variables, directory: Path) -> Origin:
        from signpath_ci.origin import gitlab

        return gitlab.describe(variables)

    def reporter(
        self, stream: TextIO, environment: Mapping[str, str], directory: Path, clock: Clock
    ) -> PlatformReporter:
        from signpath_ci.report.gitlab import GitLabReporter

        return GitLabReporter(stream, environment, directory, clock)

    def job_limit(self, environment: Mapping[str, str]) -> float | None:
        # In seconds: <https://docs.gitlab.com/ci/variables/predefined_variables/>
        return seconds(environment.get("CI_JOB_TIMEOUT", ""), unit=1.0)

    def definition(self, environment: Mapping[str, str]) -> str | None:
        path = environment.get("CI_CONFIG_PATH", "")
        # path@group/project, or a URL: not in this repository
        return path if path and "@" not in path and "://" not in path else None

    def adapt_inputs(self, environment: dict[str, str], directory: Path) -> None:
        output, artifact = (environment.get(f"SIGNPATH_{name}", "") for name in ("OUTPUT", "GITLAB_ARTIFACT_PATH"))
        if environment.get("SIGNPATH_IN_PLACE") == "true":
            environment["SIGNPATH_OUTPUT"] = ""  # it only says what the job publishes
        elif artifact and output.endswith("/"):
            environment["SIGNPATH_OUTPUT"] = output + PurePosixPath(artifact).name

    def build_artifact(self, settings: Connector, environment: Mapping[str, str]) -> BuildArtifact:
        from signpath_ci.api.connector_payloads import GitLabArtifact

        return GitLabArtifact(
            project_id=needed(environment, "CI_PROJECT_ID"),
            pipeline_id=needed(environment, "CI_PIPELINE_ID"),
            job_name=given(settings, "gitlab_artifact_job_name"),
            path=given(settings, "gitlab_artifact_path"),
            token=given_secret(settings, "gitlab_access_token"),
        )

    def artifact_api(self, settings: Connector, environment: Mapping[str, str]) -> tuple[str, Secret]:
        return needed(environment, "CI_API_V4_URL"), given_secret(settings, "gitlab_access_token")

    def stored_artifact(
        self, settings: Connector, environment: Mapping[str, str], store: ArtifactStore
    ) -> StoredArtifact:
        # <https://docs.gitlab.com/api/job_artifacts/>: by the job of this pipeline, never by a branch's latest one.
        from signpath_ci.api.stored_artifacts import StoredArtifact

        project = f"projects/{quote(needed(environment, 'CI_PROJECT_ID'), safe='')}"
        pipeline = quote(needed(environment, "CI_PIPELINE_ID"), safe="")
        name, path = given(settings, "gitlab_artifact_job_name"), given(settings, "gitlab_artifact_path")
        job = _job(store, f"{project}/pipelines/{pipeline}/jobs", name)
        return StoredArtifact(
            url=store.url(f"{project}/jobs/{job}/artifacts/{quote(path)}"),
            name=PurePosixPath(path).name or "artifact",
            is_archive=False,
        )

    def published(self, settings: SignSettings, path: Path) -> Published:
        from signpath_ci.signing.published import Published

        return Published(path=path, is_packed=False)  # GitLab's connector sends one file


def _job(store: ArtifactStore, path: str, name: str) -> int:
    """Return the id of the one job of a name in a pipeline."""
    from signpath_ci.api.stored_artifacts import ArtifactUnavailableError

    found: set[int] = set()
    for page in range(1, _MOST_PAGES + 1):
        jobs = store.json(f"{path}?include_retried=false&per_page={_PAGE}&page={page}")
        if not isinstance(jobs, list):
            raise ArtifactUnavailableError("GitLab's answer about the pipeline's jobs is not a list")
        named = [job.get("id") for job in jobs if isinstance(job, dict) and job.get("name") == name]
        found |= {number for number in named if isinstance(number, int)}
        if len(jobs) < _PAGE:
            break
    if len(found) != 1:
        raise ArtifactUnavailableError(f"the pipeline has {len(found)} jobs of the name {name!r}")
    return found.pop()


def seconds(text: str, *, unit: float) -> float | None:
    """Return the seconds of a limit that is written as a whole number; `None` where it is none, or unlimited (0)."""
    return int(text) * unit if re.fullmatch(r"\d{1,9}", text, re.ASCII) and int(text) else None
