"""The checkout's own configuration starts no program, whichever command of git reads it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from signpath_ci.origin.git import read_head
from signpath_ci.platforms.collect import collect_origin
from tests.unit.origin.checkouts import Checkout, new_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    checkout = new_checkout(tmp_path)
    (checkout.path / ".gitattributes").write_text("*.txt filter=evil diff=evil\n", encoding="utf-8")
    checkout.git("add", ".gitattributes")
    checkout.commit()
    checkout.git("tag", "v1")
    return checkout


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that leaves a mark beside itself when it runs."""
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\ncat\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def _touch_all(path: Path) -> None:
    """Let git compare contents: the index no longer knows the files by their times."""
    for file in path.rglob("*.txt"):
        os.utime(file, (time.time() - 1000, time.time() - 1000))


def _clean(checkout: Checkout, program: Path) -> None:
    checkout.git("config", "filter.evil.clean", str(program))


def _required(checkout: Checkout, program: Path) -> None:
    _clean(checkout, program)
    checkout.git("config", "filter.evil.required", "true")


def _process(checkout: Checkout, program: Path) -> None:
    checkout.git("config", "filter.evil.process", str(program))


def _other_driver_in_case(checkout: Checkout, program: Path) -> None:
    (checkout.path / ".gitattributes").write_text("*.txt filter=Ev.Il\n", encoding="utf-8")
    checkout.git("config", "filter.Ev.Il.clean", str(program))


def _included(checkout: Checkout, program: Path) -> None:
    included = checkout.path / "included"
    included.write_text(f'[filter "evil"]\n\tclean = {program}\n', encoding="utf-8")
    checkout.git("config", "include.path", "../included")


def _included_on_a_condition(checkout: Checkout, program: Path) -> None:
    included = checkout.path / "included"
    included.write_text(f'[filter "evil"]\n\tclean = {program}\n', encoding="utf-8")
    checkout.git("config", "includeIf.gitdir:**.path", "../included")


def _worktree(checkout: Checkout, program: Path) -> None:
    checkout.git("config", "extensions.worktreeConfig", "true")
    checkout.git("config", "--worktree", "filter.evil.clean", str(program))


def _fsmonitor(checkout: Checkout, program: Path) -> None:
    checkout.git("config", "core.fsmonitor", str(program))


def _hooks(checkout: Checkout, program: Path) -> None:
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction", "post-checkout"):
        (checkout.path / ".git" / "hooks" / name).symlink_to(program)


def _hooks_elsewhere(checkout: Checkout, program: Path) -> None:
    (checkout.path / "hooks").mkdir()
    (checkout.path / "hooks" / "post-index-change").symlink_to(program)
    checkout.git("config", "core.hooksPath", "hooks")


def _alias(checkout: Checkout, program: Path) -> None:
    for command in ("status", "describe", "config", "rev-parse", "merge-base"):
        checkout.git("config", f"alias.{command}", f"!{program}")


def _pager(checkout: Checkout, program: Path) -> None:
    checkout.git("config", "core.pager", str(program))
    for command in ("status", "describe", "config"):
        checkout.git("config", f"pager.{command}", str(program))


def _diff(checkout: Checkout, program: Path) -> None:
    for name in ("diff.external", "diff.evil.command", "diff.evil.textconv", "interactive.diffFilter"):
        checkout.git("config", name, str(program))


def _network(checkout: Checkout, program: Path) -> None:
    for name in ("core.sshCommand", "core.gitProxy", "core.askPass", "credential.helper", "core.alternateRefsCommand"):
        checkout.git("config", name, str(program))
    checkout.git("config", "remote.origin.url", "ssh://evil.example/x")
    checkout.git("config", "remote.origin.promisor", "true")
    checkout.git("config", "remote.origin.uploadpack", str(program))


def _others(checkout: Checkout, program: Path) -> None:
    for name in ("core.editor", "gpg.program", "sequence.editor", "merge.evil.driver", "uploadpack.packObjectsHook"):
        checkout.git("config", name, str(program))
    checkout.git("config", "log.showSignature", "true")
    checkout.git("config", "status.submoduleSummary", "true")


def _home(checkout: Checkout, program: Path) -> None:
    home = checkout.path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f'[filter "evil"]\n\tclean = {program}\n', encoding="utf-8")
    checkout.env["HOME"] = str(home)


ATTACKS = [
    _clean, _required, _process, _other_driver_in_case, _included, _included_on_a_condition, _worktree, _fsmonitor,
    _hooks, _hooks_elsewhere, _alias, _pager, _diff, _network, _others, _home,
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__.strip("_"))
def test_no_program_of_the_checkout_runs(
    checkout: Checkout, program: Path, attack: Callable[[Checkout, Path], None]
) -> None:
    attack(checkout, program)
    (program.parent / "ran").unlink(missing_ok=True)  # git runs some while it is configured
    _touch_all(checkout.path)
    origin = collect_origin(checkout.env, checkout.path)
    assert not (program.parent / "ran").exists()
    assert origin.tag is None
    assert origin.branch == "main"


def test_without_this_the_attacks_would_work(checkout: Checkout, program: Path) -> None:
    _clean(checkout, program)
    _touch_all(checkout.path)
    checkout.git("status")
    assert (program.parent / "ran").exists()


def test_no_filter_of_a_submodule_runs(checkout: Checkout, program: Path, tmp_path: Path) -> None:
    inner = new_checkout(tmp_path / "inner")
    inner.commit()
    checkout.git("submodule", "--quiet", "add", inner.path.as_uri(), "sub")
    checkout.git("commit", "-qm", "submodule")
    submodule = checkout.at(checkout.path / "sub")
    (submodule.path / ".git").is_file()
    attributes = Path(submodule.git("rev-parse", "--absolute-git-dir")) / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text("*.txt filter=evil\n", encoding="utf-8")
    submodule.git("config", "filter.evil.clean", str(program))
    _touch_all(checkout.path)
    head = read_head(checkout.env, checkout.path)
    assert not (program.parent / "ran").exists()
    assert head is not None
    assert not head.dirty
    (submodule.path / "file.txt").write_text("changed\n", encoding="utf-8")
    head = read_head(checkout.env, checkout.path)
    assert head is not None
    assert head.dirty


def test_a_filter_of_the_user_runs(checkout: Checkout, program: Path) -> None:
    with (Path(checkout.env["HOME"]) / ".gitconfig").open("a", encoding="utf-8") as file:
        file.write(f'[filter "evil"]\n\tclean = {program}\n')
    checkout.git("config", "filter.evil.clean", "false")
    _touch_all(checkout.path)
    head = read_head(checkout.env, checkout.path)
    assert (program.parent / "ran").exists()
    assert head is not None
    assert not head.dirty


def test_a_changed_file_is_dirty_with_a_filter_that_is_left_out(checkout: Checkout, program: Path) -> None:
    _clean(checkout, program)
    (checkout.path / "file.txt").write_text("changed\n", encoding="utf-8")
    head = read_head(checkout.env, checkout.path)
    assert head is not None
    assert head.dirty
