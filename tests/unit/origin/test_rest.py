from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from signpath_ci.model import Origin
from signpath_ci.origin.rest import rest_origin_fields
from signpath_ci.platforms.collect import build_settings_file

ORIGIN = Origin(
    platform="github",
    repository_url="https://github.com/acme/widget",
    branch="main",
    commit="a" * 40,
    scm="git",
    build_url="https://github.com/acme/widget/actions/runs/1",
)
FIELDS = {
    "origin.repositoryData.sourceControlManagementType": "git",
    "origin.repositoryData.url": "https://github.com/acme/widget",
    "origin.repositoryData.branchName": "main",
    "origin.repositoryData.commitId": "a" * 40,
    "origin.buildData.url": "https://github.com/acme/widget/actions/runs/1",
}


def test_fields_by_their_name_on_the_wire() -> None:
    assert rest_origin_fields(ORIGIN) == FIELDS


def test_a_tag_build_sends_the_confirmed_branch() -> None:
    tagged = replace(ORIGIN, branch=None, tag="v1")
    assert rest_origin_fields(tagged, "release/1.x") == FIELDS | {"origin.repositoryData.branchName": "release/1.x"}


def test_what_is_unknown_is_left_out() -> None:
    assert rest_origin_fields(Origin(platform="local")) == {}


def github(path: str, *, repository: str = "acme/widget", ref: str = "refs/heads/main") -> dict[str, str]:
    return {"GITHUB_REPOSITORY": repository, "GITHUB_WORKFLOW_REF": f"Acme/Widget/{path}@{ref}"}


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / ".git").mkdir(parents=True)
    (root / ".github" / "workflows").mkdir(parents=True)
    (root / ".github" / "workflows" / "release.yml").write_text("on: push\n")
    (root / ".gitlab-ci.yml").write_text("sign: {}\n")
    (root / "below").mkdir()
    (root / "ci.yml@acme").mkdir()
    (root / "ci.yml@acme" / "pipelines").write_text("not what GitLab means by that name")
    (tmp_path / "secret.yml").write_text("secret")
    (root / "link.yml").symlink_to(tmp_path / "secret.yml")
    (root / "inner.yml").symlink_to(root / ".gitlab-ci.yml")
    (root / "loop.yml").symlink_to(root / "loop.yml")
    return root


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/heads/user@home/x", "refs/tags/v1"])
@pytest.mark.parametrize("below", ["", "below"])
def test_github_names_the_workflow(root: Path, ref: str, below: str) -> None:
    env = github(".github/workflows/release.yml", ref=ref)
    assert build_settings_file(ORIGIN, env, root / below) == root / ".github" / "workflows" / "release.yml"


def test_the_workspace_where_the_build_runs_elsewhere(root: Path, tmp_path: Path) -> None:
    env = github(".github/workflows/release.yml") | {"GITHUB_WORKSPACE": str(root)}
    assert build_settings_file(ORIGIN, env, tmp_path) == root / ".github" / "workflows" / "release.yml"


@pytest.mark.parametrize(
    "env",
    [
        {},
        github(".github/workflows/missing.yml"),
        github(".github/workflows/release.yml", repository="acme/other"),
        github(".github/workflows"),
        github("../secret.yml"),
        github("below/../../secret.yml"),
        github("/secret.yml"),
        github("below\\release.yml"),
        github("nul\0.yml"),
        github("link.yml"),
        github("loop.yml"),
        {"GITHUB_REPOSITORY": "acme/widget", "GITHUB_WORKFLOW_REF": "acme/widget/.github/workflows/release.yml"},
    ],
)
def test_github_names_no_file_of_this_checkout(root: Path, env: dict[str, str]) -> None:
    assert build_settings_file(ORIGIN, env, root) is None


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".gitlab-ci.yml", ".gitlab-ci.yml"),
        ("inner.yml", ".gitlab-ci.yml"),
        ("", None),
        ("ci.yml@acme/pipelines", None),
        ("https://example.com/ci.yml", None),
        ("link.yml", None),
        ("../secret.yml", None),
    ],
)
def test_gitlab(root: Path, path: str, found: str | None) -> None:
    origin = replace(ORIGIN, platform="gitlab")
    expected = None if found is None else root / found
    assert build_settings_file(origin, {"CI_CONFIG_PATH": path}, root) == expected


def test_azure_has_no_variable_for_it(root: Path) -> None:
    assert build_settings_file(replace(ORIGIN, platform="azure"), {"CI_CONFIG_PATH": ".gitlab-ci.yml"}, root) is None
