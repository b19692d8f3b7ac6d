"""Build `dist/signpath-ci.pyz`: the whole core as one pure-Python file, the same bytes from the same sources.

It holds the package, `requests`, `PyYAML` and `truststore` with what they need, from wheels pinned by their hashes,
without their native parts. Beside the sources lies compiled code for each Python that was at hand when it was built, so
that a job need not compile it; a Python of another version takes the sources.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Only the choice of wheels depends on these: what is taken from them is the same in all.
_WHEELS = ("--platform", "manylinux2014_x86_64", "--python-version", "3.10", "--only-binary", ":all:")
_VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
_COMPILED = "compiled"
# Found by the sources: `certifi` reads its certificates from the directory that its code lies in.
_NOT_COMPILED = {"certifi"}
_DROPPED = (".so", ".pyd", ".pyc", ".pyi", "RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json")

_MAIN = f"""\
import sys

if sys.version_info < (3, 10):
    sys.exit("error: Python %d.%d is too old: signpath-ci needs 3.10 or later. [no-python]" % sys.version_info[:2])

sys.path.insert(0, "%s/{_COMPILED}/%s" % (sys.path[0], sys.implementation.cache_tag))

from signpath_ci.__main__ import main

sys.exit(main())
"""

_COMPILE = """\
import pathlib, py_compile, sys
source, target = map(pathlib.Path, sys.argv[1:3])
for path in sorted(source.rglob("*.py")):
    name = path.relative_to(source)
    if name.parts[0] not in sys.argv[3:]:
        py_compile.compile(str(path), str(target / sys.implementation.cache_tag / name.with_suffix(".pyc")), str(name),
            doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
"""


def main() -> None:
    """Build the file, here or where the command line says; or with `--fetch DIR` only fetch what it takes."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--fetch"]:
        _pip("download", "--dest", arguments[1])
    else:
        build(Path(arguments[0]) if arguments else ROOT / "dist" / "signpath-ci.pyz")


def build(target: Path) -> None:
    """Build the file `target`."""
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory) / "tree"
        _pip("install", "--no-compile", "--target", str(tree))
        # The sandbox needs packages with native code, which one file can't hold.
        shutil.copytree(ROOT / "src" / "signpath_ci", tree / "signpath_ci", ignore=shutil.ignore_patterns("sandbox"))
        _prune(tree)
        compiled = Path(directory) / _COMPILED
        _compile(tree, compiled)
        # Data that the package reads must lie beside its compiled code.
        for data in sorted(path for path in (tree / "signpath_ci").rglob("*") if path.suffix in {".txt", ".json"}):
            for version in compiled.iterdir():
                shutil.copyfile(data, version / data.relative_to(tree))
        compiled.rename(tree / _COMPILED)
        (tree / "__main__.py").write_text(_MAIN, encoding="utf-8", newline="\n")
        target.parent.mkdir(exist_ok=True)
        pack(tree, target)


def pack(tree: Path, target: Path) -> None:
    """Write the files below `tree` into an executable archive; neither times nor modes of the files go into it."""
    building = target.with_suffix(".building")
    with building.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(path for path in tree.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), (1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = 3
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, path.read_bytes(), compresslevel=9)
    building.chmod(0o755)
    building.replace(target)


def _pip(command: str, *options: str) -> None:
    words = [sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check", *options, *_WHEELS]
    locked = ["--no-deps", "--require-hashes", "--requirement", str(ROOT / "requirements" / "runtime.txt")]
    subprocess.run([*words, *locked], check=True)


def _prune(tree: Path) -> None:
    shutil.rmtree(tree / "bin", ignore_errors=True)
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.name.endswith(_DROPPED):
            path.unlink()
        elif path.is_dir() and (path.name in {"__pycache__", "emscripten"} or not any(path.iterdir())):
            shutil.rmtree(path)


def _compile(tree: Path, target: Path) -> None:
    found = [sys.executable, *filter(None, (shutil.which(f"python{version}") for version in _VERSIONS))]
    # The order of sets, and with it the compiled code, must not change from build to build.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = set()
    for python in found:
        said = subprocess.run(
            [python, "-I", "-c", "import sys; print(sys.implementation.cache_tag, sys.version_info >= (3, 10))"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        # A name on the path may be a version manager's that leads nowhere.
        if said[1:] == ["True"] and said[0] not in done:
            done.add(said[0])
            subprocess.run(
                [python, "-s", "-c", _COMPILE, str(tree), str(target), *_NOT_COMPILED], env=environment, check=True
            )


if __name__ == "__main__":
    main()
