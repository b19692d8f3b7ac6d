"""mutmut with the mutants that a verification fears most, and that it does not make itself: a check is left out.

Statements that only call something are dropped, conditions never or always hold, and loops run over nothing. Runs in
`.venv-mutants`, called by `tools.mutants`; the arguments are those of mutmut.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst
from libcst import matchers
from mutmut.mutation.mutators import mutation_operators

_CALL = matchers.Expr(value=matchers.Call())


def drop_call(node: libcst.Expr) -> Iterator[libcst.Expr]:
    """`check(x)` does nothing."""
    if matchers.matches(node, _CALL):
        yield node.with_changes(value=libcst.Name("None"))


def force_condition(node: libcst.If) -> Iterator[libcst.If]:
    """`if x:` never holds, and always."""
    test = node.test.with_changes(lpar=[libcst.LeftParen()], rpar=[libcst.RightParen()])
    for operator, literal in ((libcst.And(), "False"), (libcst.Or(), "True")):
        forced = libcst.BooleanOperation(left=test, operator=operator, right=libcst.Name(literal))
        yield node.with_changes(test=forced, whitespace_before_test=libcst.SimpleWhitespace(" "))


def empty_loop(node: libcst.For) -> Iterator[libcst.For]:
    """`for x in y:` finds nothing in `y`."""
    yield node.with_changes(iter=libcst.Tuple(elements=[]))


mutation_operators += [(libcst.Expr, drop_call), (libcst.If, force_condition), (libcst.For, empty_loop)]

if __name__ == "__main__":
    from mutmut.__main__ import cli

    cli()
