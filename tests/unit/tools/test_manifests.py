from __future__ import annotations

import pytest
from tools.actions import filled
from tools.manifests import Input, Platform, defaults, inputs, platform_name

from signpath_ci.cli import COMMANDS


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("github", "azure-devops-artifact-name"),
        ("gitlab", "azure_devops_artifact_name"),
        ("azure", "azureDevOpsArtifactName"),
    ],
)
def test_names_are_written_as_the_platform_writes_them(platform: Platform, expected: str) -> None:
    assert platform_name("azure_devops_artifact_name", platform) == expected


def test_an_input_has_all_that_the_option_says() -> None:
    assert inputs("sign", "azure")["expectedSubject"] == Input(
        name="expectedSubject",
        option="subject",
        variable="SIGNPATH_SUBJECT",
        description="A text that the signer's subject must contain.",
        default=None,
        required=False,
        in_manifest=True,
        choices=(),
        is_flag=False,
        is_secret=False,
    )


def test_names_and_defaults_are_those_of_signpath_s_own_plugins() -> None:
    names = ("github-artifact-id", "download-signed-artifact-timeout-in-seconds", "connector-url", "github-token")

    made = inputs("sign", "github")

    assert [(made[name].variable, made[name].default) for name in names] == [
        ("SIGNPATH_GITHUB_ARTIFACT_ID", None),
        ("SIGNPATH_STALL_TIMEOUT", "300"),
        ("SIGNPATH_CONNECTOR_URL", "https://pipelineconnector.connectors.signpath.io/GitHubActions/GitHubCom"),
        ("SIGNPATH_GITHUB_TOKEN", "${{ github.token }}"),
    ]
    assert made["github-artifact-id"].description.startswith("The id of the uploaded artifact")


@pytest.mark.parametrize("platform", ["github", "gitlab", "azure"])
def test_a_platform_does_not_see_what_belongs_to_the_others(platform: Platform) -> None:
    others = {"github_token", "gitlab_access_token", "azure_devops_token"}

    options = {said.option for said in inputs("sign", platform).values()}

    assert options & others == {name for name in others if name.startswith(platform)}
    assert "json" not in options


@pytest.mark.parametrize("platform", ["github", "gitlab", "azure"])
@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_no_secret_is_said_to_be_a_file(command: str, platform: Platform) -> None:
    """The command line reads them from files, a plugin does not: a new one needs a description in `manifests`."""
    secrets = [said for said in inputs(command, platform).values() if said.is_secret]

    assert [said.option for said in secrets if "file" in said.description] == []


def test_what_the_manifest_can_say_counts_as_not_given_by_default() -> None:
    offered = inputs("download", "github")

    assert defaults(offered.values()) == [
        "SIGNPATH_FORCE=false",
        "SIGNPATH_VERIFY=signed",
        "SIGNPATH_SERVICE_UNAVAILABLE_TIMEOUT=600",
        "SIGNPATH_ON_MISSING_TOKEN=fail",
        "SIGNPATH_WAIT_FOR_COMPLETION=true",
        "SIGNPATH_WAIT_FOR_COMPLETION_TIMEOUT=600",
        "SIGNPATH_STRICT_RULES=false",
    ]
    assert (offered["organization-id"].required, offered["organization-id"].is_enforced) == (True, False)
    assert offered["api-token"].is_enforced


@pytest.mark.parametrize("platform", ["github", "gitlab", "azure"])
@pytest.mark.parametrize("command", ["sign", "download", "resubmit"])
def test_the_manifest_does_not_lead_a_pipeline_s_token_elsewhere(command: str, platform: Platform) -> None:
    assert not [one for one in defaults(inputs(command, platform).values()) if one.startswith("SIGNPATH_API_URL=")]


def test_a_plugin_may_leave_out_and_change() -> None:
    made = inputs("sign", "gitlab", without=["output"], changes={"force": {"default": "true", "name": "overwrite"}})

    assert "output_artifact_path" not in made
    assert (made["overwrite"].option, made["overwrite"].default) == ("force", "true")


def test_what_is_not_there_can_not_be_left_out_or_changed() -> None:
    with pytest.raises(LookupError, match="sign has no option nothing"):
        inputs("sign", "github", without=["nothing"])
    with pytest.raises(LookupError, match="There is no command nothing"):
        inputs("nothing", "github")


def test_a_marked_part_is_replaced_and_a_missing_one_is_an_error() -> None:
    assert filled("a <b> old <e> c", "<b>", "<e>", "new") == "a <b>new<e> c"
    with pytest.raises(SystemExit, match="no part '<b>'"):
        filled("a c", "<b>", "<e>", "new")
