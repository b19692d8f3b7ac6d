"""Mutation testing: change the verification in small ways, and demand that a test or a type check notices each.

mutmut makes the mutants, one a change, and runs the tests in a copy of the sources (`mutants/`); `[tool.mutmut]` in
pyproject.toml says what it changes and which tests it runs. Here it is called, its results are summed up, and what
survives is compared with the explained mutants in `tests/mutants.yml`.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import yaml

ROOT = Path(__file__).parents[1]
MUTANTS = ROOT / "mutants"
EXPLAINED = ROOT / "tests" / "mutants.yml"
# What mutmut writes as the exit code of a mutant's tests: its own codes, pytest's, and signals.
_STATUS = {
    None: "not tried",
    0: "survived",
    1: "killed",
    3: "killed",
    5: "not covered",
    33: "not covered",
    37: "killed by the type check",
    36: "timed out",
    24: "timed out",
    -24: "timed out",
    -9: "timed out",
}
_ORDER = ("killed", "killed by the type check", "timed out", "survived", "not covered", "not tried", "broken")
_INTERRUPT_SECONDS = 30


@dataclass(frozen=True)
class Mutant:
    """One change of one function.

    Attributes:
        name: mutmut's.
        function: where it is, e.g. `verify.judge.Judge.signer`.
        change: the lines that it takes out (`-`) and puts in (`+`), without their indentation: they may move.
        status: one of `_ORDER`.
    """

    name: str
    function: str
    change: str
    status: str

    @property
    def is_alive(self) -> bool:
        """Whether no test and no type check noticed it."""
        return self.status in {"survived", "not covered", "broken"}


def read_mutants(directory: Path) -> list[Mutant]:
    """Read what mutmut left in its directory."""
    return [mutant for meta in sorted(directory.rglob("*.py.meta")) for mutant in _read_file(directory, meta)]


def _read_file(directory: Path, meta: Path) -> Iterator[Mutant]:
    source = meta.with_suffix("")
    lines = [line.strip() for line in source.read_text(encoding="utf-8").splitlines()]
    spans = json.loads(source.with_name(f"{source.name}.spans").read_text(encoding="utf-8"))["spans"]
    module = ".".join(source.relative_to(directory / "src" / "signpath_ci").with_suffix("").parts)
    for key, code in json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"].items():
        name = key.rpartition(".")[2]
        mangled = name.partition("__mutmut_")[0]
        function = mangled.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
        before, after = (
            [line.replace(n, function.rpartition(".")[2]) for line in lines[spans[n][0] - 1 : spans[n][1]] if line]
            for n in (f"{mangled}__mutmut_orig", name)
        )
        yield Mutant(
            name=key,
            function=f"{module}.{function}",
            change=_change(before, after),
            status=_STATUS.get(code, "broken"),
        )


def _change(before: list[str], after: list[str]) -> str:
    difference = list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]  # without the names of files
    return "\n".join(line for line in difference if not line.startswith("@@"))


def read_explained(path: Path) -> set[tuple[str, str]]:
    """Read which surviving mutants are explained, as pairs of `Mutant.function` and `Mutant.change`."""
    groups = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    return {
        (function, change.rstrip("\n"))
        for group in groups
        for function, changes in group["mutants"].items()
        for change in changes
    }


def report(mutants: list[Mutant], explained: set[tuple[str, str]]) -> tuple[str, bool]:
    """Return the summary, and whether each mutant was tried, and killed or explained.

    A function may have two mutants that are the same change; one explanation is enough for both.
    """
    counts = Counter(mutant.status for mutant in mutants)
    alive = {(m.function, m.change) for m in mutants if m.is_alive}
    unexplained = [pair for pair in sorted(alive) if pair not in explained]
    outdated = sorted(explained - alive)
    lines = [f"{len(mutants)} mutants"]
    lines += [f"{counts[status]:6} {status}" for status in _ORDER if counts[status]]
    lines += [f"{len(alive) - len(unexplained):6} explained of those that survived or are not covered"]
    if unexplained:
        lines += ["", f"Not explained: a test that notices is missing, or a reason in {EXPLAINED.relative_to(ROOT)}:"]
        lines += [_as_entry(*pair) for pair in unexplained]
    if outdated and not counts["not tried"]:
        lines += ["", "Explained, but killed or gone: remove"]
        lines += [_as_entry(*pair) for pair in outdated]
    return "\n".join(lines), not (unexplained or outdated or counts["not tried"])


def _as_entry(function: str, change: str) -> str:
    return f"    {function}:\n      - |\n{textwrap.indent(change, ' ' * 8)}"


def run(names: list[str], *, seconds: float) -> None:
    """Let mutmut make the mutants and try these (none given: all), for so many seconds at most."""
    tools = ROOT / ".venv-mutants" / "bin"
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(tools / "python"), "-m", "tools.mutators", "run", "--max-children", "1", *names]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            if process.wait(seconds) != 0:
                raise SystemExit("error: mutmut failed; what it printed says why.")
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.send_signal(signal.SIGINT)
            process.wait(_INTERRUPT_SECONDS)


def main() -> int:
    """Run everything; the exit code says whether each mutant was tried, and killed or explained."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="time limit")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--again", action="store_true", help="try only what survived the last run, or changed since")
    again.add_argument("--no-run", action="store_true", help="only report what the last run left")
    arguments = parser.parse_args()
    start = monotonic()
    if arguments.again:
        (MUTANTS / "mutmut-stats.json").unlink(missing_ok=True)  # which test reaches what may have changed
        run([], seconds=arguments.seconds)  # what changed
        run([mutant.name for mutant in read_mutants(MUTANTS) if mutant.is_alive], seconds=arguments.seconds)
    elif not arguments.no_run:
        shutil.rmtree(MUTANTS, ignore_errors=True)
        run([], seconds=arguments.seconds)
    text, is_good = report(read_mutants(MUTANTS), read_explained(EXPLAINED))
    sys.stdout.write(f"{text}\n\n{monotonic() - start:.0f} s\n")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
