"""Measure everything, or the parts that are named: `python -m benchmarks [startup] [step] [lifecycle] ...`."""

from __future__ import annotations

import sys

from benchmarks import check, lifecycle, packages, pages, soak, startup, step, transfer, verification

_PARTS = {
    "startup": startup.measure,
    "step": step.measure,
    "lifecycle": lifecycle.measure,
    "many": lifecycle.measure_many,
    "transfer": transfer.measure,
    "verification": verification.measure,
    "packages": packages.measure,
    "check": check.measure,
    "pages": pages.measure,
    "soak": soak.measure,
}


def main() -> None:
    """Print the tables of the parts that the command line names; of all where it names none."""
    for name in sys.argv[1:] or _PARTS:
        print(f"\n## {name}\n\n{_PARTS[name]()}", flush=True)


if __name__ == "__main__":
    main()
