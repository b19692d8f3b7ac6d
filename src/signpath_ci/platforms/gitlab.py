"""GitLab CI/CD."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from signpath_ci.platforms.platform import Platform, given, given_secret, needed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import TextIO

    from signpath_ci.api.connector_payloads import BuildArtifact
    from signpath_ci.clock import Clock
    from signpath_ci.model import Origin
    from signpath_ci.origin.variables import Variables
    from signpath_ci.report.platform import PlatformReporter
    from signpath_ci.settings import Connector, SignSettings
    from signpath_ci.signing.published import Published


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

    def published(self, settings: SignSettings, path: Path) -> Published:
        from signpath_ci.signing.published import Published

        return Published(path=path, is_packed=False)  # GitLab's connector sends one file


def seconds(text: str, *, unit: float) -> float | None:
    """Return the seconds of a limit that is written as a whole number; `None` where it is none, or unlimited (0)."""
    return int(text) * unit if re.fullmatch(r"\d{1,9}", text, re.ASCII) and int(text) else None
