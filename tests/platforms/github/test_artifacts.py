"""The unsigned artifact of `actions/sign`: its name is free each time, hidden files and single files arrive."""

from __future__ import annotations

import shutil
from typing import Any

from tests.platforms.github.act import Repository
from tests.platforms.github.workflows import TOKENS, use, workflow
from tests.support.needs import needs
from tests.support.pe import LAUNCHERS

pytestmark = needs("act")


def test_two_steps_of_a_job_and_a_job_that_is_run_again_sign(repository: Repository, sandbox: dict[str, Any]) -> None:
    shutil.copyfile(LAUNCHERS["x64"], repository.directory / "other.exe")
    steps = [use("sign", sandbox, {"path": name}, step=step) for name, step in (("app.exe", "a"), ("other.exe", "it"))]

    first = repository.run(workflow(*steps), variables=TOKENS)
    assert first.code == 0, first.log
    again = repository.run(workflow(*steps), variables=TOKENS, same_commit=True)
    assert again.code == 0, again.log


def test_a_hidden_program_and_a_single_file_are_signed(repository: Repository, sandbox: dict[str, Any]) -> None:
    hidden = repository.directory / "dist" / ".tools" / "helper.exe"
    hidden.parent.mkdir(parents=True)
    shutil.copyfile(LAUNCHERS["x64"], hidden)
    shutil.copyfile(LAUNCHERS["x64"], repository.directory / "dist" / "app.exe")

    refused = repository.run(workflow(use("sign", sandbox, {"path": "dist"})), variables=TOKENS)
    assert refused.code != 0
    assert "[hidden-files-left-out]" in refused.errors[-1]

    steps = (
        use("sign", sandbox, {"path": "dist", "include-hidden-files": "true"}, step="a"),
        use("sign", sandbox, {"path": "app.exe", "archive": "false"}),
    )
    signed = repository.run(workflow(*steps), variables=TOKENS)
    assert signed.code == 0, signed.log
    for name in ("dist/app.exe", "dist/.tools/helper.exe", "app.exe"):
        assert (signed.record / "workspace" / name).read_bytes() != LAUNCHERS["x64"].read_bytes()
