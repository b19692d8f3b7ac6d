"""How long `check` takes for an archive with many files and a configuration with many patterns, against `unzip -l`."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

from benchmarks.measure import median, run, table

_ROUNDS = 7
_FILES, _PATTERNS = 10_000, 200
_FACTOR, _START = 1.5, 0.3
"""The bound: this many times what `unzip -l` takes, and seconds for the start."""


def measure() -> str:
    """Return the table: time and peak memory, also of an archive with a tenth of the files."""
    program = str(Path(sys.executable).with_name("signpath-ci"))
    rows = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "c.xml").write_text(_configuration(), "utf-8")
        check = [program, "check", "app.zip", "--artifact-configuration-file", "c.xml", "--log-level", "error"]
        measured = {}
        for count in (_FILES // 10, _FILES):
            _write(directory / "app.zip", count)
            for label, command in (
                (f"`unzip -l`, {count} files", ["unzip", "-l", "app.zip"]),
                (f"`check`, {count} files", check),
            ):
                run(command, directory=directory)
                found = median([run(command, directory=directory) for _ in range(_ROUNDS)])
                measured[label] = found
                rows.append(
                    [
                        label,
                        f"{found.seconds * 1000:.0f} ms",
                        f"{found.cpu_seconds * 1000:.0f} ms",
                        f"{found.peak_mib:.0f} MiB",
                    ]
                )
    listed, checked = measured[f"`unzip -l`, {_FILES} files"], measured[f"`check`, {_FILES} files"]
    bound = _FACTOR * listed.seconds + _START
    rows.append(["bound", f"{bound * 1000:.0f} ms", "", "kept" if checked.seconds <= bound else "**missed**"])
    return table([f"{_PATTERNS} patterns", f"median of {_ROUNDS}", "processor", "peak memory"], rows)


def _write(path: Path, count: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            ending = "txt" if number % 2 else "json"
            archive.writestr(f"dir{number % 100}/sub{number % 7}/file{number}.{ending}", b"content of a file " * 5)


def _configuration() -> str:
    includes = "".join(
        f'<include path="dir{number}/**/file{number}*.txt" min-matches="0" max-matches="unbounded"/>\n'
        f'<include path="**/file{number}?.json" min-matches="0" max-matches="unbounded"/>\n'
        for number in range(_PATTERNS // 2)
    )
    namespace = "http://signpath.io/artifact-configuration/v1"
    return (
        f'<artifact-configuration xmlns="{namespace}"><zip-file><file-set>{includes}</file-set></zip-file>'
        "</artifact-configuration>"
    )
