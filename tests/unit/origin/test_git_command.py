from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.errors import UsageError
from signpath_ci.origin import git_command
from signpath_ci.origin.git_command import run_git
from tests.unit.origin.checkouts import SECRET, Checkout, new_checkout


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> Checkout:
    checkout = new_checkout(tmp_path)
    checkout.commit("first")
    checkout.commit("second")
    return checkout


def test_git_gets_what_it_needs_and_nothing_else(checkout: Checkout) -> None:
    given = checkout.env | {
        "GITHUB_TOKEN": SECRET,
        "SIGNPATH_API_TOKEN": SECRET,
        "LANG": "de_DE.UTF-8",
        "LANGUAGE": "de",
        "GIT_DIR": "/elsewhere",
        "GIT_TRACE": "1",
        "GIT_SSH_COMMAND": "false",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    answer = run_git(given, checkout.path, "-c", "alias.environment=!env", "environment")
    got = dict(line.split("=", 1) for line in answer.output.splitlines())
    added_by_git = {"GIT_CONFIG_PARAMETERS", "GIT_PREFIX", "GIT_EXEC_PATH", "GIT_NO_REPLACE_OBJECTS", "PATH", "PWD"}
    added_by_git |= {"GIT_DIR", "GIT_PAGER_IN_USE", "OLDPWD", "SHLVL", "_", "GIT_PAGER"}
    assert {name: value for name, value in got.items() if name not in added_by_git} == {
        "HOME": checkout.env["HOME"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_GRAFT_FILE": "/dev/null",
    }
    assert got.get("GIT_DIR") != "/elsewhere"
    assert SECRET not in answer.output


def test_a_partial_clone_does_not_fetch(checkout: Checkout, tmp_path: Path) -> None:
    clone = checkout.clone(tmp_path / "clone", "--filter=blob:none")
    missing = ("cat-file", "-p", "HEAD~1:file.txt")
    answer = run_git(clone.env, clone.path, *missing)
    assert (answer.code != 0, answer.output) == (True, "")
    assert clone.git(*missing) == "first"  # git itself does


def test_a_url_in_a_complaint_keeps_no_secret(checkout: Checkout) -> None:
    answer = run_git(checkout.env, checkout.path, "ls-remote", f"https://ann:{SECRET}@localhost:1/r?token={SECRET}")
    assert answer.code != 0
    assert answer.complaint
    assert SECRET not in answer.complaint


def test_a_limit_of_time(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_command, "_SECONDS", 0.05)
    with pytest.raises(UsageError, match=r"git status in .*repo took longer than 0 s"):
        run_git(checkout.env | {"PATH": _slow_git(checkout)}, checkout.path, "status")


def test_an_environment_that_no_process_can_have(checkout: Checkout) -> None:
    with pytest.raises(UsageError, match=r"git can not be started in .*repo \(ValueError\)"):
        run_git(checkout.env | {"HOME": "a\0b"}, checkout.path, "status")


def _slow_git(checkout: Checkout) -> str:
    program = checkout.path.parent / "slow" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec /bin/sleep 5\n")
    program.chmod(0o755)
    return str(program.parent)
