"""The rules of the test suite itself: what a plain run leaves out, and what it says of what is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import INSTALLED_BY, ROOT

_TESTS = """
import pytest

from tests.support.needs import reason

@pytest.mark.full
def test_long(): pass

@pytest.mark.sample(3)
@pytest.mark.parametrize("number", range(11))
def test_many(number): pass

@pytest.mark.sample(3)
@pytest.mark.parametrize("number", range(2))
def test_few(number): pass

@pytest.mark.skipif(True, reason=reason("rsync", "busybox"))
def test_tools(): pass
"""


def _run(directory: Path, *options: str) -> tuple[int, str]:
    (directory / "pytest.ini").write_text("[pytest]\nmarkers = full: x\n  sample(n): x\n", "utf-8")
    (directory / "test_it.py").write_text(_TESTS, "utf-8")
    command = [sys.executable, "-m", "pytest", "-v", "-p", "tests.conftest", "-p", "no:cacheprovider", *options]
    done = subprocess.run(
        [*command, "--rootdir", directory, "-c", directory / "pytest.ini", directory],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def _passed(said: str) -> list[str]:
    return sorted(line.partition("::")[2].split()[0] for line in said.splitlines() if " PASSED" in line)


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_plain_run_leaves_out_what_is_long_and_spreads_its_sample(tmp_path: Path, workers: tuple[str, ...]) -> None:
    code, said = _run(tmp_path, "-rN", *workers)

    names = [*(f"test_few[{n}]" for n in (0, 1)), *(f"test_many[{n}]" for n in (0, 10, 5))]
    passed = _passed(said) if not workers else sorted(names) * said.count("5 passed, 1 skipped")
    assert (code, passed) == (0, sorted(names))
    missing = "busybox (apt-get install busybox); rsync (apt-get install rsync)"
    assert f"1 tests were skipped. Missing: {missing}" in said.splitlines()


def test_a_full_run_runs_all_and_may_skip_nothing(tmp_path: Path) -> None:
    code, said = _run(tmp_path, "--full", "--no-skips")

    assert len(_passed(said)) == 1 + 11 + 2
    assert code == 1
    assert "error: --no-skips is given, and tests were skipped." in said


def test_the_instructions_name_all_packages() -> None:
    instructions = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = re.search(r"\$ apt-get install ((?:[^`\n]|\n    )+)", instructions)
    needed = {words.split()[2].rstrip(",") for words in INSTALLED_BY.values() if words.startswith("apt-get install ")}

    assert named
    assert set(named[1].replace("\\\n", " ").split()) == needed
