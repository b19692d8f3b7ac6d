"""A sample of the matrix: each fault at least once, each step with many of them. `make fault-matrix` runs all of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.bench import Cell, Outcome, cells
from tests.faults.faults import FAULTS
from tests.faults.promises import promised
from tests.faults.steps import COMES_AFTER

_PROMISED = promised()
_STRIDE = 11
"""Of so many cells one is run here; no divisor of the number of steps or modes, so all of them have their turn."""


def _sample() -> list[Cell]:
    return cells()[::_STRIDE]


def test_each_cell_has_a_documented_outcome() -> None:
    assert list(_PROMISED) == cells()


def test_the_sample_has_each_fault_and_each_step_once_and_always() -> None:
    sample = _sample()

    assert {cell.fault for cell in sample} == set(FAULTS)
    assert {(cell.step, cell.always) for cell in sample} == {(s, a) for s in COMES_AFTER for a in (False, True)}


@pytest.mark.sample(30)
@pytest.mark.parametrize("cell", _sample(), ids=lambda cell: cell.name)
def test_nothing_is_lost_doubled_or_left_half_done(cell: Cell, run_cell: Callable[[Cell], Outcome]) -> None:
    outcome = run_cell(cell)

    assert (outcome.code, outcome.broken) == (_PROMISED[cell], ()), outcome.said
