"""The plan that verification follows: the checkout's artifact configuration, resolved against the submitted file."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.errors import ArtifactConfigurationError, SignPathError
from signpath_ci.platforms.collect import stranger_reason
from signpath_ci.settings import SignSettings
from signpath_ci.values import dataclass
from signpath_ci.workflows.configuration_file import (
    ConfigurationFile,
    find_configuration_file,
    read_configuration_file,
)
from signpath_ci.workflows.process import Process

if TYPE_CHECKING:
    from signpath_ci.artifact_configuration.plan import Plan

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Planning:
    """Makes the plan for a submitted file.

    Attributes:
        found: the artifact configuration.
        is_required: it was named: what does not fit it is an error. One that was found is only a copy of what SignPath
            has, so that one which does not fit is left out, with a warning.
        parameters: the request's.
    """

    found: ConfigurationFile
    is_required: bool
    parameters: Mapping[str, str]

    def plan(self, submitted: Path, *, name: str) -> Plan | None:
        """Return the plan; `None` where a configuration that was only found does not fit.

        Raises:
            ArtifactConfigurationError: the one that was named does not fit.
            OSError: the file can't be read.
        """
        from signpath_ci.artifact_configuration.outline import finding_text
        from signpath_ci.artifact_configuration.resolve import make_plan

        with submitted.open("rb") as file:
            plan = make_plan(self.found.configuration, file, name=name, values=self.parameters)
        if not plan.problems:
            return plan
        first = finding_text(plan.problems[0], str(self.found.path))
        if self.is_required:
            raise ArtifactConfigurationError(
                f"SignPath would fail to sign {name} under {self.found.path}.", hint=first, code="would-fail"
            )
        _log.warning("%s does not fit %s, and is not used to verify it: %s", self.found.path, name, first)
        return None


def planning_for(settings: SignSettings, process: Process, parameters: Mapping[str, str]) -> Planning | None:
    """Return what makes plans; `None` where the checkout has no artifact configuration for this run.

    A configuration says which files need no signature, so one that was only found in a checkout which may be a
    stranger's is not used.

    Raises:
        SignPathError: the one that was named can't be read, or is not valid.
    """
    is_required = settings.artifact_configuration_file is not None
    try:
        path = find_configuration_file(settings, process.directory)
        if path is None:
            return None
        if not is_required and not settings.trust_manifest:
            reason = stranger_reason(process.environment, process.directory)
            if reason is not None:
                _log.warning("%s is not used to verify what comes back, since %s.", path, reason)
                return None
        found = read_configuration_file(settings, process.directory)
    except SignPathError as error:
        if is_required:
            raise
        _log.warning("The artifact configuration of the checkout is not used to verify what comes back: %s", error)
        return None
    return Planning(found=found, is_required=is_required, parameters=parameters)
