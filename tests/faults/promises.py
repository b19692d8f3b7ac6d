"""The documented outcomes: the table in `docs/faults.md`, read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.faults.bench import Cell, cells
from tests.faults.steps import COMES_AFTER

_PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


def promised() -> dict[Cell, int]:
    """Return the exit code that the documentation promises for each cell."""
    codes: dict[Cell, int] = {}
    for line in _PAGE.read_text(encoding="utf-8").splitlines():
        name, *shown = [each.strip() for each in line.strip("|").split("|")]
        if not line.startswith("| ") or not shown or not shown[0][:1].isdigit():
            continue
        for step, text in zip(COMES_AFTER, shown, strict=True):
            once, _, always = text.partition(" / ")
            codes[Cell(step, name, always=False)] = int(once)
            codes[Cell(step, name, always=True)] = int(always or once)
    return {cell: codes[cell] for cell in cells() if cell in codes}


def table(codes: Mapping[Cell, int]) -> str:
    """Return exit codes as a Markdown table; `0 / 6` is once and always."""
    lines = ["| fault | " + " | ".join(COMES_AFTER) + " |", "| --- |" + " --- |" * len(COMES_AFTER)]
    for fault in dict.fromkeys(cell.fault for cell in codes):
        shown = []
        for step in COMES_AFTER:
            pair = [codes.get(Cell(step, fault, always)) for always in (False, True)]
            shown.append(" / ".join(dict.fromkeys(str(code) for code in pair if code is not None)))
        lines.append(f"| {fault} | " + " | ".join(shown) + " |")
    return "\n".join(lines)
