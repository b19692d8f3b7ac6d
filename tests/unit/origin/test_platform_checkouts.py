"""A platform's build in a real checkout: what only the checkout knows is added, if it is what was built."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from signpath_ci.model import Origin
from signpath_ci.origin import origin_table
from signpath_ci.platforms.collect import collect_origin, explain_origin
from tests.unit.origin.checkouts import Checkout, new_checkout

BUILT = Origin(
    platform="gitlab", repository_url="https://gitlab.com/acme/widget", branch="main", scm="git", is_pull_request=False
)


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> Checkout:
    checkout = new_checkout(tmp_path)
    checkout.commit("first")
    return checkout


def gitlab(checkout: Checkout, commit: str, **more: str) -> dict[str, str]:
    variables = {"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.com/acme/widget", "CI_COMMIT_SHA": commit}
    return checkout.env | variables | (more or {"CI_COMMIT_BRANCH": "main"})


def test_the_checkout_is_what_was_built(checkout: Checkout) -> None:
    commit = checkout.head()
    checkout.git("tag", "v2.0.0")
    checkout.git("checkout", "-q", "--detach")
    assert collect_origin(gitlab(checkout, commit), checkout.path) == replace(
        BUILT, commit=commit, detached=True, dirty=False, shallow=False, version="2.0.0"
    )


def test_a_dirty_checkout_on_a_tag(checkout: Checkout) -> None:
    commit = checkout.head()
    (checkout.path / "file.txt").write_text("patched")
    assert collect_origin(gitlab(checkout, commit, CI_COMMIT_TAG="v3.1"), checkout.path) == replace(
        BUILT, commit=commit, branch=None, tag="v3.1", detached=False, dirty=True, shallow=False, version="3.1"
    )


def test_another_commit_says_nothing_about_the_build(checkout: Checkout, caplog: pytest.LogCaptureFixture) -> None:
    built = checkout.head()
    checkout.git("tag", "v2.0.0")
    other = checkout.commit("second")
    (checkout.path / "file.txt").write_text("patched")
    with caplog.at_level(logging.INFO):
        assert collect_origin(gitlab(checkout, built), checkout.path) == replace(BUILT, commit=built)
    assert caplog.messages == [f"The checkout is at {other}, the build's commit is {built}: it is left out."]


def test_a_checkout_that_can_not_be_read_is_told_but_no_error(
    checkout: Checkout, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    commit = checkout.head()
    env = gitlab(checkout, commit) | {"PATH": str(tmp_path)}
    assert collect_origin(env, checkout.path) == replace(BUILT, commit=commit)
    assert caplog.messages == [
        "Whether the checkout is clean stays unknown: "
        f"The git program, needed for the checkout in {checkout.path}, is not on the PATH. Install git."
    ]


def test_the_table_tells_each_source(checkout: Checkout) -> None:
    commit = checkout.head()
    explained = explain_origin(gitlab(checkout, commit), checkout.path)
    assert [line.split("  ")[0] for line in origin_table(explained)][2:5] == ["platform", "repository_url", "branch"]
    rows = {line.split()[0]: line.split()[1:] for line in origin_table(explained)[2:]}
    assert rows["commit"] == [commit, "CI_COMMIT_SHA"]
    assert rows["dirty"] == ["no", "git", "status"]
    assert rows["tag"] == ["-"]
    assert len(rows) == 17
