from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.errors import UsageError
from signpath_ci.origin.branches import confirm_branch
from tests.unit.origin.checkouts import Checkout, new_checkout


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Checkout:
    """Three commits on main, the second tagged; one more on release/1.x."""
    source = new_checkout(tmp_path)
    source.commit("first")
    source.commit("second")
    source.git("tag", "v1.0.0")
    source.commit("third")
    source.git("switch", "-q", "-c", "release/1.x", "v1.0.0")
    source.commit("fix")
    source.git("switch", "-q", "main")
    return source


def refused(branch: str, commit: str | None, checkout: Checkout) -> UsageError:
    with pytest.raises(UsageError) as caught:
        confirm_branch(branch, commit, checkout.env, checkout.path)
    return caught.value


def test_local_branches(source: Checkout) -> None:
    tagged, fix = source.git("rev-parse", "v1.0.0"), source.git("rev-parse", "release/1.x")
    confirm_branch("main", tagged, source.env, source.path)
    confirm_branch("release/1.x", tagged, source.env, source.path)
    confirm_branch("release/1.x", fix, source.env, source.path)
    error = refused("main", fix, source)
    assert error.message == f"Commit {fix} is not on branch main, as far as the checkout knows it."
    assert error.hint


def test_remote_tracking_branches(source: Checkout, tmp_path: Path) -> None:
    clone = source.clone(tmp_path / "clone", "--origin", "upstream", "--branch", "v1.0.0")
    confirm_branch("main", clone.head(), clone.env, clone.path)
    confirm_branch("release/1.x", clone.head(), clone.env, clone.path)
    assert refused("1.x", clone.head(), clone).message == "The checkout knows no branch 1.x."


def test_a_branch_that_is_not_there(source: Checkout) -> None:
    error = refused("release/2.x", source.head(), source)
    assert (error.message, error.hint) == (
        "The checkout knows no branch release/2.x.",
        "Fetch it: git fetch origin release/2.x",
    )


def test_a_tag_is_no_branch(source: Checkout) -> None:
    assert refused("v1.0.0", source.head(), source).message == "The checkout knows no branch v1.0.0."


@pytest.mark.parametrize("options", [("--branch=v1.0.0",), ("--no-single-branch",)])
def test_a_shallow_clone_says_what_to_do(source: Checkout, tmp_path: Path, options: tuple[str, ...]) -> None:
    tagged = source.git("rev-parse", "v1.0.0")
    clone = source.clone(tmp_path / "clone", "--depth=1", *options)
    error = refused("main", tagged, clone)
    assert error.message == f"The checkout is shallow, so it can't show {tagged} on branch main."
    assert "fetch-depth: 0" in error.hint


def test_a_shallow_clone_that_shows_it(source: Checkout, tmp_path: Path) -> None:
    clone = source.clone(tmp_path / "clone", "--depth=1")
    confirm_branch("main", clone.head(), clone.env, clone.path)


def test_a_commit_that_is_nowhere(source: Checkout) -> None:
    assert refused("main", "0" * 39 + "1", source).message.startswith(f"Commit {'0' * 39}1 is not on branch main")


@pytest.mark.parametrize("commit", [None, "HEAD", "main", "--all", ""])
def test_only_a_whole_commit(source: Checkout, commit: str | None) -> None:
    message = "Whether branch main has an unknown commit cannot be known."
    assert refused("main", commit, source).message == message


@pytest.mark.parametrize(
    "branch", ["", "*", "m?in", "[a-z]*", "--all", "-", "a b", "main~1", "a..b", "x\ny", "main/", "main.", "@{-1}"]
)
def test_patterns_and_options_are_no_names(source: Checkout, branch: str) -> None:
    assert refused(branch, source.head(), source).message == "The origin's branch is not the name of a branch."


def test_a_replaced_commit_proves_nothing(source: Checkout) -> None:
    fix, third = source.git("rev-parse", "release/1.x"), source.head()
    source.git("replace", "--graft", third, fix)
    assert source.git("branch", "--contains", fix, "--list", "main")  # git itself is fooled
    assert "is not on branch main" in refused("main", fix, source).message


def test_outside_of_a_checkout(source: Checkout, tmp_path: Path) -> None:
    error = refused("main", source.head(), source.at(tmp_path))
    assert "can't be asked of the checkout" in error.message
    assert "not a git repository" in error.message
