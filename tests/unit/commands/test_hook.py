"""A packager calls its signing command in a directory of its own, below the checkout's root."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from signpath_ci.checkout import nearest_with
from tests.support.pe import LAUNCHERS
from tests.support.program import Program

NAME = Path(".signpath/signing.yml")


def _write(path: Path, text: str = "version: 1\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def build(program: Program) -> Program:
    """A program that runs in `build` of a checkout, with a manifest at its root and nothing in the environment."""
    (program.directory / ".git").mkdir()
    given = program.environment
    _write(
        program.directory / NAME,
        f"version: 1\norganization: {given['SIGNPATH_ORGANIZATION_ID']}\nproject: {given['SIGNPATH_PROJECT_SLUG']}\n"
        f"policy: {given['SIGNPATH_SIGNING_POLICY_SLUG']}\nartifacts: [dist]\noutput: {{path: signed/}}\n"
        "verify: {trust-roots: [root.pem]}\n",
    )
    shutil.copy(given["SIGNPATH_TRUST_ROOT"], program.directory / "root.pem")
    directory = program.directory / "build"
    directory.mkdir()
    shutil.copy(LAUNCHERS["x64"], directory / "nst1.tmp")
    left_out = ("ORGANIZATION_ID", "PROJECT_SLUG", "SIGNING_POLICY_SLUG", "TRUST_ROOT")
    environment = {name: text for name, text in given.items() if name.removeprefix("SIGNPATH_") not in left_out}
    return replace(program, directory=directory, environment=environment)


def test_a_hook_signs_in_place_in_any_directory_of_the_checkout(build: Program) -> None:
    finished = build("sign", "--in-place", "nst1.tmp")

    assert (finished.code, finished.out) == (0, "nst1.tmp\n"), finished.err
    assert "trusted by root" in finished.err


def test_paths_of_the_manifest_stay_those_of_its_directory(build: Program) -> None:
    top = build.directory.parent
    (top / "dist").mkdir()
    (top / "signed").mkdir()
    shutil.copy(LAUNCHERS["x64"], top / "dist" / "app.exe")

    finished = build("sign")

    assert finished.code == 0, finished.err
    assert [path.name for path in (top / "signed").iterdir()] == ["app.exe"]


def test_the_search_ends_at_the_root_of_the_checkout(tmp_path: Path) -> None:
    _write(tmp_path / NAME)
    inner = tmp_path / "checkout" / "a" / "b"
    inner.mkdir(parents=True)
    assert nearest_with(inner, NAME) is None, "outside of a checkout nothing above counts"
    (tmp_path / "checkout" / ".git").mkdir()
    assert nearest_with(inner, NAME) is None, "above the checkout is another's"
    _write(tmp_path / "checkout" / NAME)
    assert nearest_with(inner, NAME) == tmp_path / "checkout"
    _write(inner / NAME)
    assert nearest_with(inner, NAME) == inner


def test_a_directory_above_that_everybody_may_write_to_is_not_searched(tmp_path: Path) -> None:
    inner = tmp_path / "shared" / "a"
    inner.mkdir(parents=True)
    (tmp_path / "shared" / ".git").mkdir()
    _write(tmp_path / "shared" / NAME)
    (tmp_path / "shared").chmod(0o1777)
    assert nearest_with(inner, NAME) is None
