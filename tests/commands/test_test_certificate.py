"""A release that is signed by a test certificate is a warning: such have been shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.program import Program

_JOB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/app",
    "GITHUB_SHA": "0" * 40,
    "GITHUB_RUN_ID": "42",
    "GITHUB_EVENT_NAME": "push",
}


@pytest.mark.parametrize(("ref", "is_warned"), [("refs/tags/v1.0", True), ("refs/heads/main", False)])
def test_a_tag_build_warns_of_a_test_certificate(
    program: Program, executable: Path, ref: str, *, is_warned: bool
) -> None:
    finished = program("sign", executable, **_JOB, GITHUB_REF=ref)

    assert finished.code == 0, finished.err
    assert ("calls itself a test certificate" in finished.err) is is_warned
