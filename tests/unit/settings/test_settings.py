from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.cli import COMMANDS
from signpath_ci.errors import UsageError
from signpath_ci.settings import Secret, SignSettings, load, options
from signpath_ci.settings.parsers import duration, positive_duration

ENVIRONMENT = {
    "SIGNPATH_ARTIFACT": "app.exe",
    "SIGNPATH_API_TOKEN": "token-value",
    "SIGNPATH_ORGANIZATION_ID": "12345678-90AB-CDEF-1234-567890ABCDEF",
    "SIGNPATH_PROJECT_SLUG": "demo",
    "SIGNPATH_SIGNING_POLICY_SLUG": "test-signing",
}


def test_everything_of_sign_can_come_from_the_environment() -> None:
    settings = load(SignSettings, {}, ENVIRONMENT)

    assert settings.artifact == (Path("app.exe"),)
    assert settings.api_url == "https://app.signpath.io/Api"
    assert settings.api_token == Secret("token-value")
    assert settings.organization_id == "12345678-90ab-cdef-1234-567890abcdef"
    assert (settings.service_unavailable_timeout, settings.wait_for_completion_timeout) == (600.0, 600.0)
    assert settings.verify == "signed"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("600", 600), ("0.5", 0.5), ("90s", 90), ("10m", 600), ("8h", 28800), ("1 d", 86400), ("0", 0)],
)
def test_durations_are_written_for_people(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1w", "ten", "1e3", "nan", "inf", "1m30s", "٣"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        duration(text)


def test_a_timeout_is_more_than_zero() -> None:
    with pytest.raises(ValueError, match="more than zero"):
        positive_duration("0")


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        (
            "SIGNPATH_ORGANIZATION_ID",
            "acme",
            "--organization-id (SIGNPATH_ORGANIZATION_ID) is 'acme', which is not a UUID: copy the organization id "
            "from SignPath's page of your organization, it looks like 12345678-90ab-cdef-1234-567890abcdef.",
        ),
        (
            "SIGNPATH_API_TOKEN",
            "first\nsecond",
            "--api-token-file (SIGNPATH_API_TOKEN) holds white space, line breaks or non-ASCII characters: "
            "a token is one line without blanks.",
        ),
        (
            "SIGNPATH_API_TOKEN",
            "  \n",
            "--api-token-file (SIGNPATH_API_TOKEN) is empty: set it to the token that SignPath shows when it is made.",
        ),
        ("SIGNPATH_API_URL", "ftp://x", "--api-url (SIGNPATH_API_URL) is 'ftp://x', which is not an http(s) URL."),
        (
            "SIGNPATH_API_URL",
            "https://h:99999",
            "--api-url (SIGNPATH_API_URL) is 'https://h:99999', which is not an http(s) URL.",
        ),
        (
            "SIGNPATH_THUMBPRINT",
            "abc",
            "--thumbprint (SIGNPATH_THUMBPRINT) is 'abc', which is not a SHA-256: 64 hexadecimal digits.",
        ),
        (
            "SIGNPATH_STALL_TIMEOUT",
            "0",
            "--stall-timeout (SIGNPATH_STALL_TIMEOUT) is '0', which must be more than zero.",
        ),
    ],
)
def test_bad_values_are_one_line_that_says_what_to_do(variable: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(SignSettings, {}, {**ENVIRONMENT, variable: text})

    assert str(caught.value) == message


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        load(SignSettings, {}, {**ENVIRONMENT, "SIGNPATH_API_URL": "https://user:hunter2@host/Api"})

    assert str(caught.value) == (
        "--api-url (SIGNPATH_API_URL) holds a user name or password: tokens go into their own variables."
    )


def test_thumbprints_are_taken_as_people_copy_them() -> None:
    shown = ":".join(["AB"] * 32)

    assert load(SignSettings, {"thumbprint": [shown]}, ENVIRONMENT).thumbprint == ("ab" * 32,)


def test_a_variable_means_the_same_in_every_command() -> None:
    rows: dict[str, set[tuple[object, ...]]] = {}
    for command in COMMANDS:
        for row in options(command.settings):
            # Where some commands take several and others one, one is a list of one.
            meaning = (row.name, row.parse, row.default, row.is_secret)
            rows.setdefault(row.variable, set()).add(meaning)

    assert {variable: meanings for variable, meanings in rows.items() if len(meanings) > 1} == {}
