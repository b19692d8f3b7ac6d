"""The edge of the process: what no other exit code stands for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.program import Program

_DEFECT = """
import sys
from signpath_ci import __main__
from signpath_ci.commands import origin
def run(settings, process):
    raise RuntimeError("boom\\n::error::x")
origin.run = run
sys.argv = ["signpath-ci", "origin", *sys.argv[1:]]
sys.exit(__main__.main())
"""


@pytest.mark.parametrize(("level", "code", "traceback"), [("info", 70, False), ("debug", 1, True)])
def test_a_defect_is_one_line_and_its_details_are_there_for_who_asks(
    program: Program, level: str, code: int, traceback: bool
) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", _DEFECT, "--log-level", level],
        env=dict(program.environment),
        cwd=program.directory,
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == code
    assert ("Traceback" in finished.stderr) is traceback
    if not traceback:
        assert finished.stderr == (
            "error: Internal error: RuntimeError: boom ::error::x. This is a defect of signpath-ci: "
            "run it again with --log-level debug and report what it prints. [internal-error]\n"
        )


_INTERRUPTED = """
import os, signal, sys
from signpath_ci import __main__
from signpath_ci.commands import origin
def run(settings, process):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except Exception:  # as a library may that cleans up
        raise KeyError("a library's own")
origin.run = run
sys.argv = ["signpath-ci", "origin"]
sys.exit(__main__.main())
"""


def test_a_signal_is_one_though_a_library_stumbles_over_it(program: Program) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED],
        env=dict(program.environment),
        cwd=program.directory,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (finished.returncode, finished.stderr) == (143, "error: Interrupted by SIGTERM. [interrupted]\n")


def test_a_reader_that_goes_away_is_no_defect(program: Program) -> None:
    with program.start("origin") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()

    assert (process.returncode, said) == (8, "")
