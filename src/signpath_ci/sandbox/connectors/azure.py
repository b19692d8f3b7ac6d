"""Azure DevOps' connector (wire contract, "Azure"). **Inferred**: its payload is not public."""

from __future__ import annotations

from urllib.parse import quote

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.connectors.payload import Build, Payload, find_artifact, find_run, origin_of_run
from signpath_ci.sandbox.service import Service

SYSTEM = "Azure DevOps (dev.azure.com)"
"""How SignPath calls this trusted build system."""


def build_of(payload: Payload, service: Service) -> Build:
    """Return what Azure says about the artifact that a submit names: `azure/{artifactName}.zip` in the store.

    The ZIP has one top folder named as the artifact, as Azure makes it.

    Raises:
        InvalidSubmitError: a field is missing, or there is no such build or artifact.
    """
    build_id = payload.required("azureDevOpsBuildId", "Submit from within a pipeline (Build.BuildId).")
    project_id = payload.required("azureDevOpsProjectId", "Submit from within a pipeline (System.TeamProjectId).")
    collection = payload.required("azureDevOpsCollectionUri", "Submit from within a pipeline (System.CollectionUri).")
    name = payload.required("azureDevOpsArtifactName", "Set azureDevOpsArtifactName to the published artifact's name.")
    payload.required("azureDevOpsToken", "Let the job access the token of the build (System.AccessToken).")
    run = find_run(service.configuration, "azure", build_id, what=f"The build {build_id} of project {project_id}")
    project_url = f"{collection.rstrip('/')}/{quote(project_id, safe='')}"
    build_url = f"{project_url}/_build/results?buildId={quote(build_id, safe='')}"
    return Build(
        system=SYSTEM,
        run=run,
        artifact=find_artifact(
            service.artifact_store,
            "azure",
            f"{name}.zip",
            what=f"The artifact {name} of the build {build_id}",
            how_to_fix="Publish the artifact in a step before this one (PublishBuildArtifacts).",
        ),
        origin=origin_of_run(run) if run else RecordedOrigin(scm="git", build_url=build_url),
    )
