"""Verification of a big PE file beside `osslsigncode verify`, its memory, and many small files in one archive."""

from __future__ import annotations

import shutil
import sys
import tempfile
import zipfile
from datetime import datetime, timezone
from importlib.util import find_spec
from pathlib import Path

from benchmarks.measure import Run, median, run, table
from benchmarks.transfer import pe_file
from signpath_ci.sandbox import tsa
from signpath_ci.sandbox.pki import Authority
from signpath_ci.sandbox.signers import sign_file

_MIB = 1 << 20
_ROUNDS = 5


def measure() -> str:
    """Return the tables: PE files by size against osslsigncode, archives by the number of files in them."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        authority = Authority.open(directory / "pki", now=datetime.now(timezone.utc))
        return f"{_big_files(directory, authority)}\n\n{_archives(directory, authority)}"


def _big_files(directory: Path, authority: Authority) -> str:
    tool = shutil.which("osslsigncode")
    rows = []
    for size in (20, 200):
        unsigned = pe_file(directory / f"{size}.exe", size * _MIB)
        signed = directory / f"{size}.signed.exe"
        _sign(unsigned, signed, authority)
        root = str(authority.trust_root)
        verify = ["osslsigncode", "verify", "-CAfile", root, "-TSA-CAfile", root, "-in", str(signed)]
        theirs: list[Run] = []
        ours: list[Run] = []
        for _ in range(_ROUNDS):  # in turn, so that whatever else the machine does hits both
            if tool:
                theirs.append(run(verify))
            ours.append(run(_command(signed, authority, "--unsigned", str(unsigned))))
        against = f"{median(ours).seconds / median(theirs).seconds:.2f}" if theirs else ""
        if theirs:
            seconds = f"{median(theirs).seconds:.2f} s"
            rows.append([f"{size} MiB", "`osslsigncode verify`", seconds, "1.00", _memory(theirs)])
        rows.append(
            [f"{size} MiB", "`signpath-ci verify --unsigned`", f"{median(ours).seconds:.2f} s", against, _memory(ours)]
        )
        unsigned.unlink()
        signed.unlink()
    return table(["PE file", "command", f"median of {_ROUNDS}", "against osslsigncode", "peak memory"], rows)


def _archives(directory: Path, authority: Authority) -> str:
    spec = find_spec("distlib")
    launcher = Path((spec.origin if spec else None) or "").with_name("t32.exe")
    small = directory / "small.exe"
    _sign(launcher, small, authority)
    rows = []
    for count in (1, 250, 500, 1000):
        archive = directory / f"{count}.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            for number in range(count):
                file.write(small, f"{number}.exe")
        measured = median([run(_command(archive, authority)) for _ in range(3)])
        rows.append([str(count), f"{measured.seconds:.2f} s", f"{measured.peak_mib:.0f} MiB"])
    return table(["signed PE files in one ZIP", "`signpath-ci verify`", "peak memory"], rows)


def _sign(source: Path, target: Path, authority: Authority) -> None:
    sign_file(
        source,
        target,
        signer=authority.code_signer("bench"),
        time_stamp=lambda value: tsa.time_stamp(authority.time_stamper, value, now=datetime.now(timezone.utc)),
    )


def _command(path: Path, authority: Authority, *more: str) -> list[str]:
    return [sys.executable, "-m", "signpath_ci", "verify", str(path), "--trust-root", str(authority.trust_root), *more]


def _memory(runs: list[Run]) -> str:
    return f"{median(runs).peak_mib:.0f} MiB"
