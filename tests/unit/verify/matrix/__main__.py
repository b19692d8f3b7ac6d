"""Print the matrix: `python -m tests.unit.verify.matrix`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from signpath_ci.errors import VerificationError
from tests.unit.verify.matrix.attacks import ATTACKS, Case
from tests.unit.verify.matrix.formats import FORMATS, Format
from tests.unit.verify.matrix.judging import judge


def main() -> int:
    """Print one row an attack, one column a format; return 1 where a cell is wrong."""
    reasons: dict[str, int] = {}
    wrong = 0
    lines = [["attack", *(f.name for f in FORMATS)], ["---"] * (1 + len(FORMATS))]
    for name, attack in ATTACKS.items():
        cells = [name]
        for f in FORMATS:
            case = attack(f)
            if isinstance(case, str):
                cells.append(f"none ({reasons.setdefault(case, len(reasons) + 1)})")
                continue
            is_refused = _is_refused(f, case)
            wrong += not is_refused
            cells.append("refused" if is_refused else "**ACCEPTED**")
        lines.append(cells)
    for cells in lines:
        sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.write(f"\nnone: {'; '.join(f'({number}) {reason}' for reason, number in reasons.items())}\n")
    return 1 if wrong else 0


def _is_refused(f: Format, case: Case) -> bool:
    with tempfile.TemporaryDirectory() as directory:
        try:
            judge(f, case, Path(directory))
        except VerificationError as error:
            return case.words in error.message
    return False


if __name__ == "__main__":
    sys.exit(main())
