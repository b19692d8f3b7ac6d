"""The packed Azure task on Windows' Node.js, which starts the core on Windows' Python."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.platforms.azure.agent import Agent
from tests.platforms.azure.conftest import (  # noqa: F401 - its fixtures
    SandboxService,
    Step,
    agent,
    core,
    extension,
    sandbox,
    task,
)
from tests.support.needs import ROOT

_WINDOWS = ROOT / "build" / "windows"
_NODE = _WINDOWS / "node.exe"
_START = """\
#!/bin/sh
export WINEPREFIX={windows}/prefix WINEDEBUG=-all LC_ALL=C.UTF-8 WINEPATH='Z:{windows}/python' PATH={path}
wine {windows}/node.exe --require {streams} "$@" </dev/null 2>&1 | sed '/task.uploadsummary/ s,\\\\,/,g'
"""
# The agent of these tests reads the summary, so its path is written as Linux knows it.
# Under Wine, the streams that Node.js makes of pipes can't be opened; writing to them works.
_STREAMS = """\
const fs = require('node:fs');
const { Writable } = require('node:stream');
for (const [name, fd] of [['stdout', 1], ['stderr', 2]]) {
  const write = (chunk, encoding, done) => { fs.writeSync(fd, chunk); done(); };
  Object.defineProperty(process, name, { value: Object.assign(new Writable({ write }), { fd }) });
}
"""


@pytest.mark.skipif(not _NODE.exists(), reason="npm could not fetch Windows' Node.js when build/windows was made")
def test_the_task_signs_a_file(
    tmp_path: Path,
    agent: Agent,  # noqa: F811
    task: Step,  # noqa: F811
    sandbox: SandboxService,  # noqa: F811
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "node").write_text(
        _START.format(windows=_WINDOWS, path=os.environ["PATH"], streams=programs / "streams.js")
    )
    (programs / "streams.js").write_text(_STREAMS)
    (programs / "node").chmod(0o755)
    environment = {**agent.environment, "PATH": f"{programs}:{os.environ['PATH']}", "SIGNPATH_INSTALL_VERIFY": "false"}

    ran = replace(agent, environment=environment).run(task("SubmitSigningRequest", artifactPath="app.exe"))

    assert ran.results == ["Succeeded"], ran.output
    request = sandbox.request(agent.variables["signpath.SigningRequestId"])
    assert (request["status"], request["times_signed"]) == ("Completed", 1)
    assert (agent.directory / "app.signed.exe").stat().st_size > (agent.directory / "app.exe").stat().st_size
