"""The connector way of `signpath-ci sign`: which artifact of which build, by the platform that the run is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signpath_ci.commands import Process
from signpath_ci.commands.connection import connect_connector
from signpath_ci.commands.earlier import receipt_file
from signpath_ci.commands.policy import with_policy
from signpath_ci.commands.request import origin_for, request_fields
from signpath_ci.commands.session import verified
from signpath_ci.commands.verification import packages
from signpath_ci.errors import UsageError
from signpath_ci.pipeline import SigningResult
from signpath_ci.pipeline_connector import Delivery, sign_build_artifact
from signpath_ci.report import Reporter
from signpath_ci.settings import SignSettings
from signpath_ci.settings.declaration import Secret, options
from signpath_ci.signing.published import Published

if TYPE_CHECKING:
    from signpath_ci.api.connector_payloads import BuildArtifact


def sign_through_connector(settings: SignSettings, process: Process, reporter: Reporter, *, url: str) -> SigningResult:
    """Have SignPath fetch the artifact from the CI system itself, and deliver what was signed.

    Raises:
        SignPathError: the run failed.
    """
    origin = origin_for(settings, process)
    chosen = with_policy(settings, process, lambda: origin)
    reporter.planned(project=chosen.project_slug, policy=chosen.signing_policy_slug, origin=origin)
    delivery = Delivery(
        directory=settings.output_artifact_directory,
        file=settings.output,
        as_sent=settings.skip_decompress,
        force=settings.force,
        expectations=verified(settings, settings),
        packages=packages(settings, process),
        unsigned=_published(settings, origin.platform),
    )
    artifact = _build_artifact(settings, process, origin.platform)
    return sign_build_artifact(
        artifact,
        request_fields(chosen, process, origin),
        delivery if settings.wait_for_completion else None,
        timeout=settings.wait_for_completion_timeout,
        connector=connect_connector(settings, process, reporter, url=url),
        reporter=reporter,
        clock=process.clock,
        receipt=receipt_file(settings.receipt, settings, origin) if settings.receipt else None,
    )


def _published(settings: SignSettings, platform: str) -> Published | None:
    if settings.unsigned is None:
        return None
    return Published(
        path=settings.unsigned,
        folder=settings.azure_devops_artifact_name if platform == "azure" else None,
        # GitLab's connector sends one file; and so is GitHub's artifact where it was uploaded so.
        is_packed=platform != "gitlab" and not (settings.skip_decompress and settings.unsigned.is_file()),
    )


def _build_artifact(settings: SignSettings, process: Process, platform: str) -> BuildArtifact:
    from signpath_ci.api.connector_payloads import AzureArtifact, GitHubArtifact, GitLabArtifact

    def variable(name: str) -> str:
        text = process.environment.get(name, "")
        if not text:
            raise UsageError(
                f"{name} is not set, which names the build to the connector.",
                hint="Run in a CI job.",
                code="no-build-variable",
            )
        return text

    def given(name: str) -> str:
        value = getattr(settings, name)
        if value is None:
            raise _not_given(name)
        return str(value)

    def token(name: str) -> Secret:
        value = getattr(settings, name)
        if not isinstance(value, Secret):
            raise _not_given(name)
        return value

    if platform == "github":
        return GitHubArtifact(
            artifact_id=given("github_artifact_id"),
            run_id=variable("GITHUB_RUN_ID"),
            repository=variable("GITHUB_REPOSITORY"),
            token=token("github_token"),
        )
    if platform == "gitlab":
        return GitLabArtifact(
            project_id=variable("CI_PROJECT_ID"),
            pipeline_id=variable("CI_PIPELINE_ID"),
            job_name=given("gitlab_artifact_job_name"),
            path=given("gitlab_artifact_path"),
            token=token("gitlab_access_token"),
        )
    if platform == "azure":
        return AzureArtifact(
            build_id=variable("BUILD_BUILDID"),
            project_id=variable("SYSTEM_TEAMPROJECTID"),
            collection_uri=variable("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"),
            artifact_name=given("azure_devops_artifact_name"),
            token=token("azure_devops_token"),
        )
    raise UsageError(
        "A connector fetches artifacts of GitHub Actions, GitLab CI or Azure Pipelines, and this is none of them.",
        hint="Sign a file directly: leave out --connector-url (SIGNPATH_CONNECTOR_URL) and name the file.",
        code="no-connector-platform",
    )


def _not_given(name: str) -> UsageError:
    label = next(row.label for row in options(SignSettings) if row.name == name)
    return UsageError(
        f"Not given: {label}.", hint="The connector needs it to fetch the artifact.", code="no-build-artifact-given"
    )
