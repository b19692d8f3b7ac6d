"""Which artifact of which build a connector is to fetch (wire contract, "Connectors"): one class a CI system.

A payload says nothing about the origin: the connector asks the CI system itself, with the token that goes along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from signpath_ci.values import dataclass

if TYPE_CHECKING:
    from signpath_ci.api.connection import Token


class BuildArtifact(Protocol):
    """An artifact in a CI system's own store."""

    @property
    def identity(self) -> str | None:
        """What names it, and never anything else; `None` where the same names may come to mean another content."""
        ...

    def payload(self) -> dict[str, str]:
        """Return the fields that name it, and the token to fetch it with."""
        ...


@dataclass(frozen=True, kw_only=True)
class GitHubArtifact:
    """An artifact of a GitHub Actions run; the names are those of SignPath's own action.

    Attributes:
        artifact_id: the output `artifact-id` of `actions/upload-artifact`.
        run_id: `GITHUB_RUN_ID`.
        repository: `GITHUB_REPOSITORY`.
        token: needs `actions: read` and `contents: read`; dies with the job.
    """

    artifact_id: str
    run_id: str
    repository: str
    token: Token

    @property
    def identity(self) -> str:
        """What names it: an upload that replaces an artifact gets another id."""
        return f"github:{self.repository}/runs/{self.run_id}/artifacts/{self.artifact_id}"

    def payload(self) -> dict[str, str]:
        """Return the fields that name it, and the token to fetch it with."""
        return {
            "artifactId": self.artifact_id,
            "gitHubWorkflowRunId": self.run_id,
            "gitHubRepository": self.repository,
            "gitHubToken": self.token.reveal(),
        }


@dataclass(frozen=True, kw_only=True)
class GitLabArtifact:
    """One file among the artifacts of a GitLab job. **Inferred**: the names in the payload are not public.

    Attributes:
        project_id: `CI_PROJECT_ID`.
        pipeline_id: `CI_PIPELINE_ID`.
        job_name: of the job whose artifacts hold the file.
        path: of the file in them.
        token: of scope `read_api`.
    """

    project_id: str
    pipeline_id: str
    job_name: str
    path: str
    token: Token

    @property
    def identity(self) -> None:
        """Nothing: a job that is retried in the same pipeline puts other artifacts in the place of its own."""
        return

    def payload(self) -> dict[str, str]:
        """Return the fields that name it, and the token to fetch it with."""
        return {
            "gitLabProjectId": self.project_id,
            "gitLabPipelineId": self.pipeline_id,
            "gitLabArtifactJobName": self.job_name,
            "gitLabArtifactPath": self.path,
            "gitLabToken": self.token.reveal(),
        }


@dataclass(frozen=True, kw_only=True)
class AzureArtifact:
    """An artifact of an Azure Pipelines build. **Inferred**: the names in the payload are not public.

    Attributes:
        build_id: `BUILD_BUILDID`.
        project_id: `SYSTEM_TEAMPROJECTID`.
        collection_uri: `SYSTEM_COLLECTIONURI`.
        artifact_name: of the published artifact.
        token: `System.AccessToken`.
    """

    build_id: str
    project_id: str
    collection_uri: str
    artifact_name: str
    token: Token

    @property
    def identity(self) -> str:
        """What names it: a run publishes an artifact of a name once."""
        return f"azure:{self.collection_uri}{self.project_id}/builds/{self.build_id}/artifacts/{self.artifact_name}"

    def payload(self) -> dict[str, str]:
        """Return the fields that name it, and the token to fetch it with."""
        return {
            "azureDevOpsBuildId": self.build_id,
            "azureDevOpsProjectId": self.project_id,
            "azureDevOpsCollectionUri": self.collection_uri,
            "azureDevOpsArtifactName": self.artifact_name,
            "azureDevOpsToken": self.token.reveal(),
        }
