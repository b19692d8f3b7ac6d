"""Run the whole matrix and print it: `python -m tests.faults [--only TEXT] [--verbose]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.bench import Cell, Outcome, bench, cells
from tests.faults.promises import promised, table

_AT_ONCE = 6


def main() -> int:
    """Print the matrix, and every cell that is not as promised."""
    parser = argparse.ArgumentParser(prog="make fault-matrix")
    parser.add_argument("--only", default="", help="a text that the names of the cells contain")
    parser.add_argument("--verbose", action="store_true", help="print what the commands said, too")
    given = parser.parse_args()
    chosen = [cell for cell in cells() if given.only in cell.name]
    with tempfile.TemporaryDirectory() as name, bench(Path(name)) as running, ThreadPoolExecutor(_AT_ONCE) as pool:
        outcomes: dict[Cell, Outcome] = dict(zip(chosen, pool.map(running.run, chosen), strict=True))
    print(table({cell: outcome.code for cell, outcome in outcomes.items()}))
    promises = promised()
    failed = 0
    for cell, outcome in outcomes.items():
        flaws = [*outcome.broken]
        if outcome.code != promises.get(cell):
            flaws.append(f"ended with {outcome.code}, but {promises.get(cell)} is promised")
        failed += bool(flaws)
        if flaws:
            print(f"{cell.name}: {'; '.join(flaws)}", *([outcome.said] if given.verbose else []), sep="\n")
    print(f"{len(outcomes)} cells, {failed} not as promised")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
