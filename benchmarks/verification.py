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
_ORACLE = "`osslsigncode verify`"
_ROUNDS = 11
_ROUNDS_OF_ARCHIVES = 5
_COUNTS = (250, 500, 1000)
_ENTRIES = 50_000


def measure() -> str:
    """Return the tables: PE files against osslsigncode, archives by the number of files, reading one against unzip."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        authority = Authority.open(directory / "pki", now=datetime.now(timezone.utc))
        return f"{_big_files(directory, authority)}\n\n{_archives(directory, authority)}\n\n{_entries(directory)}"


def _big_files(directory: Path, authority: Authority) -> str:
    root = str(authority.trust_root)
    rows = []
    for size in (20, 200):
        unsigned = pe_file(directory / f"{size}.exe", size * _MIB)
        signed = directory / f"{size}.signed.exe"
        sign(unsigned, signed, authority)
        commands = {
            "`signpath-ci verify --unsigned`": verify_command(signed, authority, "--unsigned", str(unsigned)),
            "`signpath-ci verify`": verify_command(signed, authority),
        }
        if shutil.which("osslsigncode"):
            judge = ["osslsigncode", "verify", "-CAfile", root, "-TSA-CAfile", root, "-in", str(signed)]
            commands = {_ORACLE: judge, **commands}
        runs: dict[str, list[Run]] = {name: [] for name in commands}
        for _ in range(_ROUNDS):  # in turn, so that whatever else the machine does hits all
            for name, command in commands.items():
                runs[name].append(run(command))
        rows += [_row(size, name, median(measured), runs.get(_ORACLE)) for name, measured in runs.items()]
        unsigned.unlink()
        signed.unlink()
    head = ["PE file", "command", f"median of {_ROUNDS}", "against osslsigncode", "CPU time", "against", "peak memory"]
    return table(head, rows)


def _row(size: int, name: str, measured: Run, theirs: list[Run] | None) -> list[str]:
    against = median(theirs) if theirs else None
    return [
        f"{size} MiB",
        name,
        f"{measured.seconds:.2f} s",
        f"{measured.seconds / against.seconds:.2f}" if against else "",
        f"{measured.cpu_seconds:.2f} s",
        f"{measured.cpu_seconds / against.cpu_seconds:.2f}" if against else "",
        f"{measured.peak_mib:.0f} MiB",
    ]


def _archives(directory: Path, authority: Authority) -> str:
    spec = find_spec("distlib")
    launcher = Path((spec.origin if spec else None) or "").with_name("t32.exe")
    small = directory / "small.exe"
    sign(launcher, small, authority)
    files = {1: small}
    for count in _COUNTS:
        files[count] = directory / f"{count}.zip"
        with zipfile.ZipFile(files[count], "w", zipfile.ZIP_DEFLATED) as file:
            for number in range(count):
                file.write(small, f"{number}.exe")
    runs: dict[int, list[Run]] = {count: [] for count in files}
    for _ in range(_ROUNDS_OF_ARCHIVES):
        for count, path in files.items():
            runs[count].append(run(verify_command(path, authority)))
    found = {count: median(measured) for count, measured in runs.items()}
    each = {count: (found[count].cpu_seconds - found[1].cpu_seconds) / count for count in _COUNTS}
    rows = [
        [
            str(count),
            f"{found[count].seconds:.2f} s",
            f"{found[count].cpu_seconds:.2f} s",
            f"{each[count] * 1000:.1f} ms",
            f"{each[count] / each[_COUNTS[0]]:.2f}",
            f"{found[count].peak_mib:.0f} MiB",
        ]
        for count in _COUNTS
    ]
    head = ["signed PE files in one ZIP", f"median of {_ROUNDS_OF_ARCHIVES}", "CPU time", "of that each"]
    return table([*head, f"each against {_COUNTS[0]}", "peak memory"], rows)


def _entries(directory: Path) -> str:
    """Measure reading all of a large archive, as is done before the submit, beside what others take to test it."""
    path = directory / "entries.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(_ENTRIES):
            file.writestr(f"{number % 100}/{number}.txt", b"text %d\n" % number * 20)
    reading = "import sys; from signpath_ci.formats.zip import check_archive; check_archive(open(sys.argv[1], 'rb'))"
    standard = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).testzip()"
    commands = {
        "this project's reader": [sys.executable, "-c", reading, str(path)],
        "`zipfile`, `testzip`": [sys.executable, "-c", standard, str(path)],
    }
    if shutil.which("unzip"):
        commands["`unzip -t`"] = ["unzip", "-tqq", str(path)]
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(_ROUNDS_OF_ARCHIVES):
        for name, command in commands.items():
            runs[name].append(run(command))
    rows = []
    for name, measured in runs.items():
        found = median(measured)
        rows.append([name, f"{found.seconds:.2f} s", f"{found.cpu_seconds:.2f} s", f"{found.peak_mib:.0f} MiB"])
    return table([f"{_ENTRIES} entries", f"median of {_ROUNDS_OF_ARCHIVES}", "CPU time", "peak memory"], rows)


def sign(source: Path, target: Path, authority: Authority) -> None:
    """Sign a file in the sandbox."""
    sign_file(
        source,
        target,
        signer=authority.code_signer("bench"),
        timestamp=lambda value: tsa.timestamp(authority.timestamper, value, now=datetime.now(timezone.utc)),
    )


def verify_command(path: Path, authority: Authority, *more: str) -> list[str]:
    """Return the command that verifies a file, and trusts the authority."""
    return [sys.executable, "-m", "signpath_ci", "verify", str(path), "--trust-root", str(authority.trust_root), *more]
