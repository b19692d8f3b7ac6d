"""`signpath-ci demo`: what a newcomer sees first."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.support.oracles import needs_osslsigncode, osslsigncode_accepts
from tests.support.program import Program


def _bare(program: Program) -> Program:
    """A newcomer has no settings yet."""
    bare = {name: text for name, text in program.environment.items() if not name.startswith("SIGNPATH_")}
    return Program(program.directory, bare)


@needs_osslsigncode
def test_the_demo_tells_the_story_and_its_file_passes_an_independent_verifier(program: Program) -> None:
    finished = _bare(program)("demo", "--processing-seconds", "0.2")

    assert finished.code == 0, finished.err
    for pattern in (
        r"^Sandbox at http://127\.0\.0\.1:\d+",
        r"^Signing signpath-demo/t64\.exe, ",
        r"^  SHA-256 before: [0-9a-f]{64}$",
        r"^Signing request [0-9a-f-]{36}$",
        r"^  http://127\.0\.0\.1:\d+/",
        r"^\d\d:\d\d:\d\d Completed after ",
        r"^  SHA-256 after: [0-9a-f]{64}$",
        r"^Verified t64\.signed\.exe: trusted by root; same content as submitted$",
        r"^  signer: .*CN=",
        r"^  timestamp: \d{4}-\d\d-\d\d .* UTC by .*CN=",
        r"^signpath-demo/t64\.signed\.exe$",
    ):
        assert re.search(pattern, finished.out, re.MULTILINE), (pattern, finished.out)
    demo = program.directory / "signpath-demo"
    osslsigncode_accepts(demo / "t64.signed.exe", root=demo / "sandbox-root.pem")


def test_the_commands_that_the_demo_names_work(program: Program) -> None:
    bare = _bare(program)
    shown = bare("demo", "--processing-seconds", "0").out
    [line] = [line for line in shown.splitlines() if " verify " in line and "signpath" in line.split(" verify ")[0]]

    finished = subprocess.run(line, shell=True, cwd=program.directory, env=dict(bare.environment), check=False)
    assert finished.returncode == 0


def test_the_demo_signs_a_file_of_the_reader_s(program: Program, executable: Path) -> None:
    finished = _bare(program)("demo", executable, "--output-directory", "out", "--json", "--processing-seconds", "0")

    assert finished.code == 0, finished.err
    assert Path(finished.json["output"]) == Path("out/app.signed.exe")


def test_a_demo_that_fails_says_so(program: Program) -> None:
    (program.directory / "text.exe").write_text("no executable", encoding="utf-8")

    assert _bare(program)("demo", "text.exe").code == 2
    assert _bare(program)("demo", "none.exe").code == 8


def test_a_sandbox_that_cannot_start_is_an_error(program: Program) -> None:
    (program.directory / "state").write_text("a file where a directory should be", encoding="utf-8")

    finished = _bare(program)("demo", "--state", "state")

    assert finished.code != 0
    assert "The sandbox did not start." in finished.err
