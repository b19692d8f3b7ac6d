from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci import __version__, cli
from signpath_ci.errors import EXIT_CODES, UsageError
from signpath_ci.settings import SandboxSettings, VerifySettings, options


def test_a_command_line_becomes_a_command_and_its_settings() -> None:
    command, settings = cli.parse(["sandbox", "--port", "0", "--json", "--log-level", "debug"], {})

    assert command.name == "sandbox"
    assert isinstance(settings, SandboxSettings)
    assert (settings.port, settings.json, settings.log_level, settings.host) == (0, True, "debug", "127.0.0.1")


def test_a_positional_argument_may_come_from_the_environment() -> None:
    _, settings = cli.parse(["verify"], {"SIGNPATH_ARTIFACT": "a.exe"})

    assert isinstance(settings, VerifySettings)
    assert settings.artifact == (Path("a.exe"),)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "The following arguments are required: COMMAND. See signpath-ci --help."),
        (
            ["draft"],
            "Not given: FILE (SIGNPATH_ARTIFACT). Give it as the option or as the environment variable in brackets.",
        ),
        (["verify", "a", "--sub", "x"], "Unrecognized arguments: --sub x. See signpath-ci --help."),
        (["verify", "a", "--subject"], "Argument --subject: expected one argument. See signpath-ci verify --help."),
        (
            ["sandbox", "--port", "70000"],
            "--port (SIGNPATH_SANDBOX_PORT) is '70000', which is not a port: 0 (a free one) to 65535.",
        ),
    ],
)
def test_a_wrong_command_line_is_one_line_that_says_what_to_do(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        cli.parse(arguments, {})

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [
        (["sign", "a", "--api-token=SECRET"], "SIGNPATH_API_TOKEN"),
        (["sign", "a", "--api-token", "SECRET"], "SIGNPATH_API_TOKEN"),
        (["--api-token=SECRET", "sign"], "SIGNPATH_API_TOKEN"),
        (["status", "id", "--api-token=SECRET"], "SIGNPATH_API_TOKEN"),
        (["verify", "a", "--api-token=SECRET"], "SIGNPATH_API_TOKEN"),
        (["sign", "--github-token=SECRET"], "SIGNPATH_GITHUB_TOKEN"),
        (["sign", "--artifact-retrieval-headers=X: SECRET"], "SIGNPATH_ARTIFACT_RETRIEVAL_HEADERS"),
        (["sign", "--token=SECRET"], ""),
        (["sign", "--api-tokn=SECRET"], ""),
        (["sign", "--api-key", "SECRET"], ""),
    ],
)
def test_a_secret_as_an_argument_is_an_error_that_does_not_repeat_it(arguments: list[str], variable: str) -> None:
    with pytest.raises(UsageError) as caught:
        cli.parse(arguments, {})
    assert "SECRET" not in caught.value.line
    assert variable in caught.value.line
    assert caught.value.code == ("secret-as-argument" if variable else "bad-command-line")


def test_help_lists_the_commands_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.parse(["--help"], {})

    shown = capsys.readouterr().out
    assert [command.name for command in cli.COMMANDS if f"    {command.name} " not in shown] == []
    assert [code for code in EXIT_CODES if f"\n  {code} " not in shown] == []


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: command.name)
def test_help_of_a_command_names_every_option_and_variable(
    command: cli.Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit):
        cli.parse([command.name, "--help"], {})

    shown = capsys.readouterr().out
    for row in options(command.settings):
        assert row.flag in shown
        assert f"[{row.variable}]" in shown
        assert row.help in shown


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.parse(["--version"], {})

    assert capsys.readouterr().out == f"signpath-ci {__version__}\n"


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: command.name)
def test_every_command_can_be_run(command: cli.Command) -> None:
    assert callable(command.run)
