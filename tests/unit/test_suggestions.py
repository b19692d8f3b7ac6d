"""A misspelt command or option is answered with the one that was likely meant."""

from __future__ import annotations

import pytest

from signpath_ci import cli
from signpath_ci.errors import UsageError
from signpath_ci.settings.parsers import sha256


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["sgin", "a.exe"], "Did you mean sign?"),
        (["sign", "a.exe", "--projct-slug", "x"], "Did you mean --project-slug?"),
        (["sign", "a.exe", "--nothing-like-it"], None),
        (["zzz"], None),
    ],
)
def test_what_was_meant(arguments: list[str], meant: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        cli.parse(arguments, {})
    assert caught.value.code == "bad-command-line"
    assert (meant in caught.value.hint) if meant else ("Did you mean" not in caught.value.hint)


def test_the_option_that_turns_a_default_off_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.parse(["sign", "--help"], {})
    assert "--no-wait-for-completion" in capsys.readouterr().out


def test_the_thumbprint_that_windows_shows_is_explained() -> None:
    with pytest.raises(ValueError, match="SHA-1"):
        sha256("AB CD " * 4 + "01" * 12)
    assert sha256("ab" * 32) == "ab" * 32
