"""Run signpath-ci from this checkout: `start.py PACKAGES ARGUMENTS`; `install.py` has checked the packages."""

from __future__ import annotations

import atexit
import runpy
import shutil
import sys
from pathlib import Path

ONCE = "signpath-ci-once-"
"""What the name of a directory for one run alone begins with; as `install.py` makes it."""


def main() -> None:
    """Take the place of `python -m signpath_ci`."""
    packages = Path(sys.argv.pop(1))
    if packages.parents[1].name.startswith(ONCE):
        atexit.register(shutil.rmtree, packages.parents[1], ignore_errors=True)
    # What Python would write into the packages would be no file of a wheel.
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "src"), str(packages)]
    runpy.run_module("signpath_ci", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
