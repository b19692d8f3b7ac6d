"""Look up the packages of all locks for known vulnerabilities: `python -m tools.audit [pip-audit options]`.

A lock serves every system and Python, so it may name a package twice, under conditions. pip-audit looks only at what
holds where it runs, and refuses a package named twice: it gets each lock without the conditions, in as many parts as
need be. Nothing is installed or built. What could not be looked up is a failure: `--strict`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = (*sorted(ROOT.glob("requirements/*.txt")), *sorted(ROOT.glob("src/signpath_ci/verify/requirements*.txt")))
_PACKAGE = re.compile(
    r"(?P<name>[\w.-]+)(?:\[[\w,-]+\])?==(?P<version>[\w.+!-]+)(?: ; [^\\\n]+)?"
    r"(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
)
_COMMENT = re.compile(r" *(?:#.*)?\n")


def parts(lock: str) -> list[str]:
    """Return a lock without its conditions, in parts of which none names a package twice.

    Raises:
        ValueError: it holds something else than packages pinned to one version and its hashes.
    """
    found: list[dict[str, str]] = []
    for name, text in _packages(lock):
        part = next((part for part in found if name not in part), None)
        if part is None:
            found.append(part := {})
        part[name] = text
    return ["".join(part.values()) for part in found]


def _packages(lock: str) -> Iterable[tuple[str, str]]:
    place = 0
    while place < len(lock):
        if package := _PACKAGE.match(lock, place):
            yield package["name"], f"{package['name']}=={package['version']}{package['hashes']}\n"
        elif not (package := _COMMENT.match(lock, place)):
            line = lock[place:].partition("\n")[0]
            raise ValueError(f"`{line}` is no package pinned to one version and its hashes")
        place = package.end()


def main() -> int:
    """Audit all locks, and tell whether anything was found."""
    failed = [lock for lock in LOCKS if not _audited(lock, sys.argv[1:])]
    for lock in failed:
        print(f"error: {lock.relative_to(ROOT)} is not known to be good: see above.", file=sys.stderr)
    return min(len(failed), 1)


def _audited(lock: Path, options: list[str]) -> bool:
    print(f"{lock.relative_to(ROOT)}:", flush=True)
    codes = []
    with tempfile.TemporaryDirectory() as directory:
        for number, part in enumerate(parts(lock.read_text(encoding="utf-8"))):
            file = Path(directory, f"{number}.txt")
            file.write_text(part, encoding="utf-8")
            # Without pip nothing is resolved or built: what is looked up is what the lock says.
            how = ["--require-hashes", "--disable-pip", "--strict", "--progress-spinner", "off", *options]
            codes.append(subprocess.run([sys.executable, "-m", "pip_audit", *how, "-r", file], check=False).returncode)
    return not any(codes)


if __name__ == "__main__":
    sys.exit(main())
