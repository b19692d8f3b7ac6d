"""The configuration file: what it can say, and how it is told that it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.errors import UsageError
from signpath_ci.sandbox.config import (
    ArtifactConfiguration,
    Configuration,
    Project,
    Run,
    SigningPolicy,
    TrustedBuildSystem,
    User,
    Webhook,
)
from signpath_ci.sandbox.config_file import read_configuration
from signpath_ci.sandbox.defaults import ADMINISTRATOR

LEAST = """
organization: {id: 0A8F3A52-3C2C-4D4E-9A51-0F0B6F5F8A11}
api_tokens: [{name: ci, token: secret}]
projects: [{slug: app, signing_policies: [{slug: test-signing}]}]
"""
ALL = """
organization: {id: 0a8f3a52-3c2c-4d4e-9a51-0f0b6f5f8a11, name: Acme}
max_artifact_bytes: 1000
users: [{name: Ada, may: [approve], token: personal}]
api_tokens:
  - {name: ci, token: secret, may: [submit, read], projects: [app], signing_policies: [release-signing]}
trusted_build_systems:
  - {name: farm, token: farm-secret}
projects:
  - slug: app
    name: App
    repository_url: https://github.com/acme/app
    trusted_build_systems: [farm]
    artifact_configurations: [{slug: first, file: first.xml}, {slug: second, name: Second}]
    webhook: {url: "https://acme.example/hook", headers: {Authorization: Bearer x}}
    signing_policies:
      - slug: release-signing
        name: Release signing
        certificate: acme-release
        required_approvals: 1
        submitter_may_approve: false
        trusted_build_system: true
        allowed_branches: [main, release/*]
        origin_verification: true
runs:
  - {platform: github, id: "42", repository_url: "https://github.com/acme/app", branch: main, commit: 0a1b}
"""


def _read(directory: Path, text: str) -> Configuration:
    file = directory / "sandbox.yml"
    file.write_text(text, "utf-8")
    (directory / "first.xml").write_text("<artifact-configuration/>", "utf-8")
    return read_configuration(file)


def test_the_least_that_has_to_be_said(tmp_path: Path) -> None:
    assert _read(tmp_path, LEAST) == Configuration(
        organization_id="0a8f3a52-3c2c-4d4e-9a51-0f0b6f5f8a11",
        organization_name="Sandbox",
        users=(ADMINISTRATOR, User(name="ci", token="secret")),
        trusted_build_systems=(),
        projects=(
            Project(
                slug="app",
                name="app",
                signing_policies=(SigningPolicy(slug="test-signing", name="test-signing", certificate="test-signing"),),
                artifact_configurations=(ArtifactConfiguration(slug="initial", name="Initial"),),
            ),
        ),
    )


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    assert _read(tmp_path, ALL) == Configuration(
        organization_id="0a8f3a52-3c2c-4d4e-9a51-0f0b6f5f8a11",
        organization_name="Acme",
        users=(
            User(name="Ada", permissions=frozenset({"approve"}), token="personal", is_interactive=True),
            User(
                name="ci",
                token="secret",
                permissions=frozenset({"submit", "read"}),
                projects=frozenset({"app"}),
                signing_policies=frozenset({"release-signing"}),
            ),
        ),
        trusted_build_systems=(TrustedBuildSystem(name="farm", token="farm-secret"),),
        projects=(
            Project(
                slug="app",
                name="App",
                repository_url="https://github.com/acme/app",
                trusted_build_systems=frozenset({"farm"}),
                signing_policies=(
                    SigningPolicy(
                        slug="release-signing",
                        name="Release signing",
                        certificate="acme-release",
                        required_approvals=1,
                        submitter_may_approve=False,
                        trusted_build_system=True,
                        allowed_branches=("main", "release/*"),
                        origin_verification=True,
                    ),
                ),
                artifact_configurations=(
                    ArtifactConfiguration(slug="first", name="first", xml="<artifact-configuration/>"),
                    ArtifactConfiguration(slug="second", name="Second"),
                ),
                webhook=Webhook(url="https://acme.example/hook", headers={"Authorization": "Bearer x"}),
            ),
        ),
        runs=(
            Run(
                platform="github",
                id="42",
                repository_url="https://github.com/acme/app",
                branch="main",
                commit="0a1b",
                build_url=None,
            ),
        ),
        max_artifact_bytes=1000,
    )


@pytest.mark.parametrize(
    ("text", "replacement", "words"),
    [
        ("name: Acme", "name: [Acme]",
         "line 2: organization.name: must be a text of one line; write a number in quotes."),
        ("0a8f3a52-3c2c-4d4e-9a51-0f0b6f5f8a11", "x", "line 2: organization.id: must be a UUID."),
        ("max_artifact_bytes: 1000", "max: 1000", "line 3: max: is not known here."),
        ("max_artifact_bytes: 1000", "max_artifact_bytes: -1",
         "line 3: max_artifact_bytes: must be a whole number of 0 or more."),
        ("token: secret", "token: 42",
         "line 6: api_tokens[0].token: must be plain ASCII text without blanks and colons; write a number in quotes."),
        ("token: secret", "token: 'a:b'",
         "line 6: api_tokens[0].token: must be plain ASCII text without blanks and colons; write a number in quotes."),
        ("token: secret", "token: personal", "line 6: api_tokens[0].token: is there twice."),
        ("may: [submit, read]", "may: [sign]",
         "line 6: api_tokens[0].may[0]: must be one of submit, approve, read, configure."),
        ("may: [submit, read]", "may: submit",
         "line 6: api_tokens[0].may: must be a list of submit, approve, read, configure."),
        ("- slug: app", "- slug: a/b",
         "line 10: projects[0].slug: must be up to 40 letters, digits, '.', '-' and '_'."),
        ("slug: second", "slug: First", "line 14: projects[0].artifact_configurations[1].slug: is there twice."),
        ("file: first.xml", "file: none.xml",
         "line 14: projects[0].artifact_configurations[0].file: none.xml can't be read: No such file or directory."),
        ("{slug: second, name: Second}", "second",
         "line 14: projects[0].artifact_configurations[1]: must be a mapping (`name: value` lines)."),
        ("https://acme.example/hook", "acme",
         "line 15: projects[0].webhook.url: must start with https://, or http:// for this machine."),
        ("https://acme.example/hook", "http://acme.example/hook",
         "line 15: projects[0].webhook.url: must start with https://, or http:// for this machine."),
        ("{Authorization: Bearer x}", "[x]", "line 15: projects[0].webhook.headers: must be a mapping of texts."),
        ("required_approvals: 1", "required_approvals: yes",
         "line 20: projects[0].signing_policies[0].required_approvals: must be a whole number of 0 or more."),
        ("origin_verification: true", "origin_verification: 1",
         "line 24: projects[0].signing_policies[0].origin_verification: must be true or false."),
        ("origin_verification: true", "slug: release-signing",
         "line 17: projects[0].signing_policies[0].slug: is there twice."),
        ("platform: github", "platform: jenkins", "line 26: runs[0].platform: must be one of github, gitlab, azure."),
    ],
)  # fmt: skip
def test_an_error_names_its_line_and_place(tmp_path: Path, text: str, replacement: str, words: str) -> None:
    assert text in ALL

    with pytest.raises(UsageError) as caught:
        _read(tmp_path, ALL.replace(text, replacement, 1))

    assert caught.value.message == f"{tmp_path / 'sandbox.yml'}: {words}"


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    text = ALL.replace("- slug: app", "- title: app").replace("organization:", "organisation:").replace("github,", "x,")

    with pytest.raises(UsageError) as caught:
        _read(tmp_path, text)

    assert caught.value.code == "sandbox-configuration"
    assert caught.value.message.removeprefix(f"{tmp_path / 'sandbox.yml'}: ") == (
        "5 errors: line 2: organisation: is not known here; line 2: organization: is missing; "
        "line 10: projects[0].slug: is missing; line 10: projects[0].title: is not known here; "
        "line 26: runs[0].platform: must be one of github, gitlab, azure."
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ": line 1: the file: must be a mapping (`name: value` lines)."),
        ("a: [", ", line 2: is not YAML: expected the node content, but found '<stream end>'."),
        (LEAST.replace("{name: ci, token: secret}", ""),
         ": line 3: api_tokens: must be a list with at least one item."),
        (LEAST.replace("{slug: test-signing}", ""),
         ": line 4: projects[0].signing_policies: must be a list with at least one item."),
    ],
)  # fmt: skip
def test_what_is_no_configuration(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        _read(tmp_path, text + "\n" if text == "a: [" else text)

    assert caught.value.message == f"{tmp_path / 'sandbox.yml'}{words}"


def test_a_file_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_configuration(tmp_path)

    assert str(caught.value) == f"{tmp_path} can't be read: Is a directory. Name a readable file with --config."
