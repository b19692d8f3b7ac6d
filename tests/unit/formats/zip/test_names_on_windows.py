"""Names that become another one where Windows does not take a character of theirs."""

from __future__ import annotations

import pytest

from signpath_ci.formats import FormatError
from signpath_ci.formats.zip.names import Names


@pytest.mark.parametrize(
    ("one", "two"), [("setup?.exe", "setup*.exe"), ("setup_.exe", "setup|.exe"), ("a<b/x", "A_B/y")]
)
def test_two_that_are_one(one: str, two: str) -> None:
    names = Names()
    names.add(one)

    with pytest.raises(FormatError) as caught:
        names.add(two)

    assert caught.value.code == "zip-name-collision"


def test_one_that_is_alone() -> None:
    names = Names()
    names.add("what?.txt")
    names.add("what.txt")
