"""Local checkouts, each made by git and compared as a whole result."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from signpath_ci.errors import UsageError
from signpath_ci.model import Origin
from signpath_ci.platforms.collect import collect_origin
from tests.unit.origin.checkouts import SECRET, Checkout, new_checkout

LOCAL = Origin(platform="local")
CLEAN = replace(LOCAL, branch="main", scm="git", detached=False, dirty=False, shallow=False)


@dataclass(frozen=True)
class Case:
    checkout: Checkout
    expected: Origin


def committed(folder: Path, *options: str) -> Checkout:
    checkout = new_checkout(folder, *options)
    checkout.commit("first")
    return checkout


def clean(checkout: Checkout) -> Origin:
    return replace(CLEAN, commit=checkout.head())


def no_repository(folder: Path) -> Case:
    checkout = new_checkout(folder)
    plain = folder / "plain"
    plain.mkdir()
    return Case(checkout.at(plain), LOCAL)


def no_commit_yet(folder: Path) -> Case:
    return Case(new_checkout(folder), CLEAN)


def one_commit_without_remote(folder: Path) -> Case:
    checkout = committed(folder)
    return Case(checkout, clean(checkout))


def branch_with_slashes(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("switch", "-q", "-c", "users/ann/feature-ü")
    return Case(checkout, replace(clean(checkout), branch="users/ann/feature-ü"))


def working_directory_below_the_root(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.commit("deep", name="a/b/file.txt")
    return Case(checkout.at(checkout.path / "a" / "b"), clean(checkout))


def untracked_files_only(folder: Path) -> Case:
    checkout = committed(folder)
    (checkout.path / "build.log").write_text("output")
    return Case(checkout, clean(checkout))


def modified_file(folder: Path) -> Case:
    checkout = committed(folder)
    (checkout.path / "file.txt").write_text("patched")
    return Case(checkout, replace(clean(checkout), dirty=True))


def staged_new_file(folder: Path) -> Case:
    checkout = committed(folder)
    (checkout.path / "new.txt").write_text("new")
    checkout.git("add", "new.txt")
    return Case(checkout, replace(clean(checkout), dirty=True))


def deleted_file_asked_for_from_elsewhere(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.commit("deep", name="a/file.txt")
    (checkout.path / "file.txt").unlink()
    return Case(checkout.at(checkout.path / "a"), replace(clean(checkout), dirty=True))


def detached(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.commit("second")
    checkout.git("checkout", "-q", "HEAD~1")
    return Case(checkout, replace(clean(checkout), branch=None, detached=True))


def detached_at_a_tag(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("tag", "v1.2.3")
    checkout.git("checkout", "-q", "v1.2.3")
    return Case(checkout, replace(clean(checkout), branch=None, detached=True, tag="v1.2.3", version="1.2.3"))


def branch_whose_tip_is_tagged(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("tag", "-a", "-m", "release", "v1.2.3-rc.1")
    return Case(checkout, replace(clean(checkout), version="1.2.3-rc.1"))


def commits_after_a_tag(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("tag", "v1.2.3")
    commit = checkout.commit("second")
    short = checkout.git("rev-parse", "--short", commit)
    return Case(checkout, replace(clean(checkout), version=f"v1.2.3-1-g{short}"))


def branch_called_like_a_tag(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("tag", "v2")
    checkout.git("switch", "-q", "-c", "v2")
    return Case(checkout, replace(clean(checkout), branch="v2", version="2"))


def remote_with_a_password(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("remote", "add", "origin", f"https://ann:{SECRET}@git.example.com/acme/widget.git")
    return Case(checkout, replace(clean(checkout), repository_url="https://git.example.com/acme/widget.git"))


def remote_with_a_token_as_user_and_in_the_query(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("remote", "add", "origin", f"https://{SECRET}@git.example.com/widget?private_token={SECRET}#{SECRET}")
    return Case(checkout, replace(clean(checkout), repository_url="https://git.example.com/widget"))


def remote_over_ssh(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("remote", "add", "origin", "git@github.com:acme/widget.git")
    return Case(checkout, replace(clean(checkout), repository_url="git@github.com:acme/widget.git"))


def token_injected_by_instead_of(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("remote", "add", "origin", "https://github.com/acme/widget")
    checkout.git(
        "config", "--global", f"url.https://x-access-token:{SECRET}@github.com/.insteadOf", "https://github.com/"
    )
    assert SECRET in checkout.git("remote", "get-url", "origin")
    return Case(checkout, replace(clean(checkout), repository_url="https://github.com/acme/widget"))


def only_remote_has_another_name(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("remote", "add", "up.stream", "ssh://git@git.example.com:2222/acme/widget")
    return Case(checkout, replace(clean(checkout), repository_url="ssh://git@git.example.com:2222/acme/widget"))


def several_remotes_with_origin(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("remote", "add", "fork", "https://github.com/ann/widget")
    checkout.git("remote", "add", "origin", "https://github.com/acme/widget")
    checkout.git("remote", "set-url", "--add", "origin", "https://mirror.example.com/widget")
    return Case(checkout, replace(clean(checkout), repository_url="https://github.com/acme/widget"))


def several_remotes_without_origin(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("remote", "add", "fork", "https://github.com/ann/widget")
    checkout.git("remote", "add", "upstream", "https://github.com/acme/widget")
    return Case(checkout, clean(checkout))


def worktree(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("remote", "add", "origin", "https://github.com/acme/widget")
    checkout.git("worktree", "add", "-q", "-b", "hotfix", str(folder / "tree"))
    (checkout.path / "file.txt").write_text("dirty in the main tree, not in this one")
    tree = checkout.at(folder / "tree")
    return Case(tree, replace(clean(tree), branch="hotfix", repository_url="https://github.com/acme/widget"))


def submodule(folder: Path) -> Case:
    library = committed(folder / "library")
    outer = committed(folder)
    outer.git("submodule", "--quiet", "add", library.path.as_uri(), "lib")
    inner = outer.at(outer.path / "lib")
    return Case(inner, replace(clean(inner), repository_url=library.path.as_uri()))


def submodule_at_another_commit_that_it_hides(folder: Path) -> Case:
    library = committed(folder / "library")
    outer = committed(folder)
    outer.git("submodule", "--quiet", "add", library.path.as_uri(), "lib")
    outer.git("config", "--file", ".gitmodules", "submodule.lib.ignore", "all")
    outer.git("add", ".gitmodules")
    outer.git("commit", "-q", "-m", "submodule")
    outer.at(outer.path / "lib").commit("patched library")
    return Case(outer, replace(clean(outer), dirty=True))


def submodule_with_untracked_files(folder: Path) -> Case:
    library = committed(folder / "library")
    outer = committed(folder)
    outer.git("submodule", "--quiet", "add", library.path.as_uri(), "lib")
    outer.git("commit", "-q", "-m", "submodule")
    (outer.path / "lib" / "build.log").write_text("output")
    return Case(outer, clean(outer))


def sha_256_repository(folder: Path) -> Case:
    checkout = committed(folder, "--object-format=sha256")
    assert len(checkout.head()) == 64
    return Case(checkout, clean(checkout))


def shallow_clone(folder: Path) -> Case:
    source = committed(folder)
    source.git("tag", "v1.0.0")
    source.commit("second")
    clone = source.clone(folder / "clone", "--depth=1")
    return Case(clone, replace(clean(clone), shallow=True, repository_url=source.path.as_uri()))


def partial_clone_whose_server_is_gone(folder: Path) -> Case:
    source = committed(folder)
    clone = source.clone(folder / "clone", "--filter=blob:none", "--no-checkout")
    clone.git("reset", "-q")
    clone.git("rm", "-q", "--cached", "file.txt")
    (clone.path / "renamed.txt").write_text("first\nand more\n")
    clone.git("add", "renamed.txt")  # perhaps a renamed file.txt: telling would need content that only the server has
    url = source.path.as_uri()
    source.path.rename(folder / "gone")
    return Case(clone, replace(clean(clone), dirty=True, repository_url=url))


def bare_repository(folder: Path) -> Case:
    checkout = new_checkout(folder, "--bare")
    return Case(checkout, LOCAL)


def bare_repository_that_came_with_the_checkout(folder: Path) -> Case:
    checkout = committed(folder)
    trap = checkout.path / "trap"
    shutil.copytree(checkout.path / ".git", trap)
    checkout.git("config", "--file", str(trap / "config"), "core.worktree", "..")
    return Case(checkout.at(trap), LOCAL)


def variables_of_a_git_hook(folder: Path) -> Case:
    checkout = committed(folder)
    other = committed(folder / "other")
    hook = {"GIT_DIR": str(other.path / ".git"), "GIT_WORK_TREE": str(other.path), "GIT_INDEX_FILE": "nowhere"}
    return Case(replace(checkout, env=checkout.env | hook), clean(checkout))


def hooks_and_monitors_of_the_checkout(folder: Path) -> Case:
    checkout = committed(folder)
    witness = folder / "home" / "started"
    program = checkout.path / ".git" / "hooks" / "post-index-change"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\ntouch '{witness}'\n")
    program.chmod(0o755)
    checkout.git("config", "core.fsmonitor", str(program))
    os.utime(checkout.path / "file.txt", (1, 1))  # the index is stale, and would be written if locks were taken
    checkout.git("config", "core.pager", f"touch '{witness}'")
    return Case(checkout, replace(CLEAN, commit=(checkout.path / ".git/refs/heads/main").read_text().strip()))


def rebase_in_progress(folder: Path) -> Case:
    checkout = committed(folder)
    checkout.git("switch", "-q", "-c", "topic")
    checkout.commit("topic")
    checkout.git("-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "-q", "-i", "--force-rebase", "HEAD~1")
    return Case(checkout, replace(clean(checkout), branch=None, detached=True))


CASES = (
    no_repository,
    no_commit_yet,
    one_commit_without_remote,
    branch_with_slashes,
    working_directory_below_the_root,
    untracked_files_only,
    modified_file,
    staged_new_file,
    deleted_file_asked_for_from_elsewhere,
    detached,
    detached_at_a_tag,
    branch_whose_tip_is_tagged,
    commits_after_a_tag,
    branch_called_like_a_tag,
    remote_with_a_password,
    remote_with_a_token_as_user_and_in_the_query,
    remote_over_ssh,
    token_injected_by_instead_of,
    only_remote_has_another_name,
    several_remotes_with_origin,
    several_remotes_without_origin,
    worktree,
    submodule,
    submodule_at_another_commit_that_it_hides,
    submodule_with_untracked_files,
    sha_256_repository,
    shallow_clone,
    partial_clone_whose_server_is_gone,
    bare_repository,
    bare_repository_that_came_with_the_checkout,
    variables_of_a_git_hook,
    hooks_and_monitors_of_the_checkout,
    rebase_in_progress,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_whole_origin(case: object, tmp_path: Path) -> None:
    assert callable(case)
    made: Case = case(tmp_path)
    origin = collect_origin(made.checkout.env, made.checkout.path)
    assert origin == made.expected
    assert SECRET not in repr(origin)
    assert not (tmp_path / "home" / "started").exists()


def test_the_users_version_goes_first(tmp_path: Path) -> None:
    checkout = committed(tmp_path)
    checkout.git("tag", "v1.2.3")
    assert collect_origin(checkout.env, checkout.path, version="7.0").version == "7.0"


def test_a_version_of_two_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the given version holds control characters"):
        collect_origin({}, tmp_path, version="1.0\n2.0")


def test_no_git_program_in_a_checkout(tmp_path: Path) -> None:
    checkout = committed(tmp_path)
    with pytest.raises(UsageError, match=r"git program, needed for the checkout in .*repo, is not on the PATH"):
        collect_origin(checkout.env | {"PATH": str(tmp_path)}, checkout.path)


def test_no_git_program_and_no_checkout(tmp_path: Path) -> None:
    assert collect_origin({"PATH": ""}, tmp_path) == LOCAL


def test_a_git_in_the_checkout_is_never_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = committed(tmp_path)
    monkeypatch.chdir(checkout.path)
    witness = tmp_path / "started"
    program = checkout.path / "git"
    program.write_text(f"#!/bin/sh\ntouch '{witness}'\n")
    program.chmod(0o755)
    origin = collect_origin(checkout.env | {"PATH": f".::{checkout.env['PATH']}"}, checkout.path)
    assert (origin, witness.exists()) == (clean(checkout), False)


def test_foreign_owner_is_not_no_repository(tmp_path: Path) -> None:
    checkout = committed(tmp_path)
    # git's own switch for its tests: every owner is taken for a foreign one.
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec "{shutil.which("git")}" "$@"\n')
    wrapper.chmod(0o755)
    env = checkout.env | {"PATH": str(wrapper.parent)}
    with pytest.raises(UsageError, match="dubious ownership") as caught:
        collect_origin(env, checkout.path)
    assert caught.value.hint == f"If that is intended: git config --global --add safe.directory {checkout.path}"
    trusting = env | {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    assert collect_origin(trusting, checkout.path) == clean(checkout)


def test_a_broken_repository_is_not_no_repository(tmp_path: Path) -> None:
    checkout = committed(tmp_path)
    tree = tmp_path / "tree"
    checkout.git("worktree", "add", "-q", str(tree))
    checkout.path.rename(tmp_path / "moved")
    with pytest.raises(UsageError, match=r"git can not read the checkout in .*tree: fatal: not a git repository"):
        collect_origin(checkout.env, tree)


def test_a_branch_that_is_no_text_is_refused(tmp_path: Path) -> None:
    checkout = committed(tmp_path)
    (checkout.path / ".git" / "HEAD").write_bytes(b"ref: refs/heads/\xff\xfe\n")
    with pytest.raises(UsageError, match="the branch holds control characters or bytes that are no text"):
        collect_origin(checkout.env, checkout.path)


def test_a_missing_working_directory(tmp_path: Path) -> None:
    checkout = committed(tmp_path)
    with pytest.raises(UsageError, match=r"git can not be started in .*nowhere"):
        collect_origin(checkout.env, tmp_path / "nowhere")
