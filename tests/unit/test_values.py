"""`signpath_ci.values` makes what `dataclasses` makes: each case is tried with both."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from signpath_ci import values

MODULES = [values, dataclasses]


def _classes(module: Any) -> tuple[Any, Any]:
    @module.dataclass(frozen=True, kw_only=True)
    class Base:
        name: str
        secret: str = module.field(default="s", repr=False)
        tags: list[str] = module.field(default_factory=list)

        @property
        def shout(self) -> str:
            return self.name.upper()

    @module.dataclass(frozen=True, kw_only=True)
    class Derived(Base):
        size: int | None = None
        note: str = module.field(default="", compare=False)

    return Base, Derived


@pytest.mark.parametrize("module", MODULES)
def test_values(module: Any) -> None:
    base, derived = _classes(module)
    one = derived(name="a", size=3)

    assert (one.name, one.secret, one.tags, one.size, one.note, one.shout) == ("a", "s", [], 3, "", "A")
    assert one == derived(name="a", size=3, note="other")
    assert one != derived(name="a", size=4)
    assert one != base(name="a")
    assert base(name="a").tags is not base(name="a").tags
    assert repr(one).endswith("Derived(name='a', tags=[], size=3, note='')")


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("change", [lambda v: setattr(v, "name", "b"), lambda v: delattr(v, "name")])
def test_values_do_not_change(module: Any, change: Callable[[Any], None]) -> None:
    value = _classes(module)[0](name="a")

    with pytest.raises(dataclasses.FrozenInstanceError):
        change(value)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("given", [{}, {"name": "a", "nmae": "b"}])
def test_unknown_and_missing_names_are_refused(module: Any, given: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        _classes(module)[0](**given)


@pytest.mark.parametrize("module", MODULES)
def test_positional_values(module: Any) -> None:
    @module.dataclass(frozen=True)
    class Pair:
        left: int
        right: int = 2

    make: Any = Pair
    assert (make(1), make(1, 3).right, hash(make(1))) == (make(left=1, right=2), 3, hash(make(1, 2)))
    for arguments, named in (((1, 2, 3), {}), ((1,), {"left": 2}), ((), {})):
        with pytest.raises(TypeError):
            make(*arguments, **named)


@pytest.mark.parametrize("replace", [values.replace, dataclasses.replace])
def test_replace(replace: Callable[..., Any]) -> None:
    _, derived = _classes(values)

    assert replace(derived(name="a", secret="x"), size=1) == derived(name="a", secret="x", size=1)
    with pytest.raises(TypeError):
        replace(derived(name="a"), siez=1)


def test_the_standard_library_reads_values() -> None:
    _, derived = _classes(values)
    value = derived(name="a")

    assert [f.name for f in dataclasses.fields(value)] == ["name", "secret", "tags", "size", "note"]
    assert dataclasses.asdict(value) == {"name": "a", "secret": "s", "tags": [], "size": None, "note": ""}


def test_values_can_be_pickled() -> None:
    from signpath_ci.model import Submission

    value = Submission(signing_request_id="1", web_link=None)

    assert pickle.loads(pickle.dumps(value)) == value
