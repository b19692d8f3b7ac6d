"""The action `check` in a pull request, in `act`: what users get wrong fails there, and not at the release."""

from __future__ import annotations

from typing import Any

from tests.platforms.github.act import OURS, REF, Repository
from tests.platforms.github.workflows import Step, workflow
from tests.support.needs import needs
from tests.support.user_errors import USER_ERRORS

pytestmark = needs("act")


def test_every_user_error_fails_in_a_pull_request(repository: Repository) -> None:
    steps: list[Step] = []
    for case in USER_ERRORS:
        case.write(repository.directory / "cases" / case.name)
        given = {"artifact-path": "app.zip", "artifact-configuration-slug": case.slug}
        steps += [
            {"run": f"rm -rf .signpath app.zip; cp -R cases/{case.name}/. ."},
            {"id": case.name, "uses": f"{OURS}/actions/check@{REF}", "with": given, "continue-on-error": True},
        ]
    steps.append({"env": {"STEPS": "${{ toJSON(steps) }}"}, "run": 'printf \'%s\' "$STEPS" >"$RECORD/steps.json"'})

    result = repository.run(workflow(*steps, on="pull_request"), event="pull_request")

    outcomes: dict[str, Any] = result.json("steps")
    assert {case.name: outcomes[case.name]["outcome"] for case in USER_ERRORS} == dict.fromkeys(
        (case.name for case in USER_ERRORS), "failure"
    )
    assert len(result.errors) >= len(USER_ERRORS)
    for case in USER_ERRORS:
        assert any(case.remedy in error for error in result.errors), case.name


def test_build_that_fits_passes_without_a_token(repository: Repository) -> None:
    USER_ERRORS[-2].write(repository.directory)  # its artifact
    path = repository.directory / ".signpath" / "artifact-configurations" / "default.xml"
    path.write_text(USER_ERRORS[4].configuration, "utf-8")
    step = {"id": "it", "uses": f"{OURS}/actions/check@{REF}", "with": {"artifact-path": "app.zip"}}

    result = repository.run(workflow(step, on="pull_request"), event="pull_request")

    assert result.code == 0, result.log
    assert "App.exe: authenticode-sign" in result.log
