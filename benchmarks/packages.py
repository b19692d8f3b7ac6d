"""Verification of packages and scripts: an MSIX beside `osslsigncode verify`, a NuGet package, many scripts."""

from __future__ import annotations

import random
import shutil
import tempfile
import zipfile
from datetime import datetime, timezone
from pathlib import Path

from tests.support.packages import build_msix

from benchmarks.measure import Run, median, run, table
from benchmarks.verification import sign, verify_command
from signpath_ci.sandbox.pki import Authority

_MIB = 1 << 20
_ROUNDS = 5
_SCRIPTS = 1000


def measure() -> str:
    """Return the table."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        authority = Authority.open(directory / "pki", now=datetime.now(timezone.utc))
        files = {
            "MSIX, 300 MB": _msix(directory, authority),
            "NuGet package, 50 MB": _nuget(directory, authority),
            f"{_SCRIPTS} scripts in one ZIP": _scripts(directory, authority),
        }
        commands = {(label, "`signpath-ci verify`"): verify_command(path, authority) for label, path in files.items()}
        if shutil.which("osslsigncode"):
            root, (label, path) = str(authority.trust_root), next(iter(files.items()))
            judge = ["osslsigncode", "verify", "-CAfile", root, "-TSA-CAfile", root, "-in", str(path)]
            commands[label, "`osslsigncode verify`, which skips the block map"] = judge
        runs: dict[tuple[str, str], list[Run]] = {name: [] for name in commands}
        for _ in range(_ROUNDS):  # in turn, so that whatever else the machine does hits all
            for key, command in commands.items():
                runs[key].append(run(command))
    found = {key: median(measured) for key, measured in runs.items()}
    rows = [
        [*key, f"{one.seconds:.2f} s", f"{one.cpu_seconds:.2f} s", f"{one.peak_mib:.0f} MiB"]
        for key, one in found.items()
    ]
    return table(["file", "command", f"median of {_ROUNDS}", "CPU time", "peak memory"], rows)


def _data(size: int) -> bytes:
    return random.Random(1).randbytes(size)


def _msix(directory: Path, authority: Authority) -> Path:
    names = authority.code_signer("bench").certificate.subject
    publisher = ", ".join(f"{a.rfc4514_attribute_name}={a.value!s}" for a in reversed(list(names)))
    unsigned, signed = directory / "unsigned.msix", directory / "signed.msix"
    unsigned.write_bytes(build_msix({f"{number}.xml": _data(30 * _MIB) for number in range(10)}, publisher))
    sign(unsigned, signed, authority)
    return signed


def _nuget(directory: Path, authority: Authority) -> Path:
    unsigned, signed = directory / "unsigned.nupkg", directory / "signed.nupkg"
    with zipfile.ZipFile(unsigned, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("App.nuspec", b"<package/>")
        for number in range(10):
            archive.writestr(f"lib/{number}.bin", _data(5 * _MIB))
    sign(unsigned, signed, authority)
    return signed


def _scripts(directory: Path, authority: Authority) -> Path:
    unsigned, signed = directory / "unsigned.vbs", directory / "signed.vbs"
    unsigned.write_bytes(b'WScript.Echo "one line of many"\r\n' * 100)
    sign(unsigned, signed, authority)
    path = directory / "scripts.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(_SCRIPTS):
            archive.write(signed, f"{number}.vbs")
    return path
