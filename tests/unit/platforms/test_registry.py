"""A CI system is one class, and one line in the registry."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import pytest

from signpath_ci import platforms
from signpath_ci.clock import Clock
from signpath_ci.errors import UsageError
from signpath_ci.model import Origin
from signpath_ci.origin.variables import Variables
from signpath_ci.platforms.collect import collect_origin
from signpath_ci.platforms.platform import Platform
from signpath_ci.report.platform import PlatformReporter
from signpath_ci.settings import SignSettings, load
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.submission import with_policy

GIVEN = {
    "SIGNPATH_API_TOKEN": "token-value",
    "SIGNPATH_ORGANIZATION_ID": "12345678-90ab-cdef-1234-567890abcdef",
    "SIGNPATH_PROJECT_SLUG": "demo",
    "SIGNPATH_SIGNING_POLICY_SLUG": "event nightly: nightly-signing, *: test-signing",
}
JOB = {"DRONE": "true", "DRONE_BRANCH": "main", "DRONE_BUILD_EVENT": "nightly"}


class Drone(Platform):
    """A CI system that this program does not have."""

    name = "drone"
    title = "Drone"
    variable = "DRONE"
    event_variable = "DRONE_BUILD_EVENT"

    def describe(self, variables: Variables, directory: Path) -> Origin:
        return Origin(platform=self.name, branch=variables.ref("DRONE_BRANCH"))

    def reporter(
        self, stream: TextIO, environment: Mapping[str, str], directory: Path, clock: Clock
    ) -> PlatformReporter:
        return PlatformReporter(stream)

    def job_limit(self, environment: Mapping[str, str]) -> float | None:
        return 60.0


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Process:
    monkeypatch.setattr(platforms, "PLATFORMS", (*platforms.PLATFORMS, Drone()))
    return Process(environment=JOB, directory=tmp_path, stdout=io.StringIO(), stderr=io.StringIO())


def test_one_class_is_a_ci_system(process: Process) -> None:
    origin = collect_origin(process.environment, process.directory)
    chosen = with_policy(load(SignSettings, {"artifact": ["app.exe"]}, GIVEN), process, lambda: origin)

    assert (origin.platform, origin.branch) == ("drone", "main")
    assert type(process.platform) is PlatformReporter
    assert chosen.signing_policy_slug == "nightly-signing"


def test_build_of_two_ci_systems_is_an_error(process: Process) -> None:
    with pytest.raises(UsageError) as caught:
        collect_origin({**JOB, "GITLAB_CI": "true"}, process.directory)

    assert caught.value.code == "ambiguous-platform"


def test_every_ci_system_has_a_name_and_a_variable_of_its_own() -> None:
    for attribute in ("name", "variable", "event_variable", "artifact_variable"):
        values = [getattr(platform, attribute) for platform in platforms.PLATFORMS]
        assert len(set(values)) == len(values) == len([value for value in values if value])
