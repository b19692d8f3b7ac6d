"""What `make mutants` makes of mutmut's results."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from tools.mutants import EXPLAINED, Mutant, read_explained, read_mutants, report

_MUTATED = """\
from mutmut import something

@something
def check(a: int) -> bool:
    return a < 1

def x_check__mutmut_orig(
    a: int,
) -> bool:
    return a < 1

def x_check__mutmut_1(
    a: int,
) -> bool:
    return a <= 1

def x_check__mutmut_2(
    a: int = 0,
) -> bool:
    return a < 1

class Judge:
    def xǁJudgeǁjudge__mutmut_orig(self) -> None:
        self.check()

    def xǁJudgeǁjudge__mutmut_1(self) -> None:
        None
"""


def _write(directory: Path, codes: dict[str, int | None]) -> None:
    source = directory / "src" / "signpath_ci" / "verify" / "judge.py"
    source.parent.mkdir(parents=True)
    source.write_text(_MUTATED, encoding="utf-8")
    spans = {
        "x_check__mutmut_orig": [6, 10],  # with the empty line before, as mutmut counts
        "x_check__mutmut_1": [11, 15],
        "x_check__mutmut_2": [16, 20],
        "xǁJudgeǁjudge__mutmut_orig": [23, 24],
        "xǁJudgeǁjudge__mutmut_1": [25, 27],
    }
    source.with_name("judge.py.spans").write_text(json.dumps({"version": 1, "spans": spans}))
    source.with_name("judge.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))


def test_results_are_read(tmp_path: Path) -> None:
    check, judge = "signpath_ci.verify.judge.x_check__mutmut", "signpath_ci.verify.judge.xǁJudgeǁjudge__mutmut"
    _write(tmp_path, {f"{check}_1": 0, f"{check}_2": 33, f"{judge}_1": -24})
    mutants = read_mutants(tmp_path)
    assert mutants == [
        Mutant(f"{check}_1", "verify.judge.check", "-return a < 1\n+return a <= 1", "survived"),
        Mutant(f"{check}_2", "verify.judge.check", "-a: int,\n+a: int = 0,", "not covered"),
        Mutant(f"{judge}_1", "verify.judge.Judge.judge", "-self.check()\n+None", "timed out"),
    ]
    assert [mutant.is_alive for mutant in mutants] == [True, True, False]


_EXPLAINED = """\
- why: because
  mutants:
    a.b:
      - |
        -x
        +y
    a.c:
      - "-x\\n+z"
"""


def test_survivors_that_are_not_explained_fail(tmp_path: Path) -> None:
    path = tmp_path / "explained.yml"
    path.write_text(_EXPLAINED)
    explained = read_explained(path)
    assert explained == {("a.b", "-x\n+y"), ("a.c", "-x\n+z")}
    good = [
        Mutant("name", "a.b", "-x\n+y", "survived"),
        Mutant("name", "a.c", "-x\n+z", "not covered"),
        Mutant("name", "a.c", "-1\n+2", "killed"),
    ]
    assert report(good, explained) == (
        "3 mutants\n     1 killed\n     1 survived\n     1 not covered\n"
        "     2 explained of those that survived or are not covered",
        True,
    )
    text, is_good = report([*good, Mutant("name", "a.b", "-x\n+z", "survived")], explained)
    assert not is_good
    assert text.endswith(
        "Not explained: a test that notices is missing, or a reason in tests/mutants.yml:\n"
        "    a.b:\n      - |\n        -x\n        +z"
    )


def test_what_was_not_tried_or_is_no_longer_true_fails() -> None:
    mutant = Mutant("name", "a.b", "-x\n+y", "not tried")
    assert report([mutant], {("a.b", "-x\n+y")}) == (
        "1 mutants\n     1 not tried\n     0 explained of those that survived or are not covered",
        False,
    )
    text, is_good = report([Mutant("name", "a.b", "-x\n+y", "killed")], {("a.b", "-x\n+y")})
    assert not is_good
    assert text.endswith("Explained, but killed or gone: remove\n    a.b:\n      - |\n        -x\n        +y")


def test_each_explanation_says_why() -> None:
    groups = yaml.safe_load(EXPLAINED.read_text(encoding="utf-8"))
    assert [sorted(group) for group in groups] == [["mutants", "why"]] * len(groups)
    assert all(group["why"] for group in groups)
    written = [(function, change) for group in groups for function, all_ in group["mutants"].items() for change in all_]
    assert len(written) == len(read_explained(EXPLAINED))  # none is explained twice
