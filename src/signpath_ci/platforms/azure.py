"""Azure Pipelines, in the cloud and on an Azure DevOps Server."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from signpath_ci.platforms.gitlab import seconds
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


class Azure(Platform):
    """Azure Pipelines."""

    name = "azure"
    title = "Azure Pipelines"
    variable = "TF_BUILD"
    event_variable = "BUILD_REASON"
    artifact_variable = "SIGNPATH_AZURE_DEVOPS_ARTIFACT_NAME"
    # Completed pipelines, which may have been those of a fork's pull request.
    strangers_events = frozenset({"ResourceTrigger", "BuildCompletion"})

    def describe(self, variables: Variables, directory: Path) -> Origin:
        from signpath_ci.origin import azure

        return azure.describe(variables)

    def reporter(
        self, stream: TextIO, environment: Mapping[str, str], directory: Path, clock: Clock
    ) -> PlatformReporter:
        from signpath_ci.report.azure import AzureReporter

        return AzureReporter(stream, environment)

    def job_limit(self, environment: Mapping[str, str]) -> float | None:
        # In minutes: <https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables>
        return seconds(environment.get("SYSTEM_JOBTIMEOUT", ""), unit=60.0)

    def build_artifact(self, settings: Connector, environment: Mapping[str, str]) -> BuildArtifact:
        from signpath_ci.api.connector_payloads import AzureArtifact

        return AzureArtifact(
            build_id=needed(environment, "BUILD_BUILDID"),
            project_id=needed(environment, "SYSTEM_TEAMPROJECTID"),
            collection_uri=needed(environment, "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"),
            artifact_name=given(settings, "azure_devops_artifact_name"),
            token=given_secret(settings, "azure_devops_token"),
        )

    def artifact_api(self, settings: Connector, environment: Mapping[str, str]) -> tuple[str, Secret]:
        return needed(environment, "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"), given_secret(settings, "azure_devops_token")

    def stored_artifact(
        self, settings: Connector, environment: Mapping[str, str], store: ArtifactStore
    ) -> StoredArtifact:
        # <https://learn.microsoft.com/en-us/rest/api/azure/devops/build/artifacts/get-artifact>
        from signpath_ci.api.stored_artifacts import ArtifactUnavailableError, StoredArtifact

        project, build = (quote(needed(environment, n), safe="") for n in ("SYSTEM_TEAMPROJECTID", "BUILD_BUILDID"))
        name = quote(given(settings, "azure_devops_artifact_name"), safe="")
        said = store.json(f"{project}/_apis/build/builds/{build}/artifacts?artifactName={name}&api-version=7.1")
        resource = said.get("resource") if isinstance(said, dict) else None
        url = resource.get("downloadUrl") if isinstance(resource, dict) else None
        if not isinstance(url, str) or not url:
            raise ArtifactUnavailableError("Azure DevOps names no download for it, as for one on a file share")
        if not store.is_here(url):
            raise ArtifactUnavailableError("Azure DevOps keeps its content on another host, which gets no token")
        return StoredArtifact(url=url, name="artifact.zip")

    def published(self, settings: SignSettings, path: Path) -> Published:
        from signpath_ci.signing.published import Published

        # Azure packs an artifact in a folder of its name.
        return Published(path=path, folder=settings.azure_devops_artifact_name)
