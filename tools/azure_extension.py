"""Packs the Azure extension, offline: `python -m tools.azure_extension dist/signpath-ci.pyz dist`.

Each task is bundled into one JavaScript file, with the core beside it as a zipapp.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from signpath_ci import __version__
from tools.azure_tasks import AZURE, TASKS

NODE_MODULES = AZURE.parent / "tests" / "platforms" / "node_modules"
_OLDEST_NODE = "node20"
_CARRIED_ALONG = ("vss-extension.json", "overview.md", "images")


def pack(core: Path, output: Path, *, staging: Path) -> Path:
    """Pack the extension and return the `.vsix`.

    Args:
        core: the core as a zipapp.
        output: the directory that gets the `.vsix`.
        staging: a directory that does not exist; what is packed stays there.

    Raises:
        subprocess.CalledProcessError: a tool failed, and has said why.
    """
    staging.mkdir(parents=True)
    for name in _CARRIED_ALONG:
        copy = shutil.copytree if (AZURE / name).is_dir() else shutil.copy
        copy(AZURE / name, staging / name)
    shutil.copy(AZURE.parent / "LICENSE", staging)
    for task in TASKS:
        _stage_task(task, core, staging / "tasks" / task)
    tfx = ["extension", "create", "--root", str(staging), "--manifest-globs", "vss-extension.json", "--no-color"]
    path = output / f"signpath-ci-{__version__}.vsix"
    _run("tfx", *tfx, "--output-path", str(path))
    return path


def _stage_task(task: str, core: Path, directory: Path) -> None:
    directory.mkdir(parents=True)
    shutil.copy(AZURE / "tasks" / task / "task.json", directory)
    shutil.copy(AZURE / "images" / "icon.png", directory)
    shutil.copy(core, directory / "signpath-ci.pyz")
    # The library reads its messages from a file beside it.
    shutil.copy(NODE_MODULES / "azure-pipelines-task-lib" / "lib.json", directory)
    bundle = ["--bundle", "--platform=node", f"--target={_OLDEST_NODE}", "--legal-comments=eof", "--log-level=warning"]
    _run("esbuild", str(AZURE / "tasks" / task / "index.js"), *bundle, f"--outfile={directory / 'index.js'}")


def _run(tool: str, *arguments: str) -> None:
    environment = {**os.environ, "NODE_PATH": str(NODE_MODULES)}
    command = [str(NODE_MODULES / ".bin" / tool), *arguments]
    subprocess.run(command, env=environment, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        pack(Path(sys.argv[1]), Path(sys.argv[2]), staging=Path(scratch) / "extension")
