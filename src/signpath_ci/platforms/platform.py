"""What a CI system is to this program; each is one subclass, in one module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signpath_ci.errors import UsageError
from signpath_ci.text import is_unexpanded_macro

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


class Platform:
    """A CI system.

    Attributes:
        name: as in `Origin.platform`.
        title: for people.
        variable: the environment variable by which it is detected.
        event_variable: the one that says what started the build, in the CI system's own words.
        strangers_events: events by which a stranger's change starts a build with the rights of the repository.
        artifact_variable: the option's variable that names an artifact in the CI system's store; empty: there is none.
        workspace_variable: the one that names the repository's root; empty where there is none.
    """

    name: str
    title: str
    variable: str
    event_variable: str
    strangers_events: frozenset[str] = frozenset()
    artifact_variable = ""
    workspace_variable = ""

    def is_here(self, environment: Mapping[str, str]) -> bool:
        """Tell whether this process is part of a job of the CI system."""
        return environment.get(self.variable, "").strip().lower() == "true"

    def describe(self, variables: Variables, directory: Path) -> Origin:
        """Return the origin of the build.

        Raises:
            UsageError: a variable is missing, malformed, or contradicts another.
        """
        raise NotImplementedError

    def reporter(
        self, stream: TextIO, environment: Mapping[str, str], directory: Path, clock: Clock
    ) -> PlatformReporter:
        """Return what tells the CI system of the run.

        Args:
            stream: of the job's log.
            environment: may name files of the CI system.
            directory: the current directory.
            clock: the time.
        """
        raise NotImplementedError

    def event(self, environment: Mapping[str, str]) -> str | None:
        """Return what started the build; policy rules use it."""
        return value_of(environment, self.event_variable)

    def job_limit(self, environment: Mapping[str, str]) -> float | None:
        """Return the seconds after which the CI system ends this job; `None` where that is not known."""
        del environment
        return None

    def definition(self, environment: Mapping[str, str]) -> str | None:
        """Return the path of the pipeline's definition in the repository; `None` where it has none, or is unknown."""
        del environment
        return None

    def adapt_inputs(self, environment: dict[str, str], directory: Path) -> None:
        """Change the variables that a plugin passes where its inputs do not mean just what the options do.

        Raises:
            UsageError: the inputs do not say where the signed files go.
        """

    def build_artifact(self, settings: Connector, environment: Mapping[str, str]) -> BuildArtifact:
        """Return which artifact of this build a connector is to fetch.

        Raises:
            UsageError: connectors know no such CI system, or an option or variable is missing.
        """
        raise no_connector()

    def published(self, settings: SignSettings, path: Path) -> Published:
        """Return how the CI system packs what was published as an artifact, to compare it with what comes back."""
        raise no_connector()

    def artifact_api(self, settings: Connector, environment: Mapping[str, str]) -> tuple[str, Secret]:
        """Return the base URL of the CI system's own API, and the job's token for it.

        Raises:
            UsageError: a variable or option is missing.
        """
        raise no_connector()

    def stored_artifact(
        self, settings: Connector, environment: Mapping[str, str], store: ArtifactStore
    ) -> StoredArtifact:
        """Return where the artifact that `build_artifact` names is downloaded.

        Raises:
            ArtifactUnavailableError: it can't be had.
            UsageError: a variable or option is missing.
        """
        raise no_connector()


def no_connector() -> UsageError:
    """Return the error for a build whose artifacts no connector fetches."""
    return UsageError(
        "A connector fetches artifacts of GitHub Actions, GitLab CI or Azure Pipelines, and this is none of them.",
        hint="Sign a file directly: leave out --connector-url (SIGNPATH_CONNECTOR_URL) and name the file.",
        code="no-connector-platform",
    )


def value_of(environment: Mapping[str, str], name: str) -> str | None:
    """Return the value of a variable; `None` where it is unset, empty, or an unexpanded macro."""
    value = environment.get(name, "")
    return None if not value or is_unexpanded_macro(value) else value


def needed(environment: Mapping[str, str], name: str) -> str:
    """Return the value of a variable that names the build to a connector.

    Raises:
        UsageError: it has none.
    """
    value = value_of(environment, name)
    if value is None:
        raise UsageError(
            f"{name} is not set, which names the build to the connector.",
            hint="Run in a CI job.",
            code="no-build-variable",
        )
    return value


def given(settings: Connector, name: str) -> str:
    """Return an option that names the artifact to a connector.

    Raises:
        UsageError: it is not given.
    """
    value = getattr(settings, name)
    if value is None:
        raise _not_given(settings, name)
    return str(value)


def given_secret(settings: Connector, name: str) -> Secret:
    """Return the token with which a connector fetches the artifact.

    Raises:
        UsageError: it is not given.
    """
    value: Secret | None = getattr(settings, name)
    if value is None:
        raise _not_given(settings, name)
    return value


def _not_given(settings: Connector, name: str) -> UsageError:
    from signpath_ci.settings import options

    label = next(row.label for row in options(type(settings)) if row.name == name)
    return UsageError(
        f"Not given: {label}.", hint="The connector needs it to fetch the artifact.", code="no-build-artifact-given"
    )
