"""Start a sandbox that outlives this step; say in the step's outputs where it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

_DEADLINE = 60
_OUTPUTS = (
    "api-url",
    "connector-url",
    "organization-id",
    "api-token",
    "project-slug",
    "signing-policy-slug",
    "trust-root",
)


def main() -> None:
    """Start it, and wait until it is ready."""
    directory = Path(os.environ["RUNNER_TEMP"]) / "sandbox"
    directory.mkdir(parents=True)
    said, log = directory / "sandbox.json", directory / "sandbox.log"
    with said.open("wb") as output, log.open("wb") as errors:
        # Nothing of this step may be held on to: the runner waits until its outputs are closed.
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("serve.py")), str(directory / "state")],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
    deadline = time.monotonic() + _DEADLINE
    while not said.read_bytes().endswith(b"\n"):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"The sandbox did not start: {log.read_text('utf-8')}")
        time.sleep(0.05)
    sandbox = json.loads(said.read_bytes())
    launchers = find_spec("distlib")
    if launchers is None or launchers.origin is None:
        sys.exit("distlib is not installed: there is no executable to sign.")
    print(f"::add-mask::{sandbox['api_token']}")
    values = {name: sandbox[name.replace("-", "_")] for name in _OUTPUTS}
    values |= {"executable": Path(launchers.origin).with_name("t64.exe"), "process": process.pid}
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())


if __name__ == "__main__":
    main()
