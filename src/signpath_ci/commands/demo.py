"""`signpath-ci demo`: a sandbox, a real Windows executable, and the whole way of its signature in a few lines."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from signpath_ci.commands import sign
from signpath_ci.commands.sandbox import not_installed
from signpath_ci.errors import LocalFileError, UsageError
from signpath_ci.settings import DemoSettings, SignSettings, load
from signpath_ci.values import replace
from signpath_ci.workflows.process import Process, print_result

_LAUNCHER = "t64.exe"
"""The 64-bit console launcher of the package `distlib`, which scripts on Windows are started by."""


def run(settings: DemoSettings, process: Process) -> None:
    """Start a sandbox, sign one file there, verify it, and tell the story on standard output.

    Raises:
        SignPathError: any part failed.
    """
    try:
        from signpath_ci.sandbox.child import running_sandbox
    except ImportError as error:
        raise not_installed(error) from None
    original = settings.artifact or _launcher()
    options = ["--processing-seconds", str(settings.processing_seconds)]
    if settings.state:
        options += ["--state", str(settings.state)]
    with running_sandbox(options) as sandbox:
        artifact, trust_root = _workspace(settings.output_directory, original, Path(sandbox["trust_root"]))
        signed = artifact.with_suffix(f".signed{artifact.suffix}")
        if not settings.json:
            print_result(process, f"Sandbox at {sandbox['web_url']}")
        sign.run(
            _sign_settings(artifact, signed, trust_root, sandbox, as_json=settings.json),
            process if settings.json else replace(process, stderr=process.stdout),
        )
    if not settings.json:
        print_result(process, "Check it yourself:")
        print_result(process, f"  {_program()} verify {signed} --unsigned {artifact} --trust-root {trust_root}")
        print_result(process, f"  osslsigncode verify -CAfile {trust_root} -TSA-CAfile {trust_root} -in {signed}")


def _program() -> str:
    """Return the command as the reader can type it: after `make demo` it is not on the PATH."""
    return "signpath-ci" if shutil.which("signpath-ci") else f"{os.path.relpath(sys.executable)} -m signpath_ci"


def _launcher() -> Path:
    spec = find_spec("distlib")
    path = Path(spec.origin or "").with_name(_LAUNCHER) if spec else None
    if path is None or not path.is_file():
        raise UsageError(
            "There is no Windows executable at hand to sign.",
            hint="Name one (signpath-ci demo FILE), or run: pip install 'signpath-ci[sandbox]'",
            code="demo-failed",
        )
    return path


def _workspace(directory: Path, original: Path, trust_root: Path) -> tuple[Path, Path]:
    """Copy what outlives the sandbox into `directory`: the unsigned file, and the root to verify the signed one."""
    artifact = directory / original.name
    root = directory / "sandbox-root.pem"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(original, artifact)
        shutil.copyfile(trust_root, root)
    except OSError as error:
        raise LocalFileError(
            f"{error.filename or directory} can't be used for the demo: {error.strerror}.",
            hint="Name a readable file, and a directory that can be written with --output-directory.",
            code="demo-failed",
        ) from None
    return artifact, root


def _sign_settings(
    artifact: Path, signed: Path, trust_root: Path, sandbox: dict[str, Any], *, as_json: bool
) -> SignSettings:
    arguments: dict[str, str | list[str]] = {
        "artifact": str(artifact),
        "output": str(signed),
        "force": "true",
        "trust_root": [str(trust_root)],
        "json": str(as_json).lower(),
        **{name: sandbox[name] for name in ("api_url", "organization_id", "project_slug", "signing_policy_slug")},
    }
    return load(SignSettings, arguments, {"SIGNPATH_API_TOKEN": sandbox["api_token"]})
