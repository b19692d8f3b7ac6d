"""What describes the signed files fits them after `actions/sign`."""

from __future__ import annotations

import hashlib
import shutil
from typing import Any

from tests.platforms.github.act import Repository
from tests.platforms.github.workflows import TOKENS, use, workflow
from tests.support.needs import needs
from tests.support.pe import LAUNCHERS

pytestmark = needs("act")


def test_one_step_signs_and_brings_the_checksums_up_to_date(repository: Repository, sandbox: dict[str, Any]) -> None:
    dist = repository.directory / "dist"
    (dist / "more").mkdir(parents=True)
    shutil.copyfile(LAUNCHERS["x64"], dist / "app.exe")
    before = f"{hashlib.sha256((dist / 'app.exe').read_bytes()).hexdigest()}  app.exe\n"
    for place in (dist / "SHA256SUMS", dist / "more" / "SHA256SUMS", repository.directory / "SHA256SUMS"):
        place.write_text(before, encoding="utf-8")
    given = {"path": "dist", "finish": "true", "write-checksums": "signed.sha256"}

    result = repository.run(workflow(use("sign", sandbox, given)), variables=TOKENS)

    assert result.code == 0, result.log
    workspace = result.record / "workspace"
    digest = hashlib.sha256((workspace / "dist" / "app.exe").read_bytes()).hexdigest()
    for name in ("dist/SHA256SUMS", "dist/more/SHA256SUMS"):
        assert (workspace / name).read_text("utf-8") == f"{digest}  app.exe\n"
    assert (workspace / "SHA256SUMS").read_text("utf-8") == before  # not in the artifact
    assert (workspace / "signed.sha256").read_text("utf-8") == f"{digest}  dist/app.exe\n"
    assert result.json("outputs")["signed-sha256"] == f"{digest}  app.exe"
