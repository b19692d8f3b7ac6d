"""GitHub Actions, and Gitea's and Forgejo's, which speak the same variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from signpath_ci.errors import UsageError
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

# <https://docs.github.com/en/actions/reference/limits>; a shorter `timeout-minutes` is not in the environment.
_LIMIT_OF_HOSTED_RUNNERS = 6 * 3600.0
# owner/name/.github/workflows/build.yml@refs/heads/main; the reference may hold an @ itself.
_WORKFLOW_REF = re.compile(r"(?P<repository>[^/]+/[^/]+)/(?P<path>[^@]+)@.+", re.DOTALL)


class GitHub(Platform):
    """GitHub Actions."""

    name = "github"
    title = "GitHub Actions"
    variable = "GITHUB_ACTIONS"
    event_variable = "GITHUB_EVENT_NAME"
    strangers_events = frozenset(
        {
            "issue_comment",
            "pull_request_review",
            "pull_request_review_comment",
            "pull_request_target",
            "workflow_run",
        }
    )
    artifact_variable = "SIGNPATH_GITHUB_ARTIFACT_ID"
    workspace_variable = "GITHUB_WORKSPACE"

    def is_here(self, environment: Mapping[str, str]) -> bool:
        return environment.get(self.variable) == "true"

    def describe(self, variables: Variables, directory: Path) -> Origin:
        from signpath_ci.origin import github

        return github.describe(variables, directory)

    def reporter(
        self, stream: TextIO, environment: Mapping[str, str], directory: Path, clock: Clock
    ) -> PlatformReporter:
        from signpath_ci.report.github import GitHubReporter

        return GitHubReporter(stream, environment)

    def job_limit(self, environment: Mapping[str, str]) -> float | None:
        return _LIMIT_OF_HOSTED_RUNNERS if environment.get("RUNNER_ENVIRONMENT") == "github-hosted" else None

    def definition(self, environment: Mapping[str, str]) -> str | None:
        found = _WORKFLOW_REF.fullmatch(environment.get("GITHUB_WORKFLOW_REF", ""))
        # An organization may require a workflow that lies in another repository.
        is_own = found and found["repository"].casefold() == environment.get("GITHUB_REPOSITORY", "").casefold()
        return found["path"] if found and is_own else None

    def adapt_inputs(self, environment: dict[str, str], directory: Path) -> None:
        uploaded = environment.pop("SIGNPATH_UPLOADED_PATH", "")
        if not uploaded:
            return
        # The signed files belong where actions/upload-artifact has taken the root of the artifact.
        place = ""
        if (directory / uploaded).is_dir():
            place = uploaded
        elif (directory / uploaded).is_file():
            place = str((directory / uploaded).parent)
        if place:  # else it holds patterns: which files they were is not known
            environment["SIGNPATH_UNSIGNED"] = uploaded
        if not environment.get("SIGNPATH_OUTPUT_ARTIFACT_DIRECTORY"):
            environment["SIGNPATH_OUTPUT_ARTIFACT_DIRECTORY"] = place
        if not environment["SIGNPATH_OUTPUT_ARTIFACT_DIRECTORY"]:
            raise UsageError(
                "The input path names no single file or directory, so where the signed files go is not known.",
                hint="Give the input output-artifact-directory.",
                code="no-output",
            )

    def build_artifact(self, settings: Connector, environment: Mapping[str, str]) -> BuildArtifact:
        from signpath_ci.api.connector_payloads import GitHubArtifact

        return GitHubArtifact(
            artifact_id=given(settings, "github_artifact_id"),
            run_id=needed(environment, "GITHUB_RUN_ID"),
            repository=needed(environment, "GITHUB_REPOSITORY"),
            token=given_secret(settings, "github_token"),
        )

    def artifact_api(self, settings: Connector, environment: Mapping[str, str]) -> tuple[str, Secret]:
        return needed(environment, "GITHUB_API_URL"), given_secret(settings, "github_token")

    def stored_artifact(
        self, settings: Connector, environment: Mapping[str, str], store: ArtifactStore
    ) -> StoredArtifact:
        # <https://docs.github.com/en/rest/actions/artifacts>
        from signpath_ci.api.stored_artifacts import ArtifactUnavailableError, StoredArtifact

        repository = quote(needed(environment, "GITHUB_REPOSITORY"))
        path = f"repos/{repository}/actions/artifacts/{quote(given(settings, 'github_artifact_id'), safe='')}"
        said = store.json(path)
        if not isinstance(said, dict):
            raise ArtifactUnavailableError("GitHub's answer about it is not an object")
        if said.get("expired") is True:
            raise ArtifactUnavailableError("it has expired")
        digest = re.fullmatch(r"sha256:([0-9a-f]{64})", str(said.get("digest") or ""))
        return StoredArtifact(url=store.url(f"{path}/zip"), name="artifact.zip", sha256=digest[1] if digest else None)

    def published(self, settings: SignSettings, path: Path) -> Published:
        from signpath_ci.signing.published import Published

        return Published(path=path, has_hidden=settings.include_hidden_files, exclude=settings.exclude)
