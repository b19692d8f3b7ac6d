"""The rules, without a server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signpath_ci.model import RecordedOrigin
from signpath_ci.sandbox.config import SigningPolicy
from signpath_ci.sandbox.policies import RefusalError, caller_of, may, require_origin
from tests.support.sandboxes import COMMIT, CONFIGURATION, REPOSITORY

PROJECT = CONFIGURATION.projects[0]
ORIGIN = RecordedOrigin(repository_url=REPOSITORY, branch="main", commit=COMMIT)


@pytest.mark.parametrize(
    ("pattern", "branch", "fits"),
    [
        ("main", "main", True),
        ("main", "Main", False),
        ("main", "main2", False),
        ("release/*", "release/1.0", True),
        ("release/*", "release/1.0/rc", True),
        ("release/*", "release", False),
        ("v?", "v1", True),
        ("v?", "v12", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("a.c", "abc", False),
        ("*", "x\ny", True),
    ],
)
def test_wildcards_of_branches(pattern: str, branch: str, fits: bool) -> None:
    policy = SigningPolicy(slug="p", name="p", certificate="p", allowed_branches=("never", pattern))

    assert policy.allows_branch(branch) is fits


@pytest.mark.parametrize(
    ("configured", "sent", "fits"),
    [
        (REPOSITORY, REPOSITORY, True),
        (REPOSITORY, REPOSITORY + "/", True),
        (REPOSITORY, REPOSITORY + ".git", True),
        (REPOSITORY, REPOSITORY.replace("github.com", "GitHub.com"), True),
        (REPOSITORY, REPOSITORY.replace("acme", "Acme"), False),
        (REPOSITORY, REPOSITORY + "2", False),
        (REPOSITORY, None, False),
        (REPOSITORY, "http://[x", False),
        ("git@host:a/b.git", "git@host:a/b.git", True),
        ("git@host:a/b", "git@host:a/c", False),
        (None, "https://elsewhere.example/x", True),
    ],
)
def test_spellings_of_a_repository(configured: str | None, sent: str | None, fits: bool) -> None:
    project, policy = replace(PROJECT, repository_url=configured), PROJECT.signing_policies[0]

    if fits:
        require_origin(project, policy, replace(ORIGIN, repository_url=sent))
        return
    with pytest.raises(RefusalError, match=r"is not the one of project 'app'"):
        require_origin(project, policy, replace(ORIGIN, repository_url=sent))


@pytest.mark.parametrize(
    ("branches", "origin", "cause"),
    [
        ((), None, "requires a verified origin, and this request has none"),
        (("main",), replace(ORIGIN, branch=None), r"The branch '\(unknown\)' is not allowed by signing policy 'p'"),
        ((), replace(ORIGIN, commit=None), "repository or commit are unknown"),
    ],
)
def test_origin_verification_wants_an_origin(
    branches: tuple[str, ...], origin: RecordedOrigin | None, cause: str
) -> None:
    policy = SigningPolicy(slug="p", name="p", certificate="p", allowed_branches=branches, origin_verification=True)

    with pytest.raises(RefusalError, match=cause):
        require_origin(PROJECT, policy, origin)


def test_allowed_branches_alone_want_an_origin_too() -> None:
    policy = SigningPolicy(slug="p", name="p", certificate="p", allowed_branches=("main",))

    with pytest.raises(RefusalError, match="requires a verified origin"):
        require_origin(PROJECT, policy, None)


@pytest.mark.parametrize(
    ("credentials", "who"),
    [
        ("ci-token", ("ci", None)),
        ("ci-token:farm-token", ("ci", "farm")),
        ("ci-token:", None),
        ("ci-token:x", None),
        (":farm-token", None),
        ("", None),
    ],
)
def test_two_tokens_joined_by_a_colon(credentials: str, who: tuple[str, str | None] | None) -> None:
    caller = caller_of(credentials, CONFIGURATION)

    system = caller.trusted_build_system if caller else None
    assert (caller and (caller.user.name, system.name if system else None)) == who


def test_whoever_may_do_something_may_read() -> None:
    *_, reader, tester, approver = CONFIGURATION.users

    assert may(approver, "read", "app", "any")
    assert not may(approver, "submit", "app", "any")
    assert not may(reader, "approve", "app", "any")
    assert may(tester, "submit", "app", "test-signing")
    assert not may(tester, "read", "app", "release-signing")
    assert not may(replace(reader, permissions=frozenset()), "read", "app", "any")
    assert not may(replace(reader, projects=frozenset({"b"})), "read", "app", "any")


def test_no_token_shows_in_a_repr() -> None:
    assert "-token" not in repr(CONFIGURATION)
