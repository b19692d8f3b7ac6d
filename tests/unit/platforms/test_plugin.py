"""What the core makes of a plugin's inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.errors import LocalFileError, UsageError
from signpath_ci.platforms.plugin import plugin_environment

PLUGIN = {"SIGNPATH_PLUGIN": "true"}
GITHUB = {**PLUGIN, "GITHUB_ACTIONS": "true"}
GITLAB = {**PLUGIN, "GITLAB_CI": "true"}


def test_without_a_plugin_the_environment_stays(tmp_path: Path) -> None:
    environment = {"SIGNPATH_OUTPUT": "new/", "SIGNPATH_API_TOKEN_VAR_NAME": "TOKEN", "GITHUB_ACTIONS": "true"}

    assert plugin_environment(environment, tmp_path) is environment
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("output", "made"), [("new/", "new"), ("a/b/app.exe", "a/b"), ("app.exe", "."), ("", "."), ("a\\", "a\\")]
)
def test_directory_of_the_output_is_made(tmp_path: Path, output: str, made: str) -> None:
    found = plugin_environment({**PLUGIN, "SIGNPATH_OUTPUT": output}, tmp_path)

    assert found["SIGNPATH_OUTPUT"] == output
    assert (tmp_path / made).is_dir()
    assert not (tmp_path / "app.exe").exists()


def test_directory_that_can_not_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(LocalFileError) as caught:
        plugin_environment({**PLUGIN, "SIGNPATH_OUTPUT": "file/app.exe"}, tmp_path)

    assert caught.value.code == "unwritable-file"


@pytest.mark.parametrize(("given", "expected"), [({}, "true"), ({"SIGNPATH_INSTALL_VERIFY": "false"}, "false")])
def test_libraries_of_verification_are_installed(tmp_path: Path, given: dict[str, str], expected: str) -> None:
    assert plugin_environment({**PLUGIN, **given}, tmp_path)["SIGNPATH_INSTALL_VERIFY"] == expected


@pytest.mark.parametrize(
    ("name", "value", "is_used"),
    [
        ("SIGNPATH_GITHUB_ARTIFACT_ID", "7", True),
        ("SIGNPATH_GITLAB_ARTIFACT_PATH", "app.exe", True),
        ("SIGNPATH_AZURE_DEVOPS_ARTIFACT_NAME", "drop", True),
        ("SIGNPATH_AZURE_DEVOPS_ARTIFACT_NAME", "$(artifact)", False),
        ("SIGNPATH_ARTIFACT", "app.exe", False),
    ],
)
def test_connector_is_used_for_artifacts_of_the_store(tmp_path: Path, name: str, value: str, is_used: bool) -> None:
    found = plugin_environment({**PLUGIN, "SIGNPATH_CONNECTOR_URL": "https://c.example", name: value}, tmp_path)

    assert ("SIGNPATH_CONNECTOR_URL" in found) is is_used


def test_secrets_are_named(tmp_path: Path) -> None:
    environment = {
        **GITLAB,
        "SIGNPATH_API_TOKEN_VAR_NAME": "TOKEN",
        "SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN_VAR_NAME": "TRUSTED",
        "SIGNPATH_GITLAB_ACCESS_TOKEN_VAR_NAME": "MISSING",
        "TOKEN": "t",
        "TRUSTED": "b",
    }

    straight = plugin_environment(environment, tmp_path)
    connector = plugin_environment({**environment, "SIGNPATH_GITLAB_ARTIFACT_PATH": "app.exe"}, tmp_path)

    assert straight["SIGNPATH_API_TOKEN"] == connector["SIGNPATH_API_TOKEN"] == "t"
    assert straight["SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN"] == "b"
    assert connector["SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN"] == ""
    assert straight["SIGNPATH_GITLAB_ACCESS_TOKEN"] == ""


def test_gitlab_output_of_files_in_place_is_what_the_job_publishes(tmp_path: Path) -> None:
    given = {**GITLAB, "SIGNPATH_OUTPUT": "dist/", "SIGNPATH_IN_PLACE": "true"}

    assert plugin_environment(given, tmp_path)["SIGNPATH_OUTPUT"] == ""


def test_gitlab_directory_takes_the_artifact_under_its_name(tmp_path: Path) -> None:
    given = {**GITLAB, "SIGNPATH_OUTPUT": "dist/", "SIGNPATH_GITLAB_ARTIFACT_PATH": "build/app.exe"}

    assert plugin_environment(given, tmp_path)["SIGNPATH_OUTPUT"] == "dist/app.exe"


@pytest.mark.parametrize(
    ("uploaded", "directory", "unsigned"),
    [("dist", "dist", "dist"), ("dist/app.exe", "{root}/dist", "dist/app.exe")],
)
def test_github_signed_files_go_where_the_unsigned_ones_are(
    tmp_path: Path, uploaded: str, directory: str, unsigned: str
) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "app.exe").touch()

    found = plugin_environment({**GITHUB, "SIGNPATH_UPLOADED_PATH": uploaded}, tmp_path)

    assert found["SIGNPATH_OUTPUT_ARTIFACT_DIRECTORY"] == directory.format(root=tmp_path)
    assert found["SIGNPATH_UNSIGNED"] == unsigned


def test_github_pattern_needs_a_directory(tmp_path: Path) -> None:
    pattern = {**GITHUB, "SIGNPATH_UPLOADED_PATH": "dist/*.exe"}

    with pytest.raises(UsageError) as caught:
        plugin_environment(pattern, tmp_path)
    found = plugin_environment({**pattern, "SIGNPATH_OUTPUT_ARTIFACT_DIRECTORY": "signed"}, tmp_path)

    assert caught.value.code == "no-output"
    assert found["SIGNPATH_OUTPUT_ARTIFACT_DIRECTORY"] == "signed"
    assert "SIGNPATH_UNSIGNED" not in found
