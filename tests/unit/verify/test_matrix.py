"""Every cell of the matrix format x attack: the file is refused, for the right reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from signpath_ci.errors import VerificationError
from tests.unit.verify.matrix.attacks import ATTACKS, Case
from tests.unit.verify.matrix.formats import FORMATS, Format
from tests.unit.verify.matrix.judging import judge

_CELLS = [pytest.param(f, name, id=f"{f.name}-{name}") for name in ATTACKS for f in FORMATS]


@pytest.mark.parametrize("f", FORMATS, ids=lambda f: f.name)
def test_without_an_attack_it_is_accepted(tmp_path: Path, f: Format) -> None:
    (verdict,) = judge(f, Case(f.signed(), ""), tmp_path)
    assert (verdict.format, verdict.identity, verdict.trust) == ("pe" if f.name == "zip" else f.name, "same", "root")
    assert (verdict.timestamp is None) == (f.name == "raw")


@pytest.mark.parametrize(("f", "name"), _CELLS)
def test_cell(tmp_path: Path, f: Format, name: str) -> None:
    case = ATTACKS[name](f)
    if isinstance(case, str):
        assert case  # there is no such file of this format, and this is why
        return
    with pytest.raises(VerificationError) as caught:
        judge(f, case, tmp_path)
    assert case.words in caught.value.message
    assert caught.value.exit_code == 7
