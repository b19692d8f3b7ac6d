"""Start a sandbox that outlives this step, and a connector in front of it; say in the step's outputs where they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_DEADLINE = 60


def main() -> None:
    """Start both."""
    directory = Path(os.environ["RUNNER_TEMP"]) / "sandbox"
    directory.mkdir(parents=True)
    sandbox_options = ["--json", "--port", "0", "--processing-seconds", "0", "--state", str(directory / "state")]
    sandbox = _started(
        [sys.executable, "-m", "signpath_ci", "sandbox", *sandbox_options],
        directory / "sandbox",
    )
    connector = _started(
        [sys.executable, str(Path(__file__).with_name("connector.py"))],
        directory / "connector",
        SANDBOX_CONNECTOR=sandbox["connectors"]["github_pipeline"],
        ARTIFACT_STORE=sandbox["artifact_store"],
    )
    distlib = find_spec("distlib")
    if distlib is None or distlib.origin is None:
        sys.exit("distlib is not installed: there is no executable to sign.")
    outputs = {
        **{name: sandbox[name.replace("-", "_")] for name in _AS_SAID},
        "connector-url": connector["url"],
        "executable": str(Path(distlib.origin).with_name("t64.exe")),
    }
    print(f"::add-mask::{sandbox['api_token']}")
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in outputs.items())
    with Path(os.environ["GITHUB_ENV"]).open("a", encoding="utf-8") as file:
        file.write(f"ARTIFACT_STORE={sandbox['artifact_store']}\n")


_AS_SAID = ("api-url", "organization-id", "api-token", "project-slug", "signing-policy-slug", "trust-root")


def _started(command: list[str], name: Path, **environment: str) -> dict[str, Any]:
    """Start a process that nothing of this step holds on to; return the JSON line that it says when it is ready."""
    said, log = name.with_suffix(".json"), name.with_suffix(".log")
    with said.open("wb") as output, log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
    deadline = time.monotonic() + _DEADLINE
    while not said.read_bytes().endswith(b"\n"):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{name.name} did not start: {log.read_text('utf-8')}")
        time.sleep(0.05)
    about: dict[str, Any] = json.loads(said.read_bytes())
    return about


if __name__ == "__main__":
    main()
