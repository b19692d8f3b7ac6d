"""GitLab's connector (wire contract, "GitLab"). **Inferred**: its payload is not public."""

from __future__ import annotations

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.connectors.payload import Build, Payload, find_artifact, find_run, origin_of_run
from signpath_ci.sandbox.service import Service

SYSTEM = "GitLab.com"
"""How SignPath calls this trusted build system."""


def build_of(payload: Payload, service: Service) -> Build:
    """Return what GitLab says about the artifact that a submit names: `gitlab/{jobName}/{path}` in the store.

    Raises:
        InvalidSubmitError: a field is missing, or there is no such pipeline or artifact.
    """
    project_id = payload.required("gitLabProjectId", "Submit from within a pipeline (CI_PROJECT_ID).")
    pipeline_id = payload.required("gitLabPipelineId", "Submit from within a pipeline (CI_PIPELINE_ID).")
    job = payload.required("gitLabArtifactJobName", "Set gitlab_artifact_job_name to the job that builds the artifact.")
    path = payload.required("gitLabArtifactPath", "Set gitlab_artifact_path to one file among the job's artifacts.")
    payload.required("gitLabToken", "Set gitlab_access_token_var_name to a variable with a token of scope read_api.")
    run = find_run(
        service.configuration, "gitlab", pipeline_id, what=f"The pipeline {pipeline_id} of project {project_id}"
    )
    return Build(
        system=SYSTEM,
        run=run,
        artifact=find_artifact(
            service.artifact_store,
            f"gitlab/{job}" if job not in {".", ".."} else "gitlab/-",
            path,
            what=f"The artifact {path} of the job {job}",
            how_to_fix="List the file under artifacts: paths: of that job, and run the job before this one.",
        ),
        origin=origin_of_run(run) if run else RecordedOrigin(scm="git"),
    )
