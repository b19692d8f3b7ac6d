"""Verification of large files beside `osslsigncode verify`, its memory, and archives of many small signed files."""

from __future__ import annotations

import os
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
_COUNTS = (100, 400)
_STUB = 0x50  # where the DOS program of a PE file starts, with some bytes more
_CABINET = 300  # MiB
_ENTRIES = 50_000


def measure() -> str:
    """Return the tables: large files against osslsigncode, archives of programs, reading an archive against unzip."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        authority = Authority.open(directory / "pki", now=datetime.now(timezone.utc))
        parts = (_big_files, _cabinets, _archives)
        return "\n\n".join([*(part(directory, authority) for part in parts), _entries(directory)])


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
    """Measure archives of small signed programs: all different or all the same, alone or beside the submitted ones."""
    spec = find_spec("distlib")
    launcher = Path((spec.origin if spec else None) or "").with_name("t32.exe").read_bytes()
    unsigned, signed = [], []
    source, target = directory / "small.exe", directory / "small.signed.exe"
    for number in range(_COUNTS[-1]):
        # Bytes of the DOS program, which no header needs.
        unsigned.append(launcher[:_STUB] + number.to_bytes(4, "little") + launcher[_STUB + 4 :])
        source.write_bytes(unsigned[-1])
        sign(source, target, authority)
        signed.append(target.read_bytes())
    commands: dict[str, tuple[int, list[str]]] = {"a single one": (1, verify_command(target, authority))}
    for count in _COUNTS:
        path = _archive(directory / f"{count}.zip", signed[:count])
        before = _archive(directory / f"{count}.unsigned.zip", unsigned[:count])
        commands[f"{count}"] = (count, verify_command(path, authority))
        commands[f"{count}, `--unsigned`"] = (count, verify_command(path, authority, "--unsigned", str(before)))
    path = _archive(directory / "same.zip", signed[:1] * _COUNTS[-1])
    commands[f"{_COUNTS[-1]} with the same bytes"] = (_COUNTS[-1], verify_command(path, authority))
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(_ROUNDS_OF_ARCHIVES):
        for name, (_, command) in commands.items():
            runs[name].append(run(command))
    alone = median(runs["a single one"]).cpu_seconds
    rows = []
    for name, measured in runs.items():
        count, found = commands[name][0], median(measured)
        a_second = f"{count / (found.cpu_seconds - alone):.0f}" if count > 1 else ""
        cells = [f"{found.seconds:.2f} s", f"{found.cpu_seconds:.2f} s", a_second, f"{found.peak_mib:.0f} MiB"]
        rows.append([name, *cells])
    head = ["signed PE files in one ZIP", f"median of {_ROUNDS_OF_ARCHIVES}", "CPU time"]
    return table([*head, "files a second of CPU time, without the start", "peak memory"], rows)


def _archive(path: Path, files: list[bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(files):
            archive.writestr(f"{number}.exe", data)
    return path


def _cabinets(directory: Path, authority: Authority) -> str:
    """Measure an uncompressed cabinet, whose files are compared with the submitted ones, beside osslsigncode."""
    if not shutil.which("gcab"):
        return "Cabinets are measured where `gcab` is installed."
    content, unsigned, signed = directory / "content.bin", directory / "a.cab", directory / "a.signed.cab"
    with content.open("wb") as file:
        for _ in range(_CABINET):
            file.write(os.urandom(_MIB))
    run(["gcab", "--create", "--nopath", str(unsigned), str(content)])
    sign(unsigned, signed, authority)
    root = str(authority.trust_root)
    commands = {"`signpath-ci verify --unsigned`": verify_command(signed, authority, "--unsigned", str(unsigned))}
    if shutil.which("osslsigncode"):
        commands[_ORACLE] = ["osslsigncode", "verify", "-CAfile", root, "-TSA-CAfile", root, "-in", str(signed)]
    rows = []
    for name, command in commands.items():
        found = median([run(command) for _ in range(_ROUNDS_OF_ARCHIVES)])
        rows.append([name, f"{found.seconds:.2f} s", f"{found.cpu_seconds:.2f} s", f"{found.peak_mib:.0f} MiB"])
    return table([f"cabinet of {_CABINET} MiB", f"median of {_ROUNDS_OF_ARCHIVES}", "CPU time", "peak memory"], rows)


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
